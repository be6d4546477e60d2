//! Real parts for tests to run against.

pub mod redis;
pub mod service;
pub mod vendor;
