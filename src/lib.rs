//! Chatbridge.

pub mod cli;
pub mod conversation;
pub mod error;
pub mod event;
pub mod gateway;
pub mod grpc;
pub mod sandbox;
pub mod store;
pub mod webhook;
