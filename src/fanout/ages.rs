//! How old events are when a stream takes them up.

use std::time::{SystemTime, UNIX_EPOCH};

use metrics::Histogram;

use crate::store::Entry;

const AGE: &str = "chatbridge_event_delivery_age_seconds";

/// How old events are when a stream takes them up. Found once: an event goes to many streams.
pub(super) struct Ages {
    live: Histogram,
    log: Histogram,
}

impl Default for Ages {
    fn default() -> Self {
        Self {
            live: metrics::histogram!(AGE, "feed" => "live"),
            log: metrics::histogram!(AGE, "feed" => "log"),
        }
    }
}

impl Ages {
    /// Notes that a stream takes up an entry, from the live feed or from the log.
    pub(super) fn note(&self, entry: &Entry, is_live: bool) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Its place has the time by the store's clock, which may be ahead of ours.
        let age = now.as_secs_f64() - entry.id.ms as f64 / 1000.0;
        let feed = if is_live { &self.live } else { &self.log };
        feed.record(age.max(0.0));
    }
}
