//! Streams, as an application uses them.

use std::{sync::Arc, time::Duration};

use chatbridge_client::{AgentEvents, Changer, Error, v1};
use futures_util::StreamExt as _;
use prost::Message as _;
use tokio::{sync::Mutex, time::Instant};

use crate::{
    answer::{self, Wrong},
    protocol::{self, response::Result as Answer},
};

#[derive(Clone)]
pub(crate) struct Stream {
    events: Arc<Mutex<Option<AgentEvents>>>,
    changer: Changer,
    /// Tells a `take` that waits that the stream is closed.
    closing: tokio_util::sync::CancellationToken,
}

impl Stream {
    pub(crate) fn new(events: AgentEvents) -> Self {
        let changer = events.changer();
        Self {
            events: Arc::new(Mutex::new(Some(events))),
            changer,
            closing: tokio_util::sync::CancellationToken::new(),
        }
    }

    pub(crate) async fn take(self, command: protocol::Take) -> Answer {
        let mut events = self.events.lock().await;
        let mut taken = protocol::Taken::default();
        let Some(events) = events.as_mut() else {
            taken.ended = true;
            return Answer::Taken(taken);
        };
        let timeout = command
            .timeout
            .and_then(|timeout| Duration::try_from(timeout).ok());
        let until = Instant::now() + timeout.unwrap_or(Duration::from_secs(3600));
        let pause = command
            .pause
            .and_then(|pause| Duration::try_from(pause).ok())
            .unwrap_or_default();
        let mut counted = 0;
        while counted < command.count.max(1) {
            let next = tokio::select! {
                biased;
                () = self.closing.cancelled() => { taken.ended = true; break; }
                next = tokio::time::timeout_at(until, events.next()) => next,
            };
            match next {
                Err(_) => break,
                Ok(None) => {
                    taken.ended = true;
                    break;
                }
                Ok(Some(Err(error))) => {
                    taken.ended = true;
                    taken.error = Some(answer::tell(&error));
                    break;
                }
                Ok(Some(Ok(response))) => {
                    counted += i32::from(command.payload.is_empty() || command.payload == payload(&response));
                    let is_event = payload(&response) == "event";
                    taken.responses.push(response.encode_to_vec().into());
                    if is_event && !pause.is_zero() {
                        tokio::time::sleep(pause).await;
                    }
                }
            }
        }
        taken.cursor = events.cursor().clone();
        Answer::Taken(taken)
    }

    pub(crate) async fn change(
        self,
        request: v1::ChangeAgentEventsRequest,
    ) -> Result<Result<(), Error>, Wrong> {
        Ok(self.changer.change(request).await)
    }

    /// Ends the stream; whoever takes from it sees it end.
    pub(crate) async fn close(self) -> Result<(), Error> {
        self.closing.cancel();
        match self.events.lock().await.as_mut() {
            Some(events) => events.close().await,
            None => Ok(()),
        }
    }
}

/// The name of what a response has.
fn payload(response: &v1::AgentEventsResponse) -> &'static str {
    use v1::agent_events_response::Payload;

    match response.payload {
        Some(Payload::Event(_)) => "event",
        Some(Payload::Heartbeat(_)) => "heartbeat",
        Some(Payload::Gap(_)) => "gap",
        Some(Payload::Ending(_)) => "ending",
        Some(Payload::Changed(_)) => "changed",
        None => "",
    }
}
