//! The store's promises: one suite that the store in Redis and the one in memory both pass, and Redis's bad days.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod bad_days;
mod calls;
mod chat_v2;
mod claims;
mod clock;
mod cluster;
mod customers;
mod erase;
mod failover;
pub(crate) mod fixture;
mod full;
mod gaps;
mod ledger;
mod log;
mod outbox;
mod pages;
mod planned;
mod retention;
mod sealed;
mod sentinels;
mod sessions;
mod silent;
mod streams;
mod subscriptions;
mod tail;
mod traces;
