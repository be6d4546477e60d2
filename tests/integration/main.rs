//! Integration tests, in one binary because each binary links the whole crate anew.

mod gateway;
mod journeys;
mod sandbox;
mod store;
#[allow(unreachable_pub, dead_code, reason = "each part serves several tests")]
mod support;
mod webhook;
