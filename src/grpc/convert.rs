//! The one place that converts between protobuf and domain.

use bytes::Bytes;

use crate::event::Event;

/// Encodes an event as the two parts that the log keeps: the head, which routing reads, and the body.
pub fn encode_event(_event: &Event) -> (Bytes, Bytes) {
    (Bytes::new(), Bytes::new())
}
