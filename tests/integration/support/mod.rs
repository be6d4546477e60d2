//! Real parts for tests to run against.

pub(crate) mod redis;
