//! An event on its way, and what of it is signed.

use bytes::Bytes;

use crate::webhook::signer;

/// An event on its way.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Unique, and equal across its deliveries.
    pub(crate) id: String,
    pub(crate) event_type: &'static str,
    /// `None`: it belongs to no conversation.
    pub(crate) conversation_id: Option<String>,
    /// The webhook that is to hear it.
    pub(crate) webhook_id: String,
    pub(crate) body: Bytes,
    /// How often it was sent before.
    pub(crate) retry: u32,
    /// How it was forged, if it was.
    pub(crate) forged: Option<&'static str>,
}

impl Event {
    pub(crate) fn new(
        id: String,
        event_type: &'static str,
        conversation_id: Option<String>,
        webhook_id: String,
        body: impl Into<Bytes>,
    ) -> Self {
        Self {
            id,
            event_type,
            conversation_id,
            webhook_id,
            body: body.into(),
            retry: 0,
            forged: None,
        }
    }

    /// The payload that is signed when the event is sent at `sent_ms`, Unix milliseconds.
    pub(crate) fn parcel(&self, tenant: &str, customer_id: &str, sent_ms: i64) -> String {
        signer::Parcel {
            tenant,
            customer: customer_id,
            event: &self.id,
            retry: self.retry,
            sent_ms,
            body: &self.body,
        }
        .payload()
    }
}
