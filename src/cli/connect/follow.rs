//! A stream of events that comes back after a break, from where it was.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use super::{
    CliError, Server,
    error::{describe, local_cause, why_unreachable},
};
use crate::{
    cli::render::ending_words,
    grpc::proto::{
        AgentEventsRequest, AgentEventsResponse, Ending, GapPolicy, ReconnectAdvice,
        agent_event_service_client::AgentEventServiceClient, agent_events_request::Start,
        agent_events_response::Payload,
    },
};

/// The contract promises a heartbeat every 20 s, and each heartbeat says how often this server sends one: twice that without a word,
/// and the connection is dead. This is for as long as none has said.
const SILENCE: Duration = Duration::from_secs(40);
/// The first wait before a reconnect, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// The longest that a server can make us wait.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// An event may carry its raw body beside the parsed one.
const LARGEST_RESPONSE: usize = 64 << 20;

/// What came of waiting.
#[derive(Debug)]
pub(crate) enum Followed {
    /// A response. Once the next one is asked for, a reconnect starts behind this one.
    Response(Box<AgentEventsResponse>),
    /// The stream broke or ended; the next call waits and connects again.
    Interrupted {
        /// Why, in words.
        why: String,
        /// How long the wait is.
        wait: Duration,
    },
}

/// A stream of events that is resumed from the last cursor.
#[derive(Debug)]
pub(crate) struct Follow {
    server: Server,
    request: AgentEventsRequest,
    stream: Option<Streaming<AgentEventsResponse>>,
    silence: Duration,
    /// When the silence has lasted too long. Kept here, so that a wait that is dropped and begun anew does not start over.
    silent_until: Option<Instant>,
    /// When to connect again.
    reconnect_at: Option<Instant>,
    /// Attempts without a response since the last one.
    failures: u32,
    /// Whether there ever was a response: before that, a server that cannot be spoken to is an error, not a break.
    heard: bool,
    /// What the server said when it ended the stream.
    ending: Option<Ending>,
}

impl Follow {
    /// Follows what `request` asks for; nothing is opened before the first [`Follow::next`].
    pub(crate) fn new(server: Server, request: AgentEventsRequest) -> Self {
        Self {
            server,
            request,
            stream: None,
            silence: SILENCE,
            silent_until: None,
            reconnect_at: None,
            failures: 0,
            heard: false,
            ending: None,
        }
    }

    /// Waits for the next response or break. Nothing is lost where the wait is dropped and begun anew.
    ///
    /// # Errors
    /// What a reconnect would not cure: a server that cannot be reached at all, a refused request, a gap under the policy
    /// to fail, an ending that says never.
    pub(crate) async fn next(&mut self) -> Result<Followed, CliError> {
        if let Some(ending) = self.ending.take() {
            return self.ended(&ending);
        }
        if let Some(at) = self.reconnect_at {
            sleep_until(at).await;
            self.reconnect_at = None;
        }
        let until = *self
            .silent_until
            .get_or_insert_with(|| Instant::now() + self.silence);
        match timeout_at(until, self.receive()).await {
            Ok(Ok(Some(response))) => Ok(self.accept(response)),
            Ok(Ok(None)) => {
                Ok(self.interrupt("the server closed the stream without saying why".to_owned(), None))
            }
            Ok(Err(status)) => self.failed(&status),
            Err(_) => {
                let why = format!(
                    "nothing came for {} s, so the connection is dead",
                    self.silence.as_secs()
                );
                Ok(self.interrupt(why, None))
            }
        }
    }

