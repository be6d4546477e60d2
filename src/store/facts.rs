//! What the servers say of themselves that keep the store, and how it is shown.

/// What Redis says of itself, of all its masters together.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreFacts {
    /// How many there are.
    pub masters: usize,
    /// Memory in use, in bytes, of the fullest.
    pub memory_used: u64,
    /// Memory that it may use, in bytes; 0: any.
    pub memory_max: u64,
    /// Whether none of them evicts.
    pub is_noeviction: bool,
    /// Replicas that are connected, of the one with the fewest.
    pub replicas: u64,
    /// Whether one of them could not write what it keeps on disk.
    pub is_persistence_failing: bool,
    /// How far the clock of the one that is furthest off is ahead of ours, in milliseconds.
    pub clock_ahead_ms: i64,
}

impl StoreFacts {
    /// Shows them as metrics.
    pub fn show(&self) {
        let flag = |is: bool| if is { 1.0 } else { 0.0 };
        metrics::gauge!("chatbridge_redis_masters").set(self.masters as f64);
        metrics::gauge!("chatbridge_redis_memory_used_bytes").set(self.memory_used as f64);
        metrics::gauge!("chatbridge_redis_memory_max_bytes").set(self.memory_max as f64);
        metrics::gauge!("chatbridge_redis_noeviction").set(flag(self.is_noeviction));
        metrics::gauge!("chatbridge_redis_replicas_connected").set(self.replicas as f64);
        metrics::gauge!("chatbridge_redis_persistence_failing").set(flag(self.is_persistence_failing));
        metrics::gauge!("chatbridge_redis_clock_offset_seconds").set(self.clock_ahead_ms as f64 / 1000.0);
    }
}
