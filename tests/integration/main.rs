//! Integration tests, in one binary because each binary links the whole crate anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed, also in what tests share"
)]

mod access;
mod calls;
mod chat_v2;
mod checker;
mod composed;
mod doctor;
mod faults;
mod gateway;
mod journeys;
mod logs;
mod operations;
mod recording;
mod sandbox;
mod stalled;
mod store;
mod subscriptions;
#[allow(unreachable_pub, dead_code, reason = "each part serves several tests")]
mod support;
mod tls;
mod traces;
mod transfers;
mod webhook;