    async fn receive(&mut self) -> Result<Option<AgentEventsResponse>, Status> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                // A channel of its own for each attempt: the old connection may be dead without knowing it, and a new
                // one may reach another replica.
                let mut client = AgentEventServiceClient::new(self.server.connect_lazily())
                    .max_decoding_message_size(LARGEST_RESPONSE);
                none.insert(client.agent_events(self.request.clone()).await?.into_inner())
            }
        };
        stream.message().await
    }

    fn accept(&mut self, response: AgentEventsResponse) -> Followed {
        self.heard = true;
        self.silent_until = None;
        match &response.payload {
            Some(Payload::Ending(ending)) => self.ending = Some(*ending),
            Some(Payload::Heartbeat(beat)) => {
                self.failures = 0;
                let told = beat.interval.and_then(|told| Duration::try_from(told).ok());
                if let Some(interval) = told.filter(|told| !told.is_zero()) {
                    self.silence = interval.saturating_mul(2);
                }
            }
            _ => self.failures = 0,
        }
        if !response.cursor.is_empty() && !is_fatal_gap(&response, self.request.gap_policy()) {
            self.request.start = Some(Start::Cursor(response.cursor.clone()));
        }
        Followed::Response(Box::new(response))
    }

    fn failed(&mut self, status: &Status) -> Result<Followed, CliError> {
        let local = local_cause(status);
        let asked = status.get_details_retry_info().and_then(|info| info.retry_delay);
        let passing = status.code() == Code::Unavailable
            || (status.code() == Code::ResourceExhausted && asked.is_some());
        match local {
            Some(_) if !self.heard => Err(CliError::call("follow the events", self.server.url(), status)),
            Some(cause) => Ok(self.interrupt(why_unreachable(self.server.url(), cause), None)),
            None if passing => Ok(self.interrupt(describe(status), asked)),
            None => Err(CliError::call("follow the events", self.server.url(), status)),
        }
    }

    fn ended(&mut self, ending: &Ending) -> Result<Followed, CliError> {
        let why = ending_words(ending);
        match ending.reconnect() {
            ReconnectAdvice::Never => Err(CliError::Failed(format!(
                "{why}, and the server says not to reconnect"
            ))),
            ReconnectAdvice::Now => Ok(self.interrupt(why.to_owned(), Some(Duration::ZERO))),
            ReconnectAdvice::Later | ReconnectAdvice::Unspecified => {
                let wait = ending.retry_after.and_then(|d| Duration::try_from(d).ok());
                Ok(self.interrupt(why.to_owned(), wait))
            }
        }
    }

    /// Drops the stream, and has the next call connect again after `wait`, or after a wait that grows with each failure.
    fn interrupt(&mut self, why: String, wait: Option<Duration>) -> Followed {
        self.stream = None;
        self.silent_until = None;
        let wait = match wait {
            // Everybody is told at the same moment; nobody should come back at the same moment.
            Some(told) => told.min(LONGEST_WAIT) + BACKOFF.0.mul_f64(rand::random()),
            None => backoff(self.failures).mul_f64(rand::random_range(0.5..1.0)),
        };
        self.failures = self.failures.saturating_add(1);
        self.reconnect_at = Some(Instant::now() + wait);
        Followed::Interrupted { why, wait }
    }
}

/// Whether this is the gap after which the server ends the stream. Its cursor lies behind the gap: to go on from there
/// would be to skip silently what the caller did not want to skip.
pub(crate) fn is_fatal_gap(response: &AgentEventsResponse, policy: GapPolicy) -> bool {
    matches!(response.payload, Some(Payload::Gap(_)))
        && matches!(policy, GapPolicy::Fail | GapPolicy::Unspecified)
}

