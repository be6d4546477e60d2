//! Logs, metrics and traces.

pub mod catalogue;
pub mod logs;
mod metrics;
pub mod traces;

pub use self::metrics::{Metrics, init_metrics};
