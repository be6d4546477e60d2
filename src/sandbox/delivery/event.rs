//! An event on its way, and what of it is signed.

use bytes::Bytes;

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
        // The keys must come in this order and without a space between them.
        format!(
            r#"{{"checksum":{},"cid":{},"eid":{},"retry":{},"tid":{},"tt":{}}}"#,
            crc32fast::hash(&self.body),
            serde_json::Value::from(customer_id),
            serde_json::Value::from(self.id.as_str()),
            self.retry,
            serde_json::Value::from(tenant),
            sent_ms,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parcel_is_compact_in_the_vendors_order_and_escaped() {
        let body = r#"{"eventType":"AGENT_JOINED","messageType":"SYSTEM","conversationId":"Aka5NMHU8MtIG7lUQOxI0DTOvM4","agentId":"cmalutan","agentName":"Cosmin,Malutan","timestamp":1629804577002}"#;
        let mut event = Event::new("e1".to_owned(), "AGENT_JOINED", None, "w".to_owned(), body);
        event.retry = 3;
        assert_eq!(
            event.parcel("ten\"ant", "cust", 1_700_000_000_000),
            r#"{"checksum":1564621066,"cid":"cust","eid":"e1","retry":3,"tid":"ten\"ant","tt":1700000000000}"#
        );
    }
}
