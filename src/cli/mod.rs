//! Filled in soon.

pub mod chat;
pub mod connect;
pub mod demo;
pub mod render;
pub mod tail;
