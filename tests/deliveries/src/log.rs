//! The order that the event log gave to events, which every receiver must see: read from a stream of everything.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    time::Duration,
};

use chatbridge_client::{
    Client,
    v1::{
        AgentEventsRequest, GapPolicy, StartPosition, agent_events_request::Start,
        agent_events_response::Payload,
    },
};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use crate::{Result, vendor::TENANT};

/// The longest time that anything may take to come.
const SILENCE: Duration = Duration::from_secs(30);
/// After how many heartbeats in a row there is nothing more.
const IDLE_HEARTBEATS: u32 = 2;

/// The events of each conversation, by the vendor's number, in the log's order.
pub type Order = HashMap<String, Vec<u64>>;

/// Reads the log until all of these events have come, or nothing more comes.
pub async fn read(grpc: SocketAddr, wanted: &HashSet<String>) -> Result<Order> {
    let client = Client::builder(format!("http://{grpc}"))
        .tenant(TENANT)
        .connect_lazy()?;
    let mut events = client.agent_events(AgentEventsRequest {
        start: Some(Start::Position(StartPosition::Earliest.into())),
        gap_policy: GapPolicy::Earliest.into(),
        ..AgentEventsRequest::default()
    });
    let (mut order, mut missing, mut idle) = (Order::new(), wanted.clone(), 0);
    while !missing.is_empty() && idle < IDLE_HEARTBEATS {
        let next = timeout(SILENCE, events.next())
            .await
            .map_err(|_| "the log fell silent")?;
        let response = next.ok_or("the stream of the log ended")??;
        match response.payload {
            Some(Payload::Event(event)) => {
                idle = 0;
                missing.remove(&event.event_id);
                let number = event.event_id.strip_prefix("evt-");
                if let Some(number) = number.and_then(|number| number.parse().ok()) {
                    order.entry(event.conversation_id).or_default().push(number);
                }
            }
            Some(Payload::Gap(gap)) => return Err(format!("the log has a gap: {:?}", gap.reason()).into()),
            _ => idle += 1,
        }
    }
    Ok(order)
}
