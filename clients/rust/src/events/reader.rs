//! Reads a stream over as many connections as it takes.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use http::uri::PathAndQuery;
use tokio::{sync::mpsc, time::Instant};
use tonic::{Code, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::{
    Client, Error,
    connection::Connection,
    methods::AGENT_EVENTS,
    status::duration,
    token::Token,
    v1::{
        AgentEventsRequest, AgentEventsResponse, Ending, ReconnectAdvice, agent_events_request::Start,
        agent_events_response::Payload,
    },
};

use super::{
    StreamOptions,
    breaks::{fails_at_gaps, gap, passes, silent, unexplained},
    changes::Changes,
};

/// How often in a row a function may give a token that is refused.
const REFUSED_MAX: u32 = 3;

pub(super) struct Reader {
    client: Client,
    request: AgentEventsRequest,
    options: StreamOptions,
    changes: Arc<Changes>,
    given: mpsc::Sender<Result<AgentEventsResponse, Error>>,
    attempt: u32,
    refused: u32,
}

/// What one connection saw.
struct Held {
    opened: Instant,
    /// Since when it has been answering; `None`: it never did.
    answering: Option<Instant>,
    silence_max: Duration,
    /// Whether events are gone, and the request says to fail then.
    gap_fails: bool,
}

/// How one connection ended.
enum End {
    /// With an error, or in silence, where it is given up.
    Broke(Error),
    /// The server said that it would.
    Ending(Ending),
    /// Nobody takes the responses any more.
    Abandoned,
}

impl Reader {
    pub(super) fn new(
        client: Client,
        request: AgentEventsRequest,
        options: StreamOptions,
        changes: Arc<Changes>,
        given: mpsc::Sender<Result<AgentEventsResponse, Error>>,
    ) -> Self {
        Self {
            client,
            request,
            options,
            changes,
            given,
            attempt: 0,
            refused: 0,
        }
    }

    pub(super) async fn run(mut self) {
        let result = self.read().await;
        self.changes.over();
        if let Err(error) = result {
            // Whoever ended the stream does not hear of it.
            let _ = self.given.send(Err(error)).await;
        }
    }

    async fn read(&mut self) -> Result<(), Error> {
        if let Some(hooks) = &self.options.hooks {
            if !self.request.subscription.is_empty() {
                return Err(Error::Usage(
                    "a subscription keeps its place itself: it takes no cursor hooks".to_owned(),
                ));
            }
            if let Some(cursor) = Arc::clone(hooks).load().await? {
                self.request.start = Some(Start::Cursor(cursor));
            }
        }
        loop {
            let mut held = Held {
                opened: Instant::now(),
                answering: None,
                silence_max: self.client.settings().streams.silence_max,
                gap_fails: false,
            };
            let end = Box::pin(self.hold(&mut held)).await;
            self.changes.broke();
            let stable_after = self.client.settings().streams.stable_after;
            if held
                .answering
                .is_some_and(|since| since.elapsed() >= stable_after)
            {
                self.attempt = 0;
            }
            let end = end?;
            if held.gap_fails && !matches!(&end, End::Broke(error) if !self.is_break(error)) {
                // What the server was about to say.
                return Err(gap());
            }
            match end {
                End::Abandoned => return Ok(()),
                End::Ending(ending) if !self.options.resume => {
                    tracing::debug!(
                        reason = ending.reason().as_str_name(),
                        "the server ended a stream of events"
                    );
                    return Ok(());
                }
                End::Ending(ending) => self.obey(ending).await?,
                End::Broke(error) => self.recover(error).await?,
            }
        }
    }

    /// Reads one connection. What is raised here is not mended by another.
    async fn hold(&mut self, held: &mut Held) -> Result<End, Error> {
        // While the application holds the stream up, nothing is opened or read, and no clock runs.
        let Ok(mut permit) = self.given.clone().reserve_owned().await else {
            return Ok(End::Abandoned);
        };
        held.opened = Instant::now();
        let first_within = self.client.settings().streams.first_within;
        let (connection, mut stream) = match tokio::time::timeout(first_within, Box::pin(self.open())).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return Ok(End::Broke(error)),
            Err(_) => return Ok(End::Broke(silent(first_within))),
        };
        let mut anew: Option<BoxFuture<'static, Result<(), Error>>> = None;
        loop {
            let limit = if held.answering.is_some() {
                held.silence_max
            } else {
                first_within
            };
            let waited = if held.answering.is_some() {
                Duration::ZERO
            } else {
                held.opened.elapsed()
            };
            let silence = tokio::time::sleep(limit.saturating_sub(waited));
            tokio::pin!(silence);
            let message = loop {
                tokio::select! {
                    biased;
                    message = stream.message() => break message,
                    made = async { match &mut anew { Some(anew) => anew.await, None => std::future::pending().await } } => {
                        anew = None;
                        made?;
                    }
                    () = &mut silence => {
                        // It may be dead without either side knowing: whoever connects next uses another.
                        connection.give_up();
                        return Ok(End::Broke(silent(limit)));
                    }
                }
            };
            let response = match message {
                Ok(Some(response)) => response,
                Ok(None) => return Ok(End::Broke(unexplained())),
                Err(status) => {
                    return Ok(End::Broke(self.client.failed(
                        &connection,
                        &status,
                        &AGENT_EVENTS,
                    )));
                }
            };
            held.answering.get_or_insert_with(Instant::now);
            let ending = self.note(&response, held);
            permit.send(Ok(response));
            if let Some(ending) = ending {
                return Ok(End::Ending(ending));
            }
            if anew.is_none() && self.changes.has_lost() {
                let (changes, client) = (Arc::clone(&self.changes), self.client.clone());
                anew = Some(Box::pin(async move { changes.make_anew(&client).await }));
            }
            match self.given.clone().reserve_owned().await {
                Ok(next) => permit = next,
                Err(_) => return Ok(End::Abandoned),
            }
        }
    }

    async fn open(&mut self) -> Result<(Connection, Streaming<AgentEventsResponse>), Error> {
        if self.request.changeable {
            self.request.conversation_ids = self.changes.conversation_ids();
        }
        let connection = self.client.pick().await?;
        let request = self.client.request(self.request.clone()).await?;
        let mut grpc = self.client.grpc(&connection);
        let codec = ProstCodec::<AgentEventsRequest, AgentEventsResponse>::default();
        let opened = async {
            grpc.ready()
                .await
                .map_err(|error| Status::from_error(error.into()))?;
            grpc.server_streaming(request, PathAndQuery::from_static(AGENT_EVENTS.path), codec)
                .await
        };
        match opened.await {
            Ok(response) => Ok((connection, response.into_inner())),
            Err(status) => Err(self.client.failed(&connection, &status, &AGENT_EVENTS)),
        }
    }

    /// Takes from a response what the next connection needs to know.
    fn note(&mut self, response: &AgentEventsResponse, held: &mut Held) -> Option<Ending> {
        self.refused = 0;
        held.gap_fails |= fails_at_gaps(&self.request) && matches!(response.payload, Some(Payload::Gap(_)));
        // A subscription knows by itself where to go on. A gap that fails is not got over: who starts again is to see it again.
        if !response.cursor.is_empty() && self.request.subscription.is_empty() && !held.gap_fails {
            self.request.start = Some(Start::Cursor(response.cursor.clone()));
        }
        match &response.payload {
            Some(Payload::Heartbeat(heartbeat)) => {
                if !heartbeat.stream_id.is_empty() {
                    self.changes.connected(&heartbeat.stream_id);
                }
                let interval = heartbeat.interval.map(duration).unwrap_or_default();
                if !interval.is_zero() {
                    held.silence_max = interval * 2;
                }
                None
            }
            Some(Payload::Changed(changed)) => {
                self.changes.told(changed.revision);
                None
            }
            Some(Payload::Ending(ending)) => Some(*ending),
            _ => None,
        }
    }

    /// Waits as an ending advises.
    async fn obey(&mut self, ending: Ending) -> Result<(), Error> {
        let at_least = match ending.reconnect() {
            ReconnectAdvice::Never => return Err(Error::StreamEnded(ending)),
            ReconnectAdvice::Later => ending.retry_after.map(duration).unwrap_or_default(),
            ReconnectAdvice::Now | ReconnectAdvice::Unspecified => Duration::ZERO,
        };
        let delay = at_least + self.client.settings().streams.backoff.delay(0);
        tracing::info!(
            reason = ending.reason().as_str_name(),
            wait_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
            "the server ended a stream of events, which connects again",
        );
        tokio::time::sleep(delay).await;
        Ok(())
    }

    /// Waits until it is time to connect again, or raises what cannot be mended so.
    async fn recover(&mut self, error: Error) -> Result<(), Error> {
        if !self.options.resume || !self.is_break(&error) {
            return Err(error);
        }
        let delay = error.retry_after().unwrap_or_default()
            + self.client.settings().streams.backoff.delay(self.attempt);
        self.attempt = self.attempt.saturating_add(1);
        tracing::warn!(
            %error,
            wait_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
            "a stream of events broke, and connects again",
        );
        tokio::time::sleep(delay).await;
        Ok(())
    }

    fn is_break(&mut self, error: &Error) -> bool {
        let asked = self
            .client
            .settings()
            .token
            .as_ref()
            .is_some_and(Token::is_function);
        if asked && error.code() == Code::Unauthenticated {
            self.refused += 1;
            return self.refused <= REFUSED_MAX;
        }
        passes(error)
    }
}

impl Drop for Reader {
    /// Tells those who wait to change the stream that there is none any more.
    fn drop(&mut self) {
        self.changes.over();
    }
}
