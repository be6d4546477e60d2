//! Doors for fuzz targets: what of this module is private and takes what a sender wrote.

use axum::http::HeaderMap;
use bytes::Bytes;

use super::{Received, Verified, normalise, normalise::is_verification as check, trace_context};
use crate::event::Event;

/// The event that a delivery with this body becomes once its signature was verified. `transmitted_ms`: Unix milliseconds.
pub fn event(tenant: &str, event: &str, transmitted_ms: u64, body: Bytes) -> Event {
    let delivery = Verified::unsigned(tenant, event, transmitted_ms, body);
    normalise(&delivery, Received::default())
}

/// Whether a body is the vendor's check of a webhook's address.
pub fn is_verification(body: &[u8]) -> bool {
    check(body)
}

/// The trace context of a request, where it is well-formed.
pub fn traceparent(headers: &HeaderMap) -> Option<String> {
    trace_context::traceparent(headers)
}
