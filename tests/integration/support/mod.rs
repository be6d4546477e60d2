//! Real parts for tests to run against.

pub mod certificates;
pub mod dynamic;
pub mod issuer;
pub mod proxy;
pub mod redis;
pub mod service;
pub mod stage;
pub mod topologies;
pub mod vendor;
