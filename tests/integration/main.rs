//! Integration tests, in one binary because each binary links the whole crate anew.

mod gateway;
mod journeys;
mod sandbox;
mod store;
mod support;
mod webhook;