/// The longest wait after so many failures in a row.
fn backoff(failures: u32) -> Duration {
    BACKOFF.0.saturating_mul(1 << failures.min(16)).min(BACKOFF.1)
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::{
        super::fake::{Fake, Script, Then, cuttable, ending, event, heartbeat, queued},
        *,
    };
    use crate::grpc::proto::{EndingReason, Gap, StartPosition};

    const LATEST: Start = Start::Position(StartPosition::Latest as i32);

    fn follow(url: &str) -> Follow {
        let request = AgentEventsRequest {
            start: Some(LATEST),
            ..AgentEventsRequest::default()
        };
        Follow::new(Server::new(url).unwrap(), request)
    }

    /// The cursors of the responses, and the reasons of the breaks, until the first error or `count` of them.
    async fn heard(follow: &mut Follow, count: usize) -> (Vec<String>, Option<String>) {
        let mut heard = Vec::new();
        while heard.len() < count {
            match follow.next().await {
                Ok(Followed::Response(response)) => {
                    heard.push(String::from_utf8(response.cursor.to_vec()).unwrap());
                }
                Ok(Followed::Interrupted { why, .. }) => heard.push(format!("broken: {why}")),
                Err(error) => return (heard, Some(error.to_string())),
            }
        }
        (heard, None)
    }

    fn starts(fake: &Fake) -> Vec<Start> {
        fake.opened()
            .into_iter()
            .map(|request| request.start.unwrap())
            .collect()
    }

    fn cursor(cursor: &'static str) -> Start {
        Start::Cursor(cursor.into())
    }

    #[tokio::test]
    async fn it_resumes_from_the_last_cursor_after_unavailable_and_after_a_close() {
        let fake = Fake::new(vec![
            Script::new(
                vec![heartbeat("a"), event("b", 1, queued("Q"))],
                Then::Fails(Status::unavailable("Redis is down")),
            ),
            Script::new(vec![event("c", 2, queued("Q"))], Then::Closes),
            Script::new(vec![heartbeat("d")], Then::Hangs),
        ]);
        let (url, _server) = fake.serve().await;
        let (heard, error) = heard(&mut follow(&url), 6).await;
        assert_eq!(error, None);
        assert_eq!(
            heard,
            [
                "a",
                "b",
                "broken: Redis is down (Unavailable); try again in a moment",
                "c",
                "broken: the server closed the stream without saying why",
                "d"
            ]
        );
        assert_eq!(starts(&fake), [LATEST, cursor("b"), cursor("c")]);
    }

    #[tokio::test]
    async fn a_connection_that_breaks_is_made_anew() {
        let fake = Fake::new(vec![
            Script::new(vec![heartbeat("a")], Then::Hangs),
            Script::new(vec![heartbeat("b")], Then::Hangs),
        ]);
        let (url, _server) = fake.serve().await;
        let (through, pipe) = cuttable(&url).await;
        let mut follow = follow(&through);
        assert_eq!(heard(&mut follow, 1).await.0, ["a"]);
        pipe.abort();
        let (broken, error) = heard(&mut follow, 1).await;
        assert!(broken[0].starts_with("broken: "), "{broken:?} {error:?}");
        // Nobody listens there any more; a server that was heard once is waited for.
        let (refused, error) = heard(&mut follow, 1).await;
        assert!(refused[0].contains("nothing listens at"), "{refused:?} {error:?}");
        follow.server = Server::new(&url).unwrap();
        assert_eq!(heard(&mut follow, 1).await.0, ["b"]);
        assert_eq!(starts(&fake), [LATEST, cursor("a")]);
    }

    #[tokio::test]
    async fn silence_of_twice_what_the_heartbeat_says_is_a_dead_connection() {
        let mut first = heartbeat("a");
        if let Some(Payload::Heartbeat(beat)) = &mut first.payload {
            beat.interval = Some(prost_types::Duration {
                seconds: 0,
                nanos: 500_000_000,
            });
        }
        let fake = Fake::new(vec![
            Script::new(vec![first], Then::Hangs),
            Script::new(vec![heartbeat("b")], Then::Hangs),
        ]);
        let (url, _server) = fake.serve().await;
        let mut follow = follow(&url);
        let (heard, _) = heard(&mut follow, 3).await;
        assert_eq!(
            heard,
            [
                "a",
                "broken: nothing came for 1 s, so the connection is dead",
                "b"
            ]
        );
    }

    #[tokio::test]
    async fn a_wait_that_is_dropped_loses_nothing() {
        let (feed, later) = tokio::sync::mpsc::unbounded_channel();
        let fake = Fake::new(vec![Script::new(vec![heartbeat("a")], Then::Feeds(later))]);
        let (url, _server) = fake.serve().await;
        let mut follow = follow(&url);
        assert_eq!(heard(&mut follow, 1).await.0, ["a"]);
        assert!(
            tokio::time::timeout(Duration::from_millis(20), follow.next())
                .await
                .is_err()
        );
        feed.send(event("b", 1, queued("Q"))).unwrap();
        assert_eq!(heard(&mut follow, 1).await.0, ["b"]);
        assert_eq!(fake.opened().len(), 1);
    }

    #[tokio::test]
    async fn an_ending_that_says_now_is_followed_and_one_that_says_never_is_not() {
        let fake = Fake::new(vec![
            Script::new(
                vec![ending("a", EndingReason::MaxAge, ReconnectAdvice::Now)],
                Then::Closes,
            ),
            Script::new(
                vec![ending("b", EndingReason::Unauthorized, ReconnectAdvice::Never)],
                Then::Closes,
            ),
        ]);
        let (url, _server) = fake.serve().await;
        let (heard, error) = heard(&mut follow(&url), 9).await;
        assert_eq!(heard, ["a", "broken: the stream reached its maximum age", "b"]);
        assert_eq!(
            error.unwrap(),
            "the right to read these events ended, and the server says not to reconnect"
        );
        assert_eq!(starts(&fake), [LATEST, cursor("a")]);
    }

    #[tokio::test]
    async fn the_servers_wait_is_kept() {
        let mut last = ending("a", EndingReason::Draining, ReconnectAdvice::Later);
        if let Some(Payload::Ending(ending)) = &mut last.payload {
            ending.retry_after = Some(prost_types::Duration { seconds: 7, nanos: 0 });
        }
        let fake = Fake::new(vec![Script::new(vec![last], Then::Closes)]);
        let (url, _server) = fake.serve().await;
        let mut follow = follow(&url);
        follow.next().await.unwrap();
        let Followed::Interrupted { wait, .. } = follow.next().await.unwrap() else {
            panic!("no break")
        };
        assert!((7.0..7.5).contains(&wait.as_secs_f64()), "{wait:?}");
    }

    #[tokio::test]
    async fn a_gap_under_the_policy_to_fail_ends_it_and_is_not_skipped() {
        let gap = AgentEventsResponse {
            share: 0,
            cursor: "behind".into(),
            payload: Some(Payload::Gap(Gap::default())),
        };
        let details = ErrorDetails::with_error_info("CURSOR_GAP", "chatbridge", []);
        let status = Status::with_error_details(Code::OutOfRange, "events are gone", details);
        let fake = Fake::new(vec![Script::new(vec![heartbeat("a"), gap], Then::Fails(status))]);
        let (url, _server) = fake.serve().await;
        let mut follow = follow(&url);
        let (heard, error) = heard(&mut follow, 9).await;
        assert_eq!(heard, ["a", "behind"]);
        assert_eq!(
            error.unwrap(),
            "could not follow the events: events are gone (CURSOR_GAP); \
             go on past the gap with --on-gap earliest or --on-gap latest"
        );
        assert_eq!(follow.request.start, Some(cursor("a")));
    }

    #[tokio::test]
    async fn nobody_listening_at_the_start_is_an_error() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", free.local_addr().unwrap());
        drop(free);
        let (_, error) = heard(&mut follow(&url), 1).await;
        let error = error.unwrap();
        assert!(
            error.starts_with("could not follow the events: nothing listens at http://127.0.0.1:"),
            "{error}"
        );
    }

    #[test]
    fn waits_grow_and_end() {
        let waits: Vec<_> = (0..8).map(|n| backoff(n).as_millis()).collect();
        assert_eq!(waits, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(backoff(u32::MAX), BACKOFF.1);
    }
}
