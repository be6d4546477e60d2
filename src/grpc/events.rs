//! `AgentEventService`: one subscriber as a stream of responses.

use std::{collections::HashSet, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use prost::Message as _;
use rand::RngExt as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{
    check::Check,
    convert,
    encoded::EncodedResponse,
    proto::{self, agent_events_request as ask, encoded::agent_event_service_server::AgentEventService},
};
use crate::{
    error::{Error, VIOLATIONS_MAX, Violation},
    event::EventKind,
    fanout::{Delivery, Filter, GapPolicy, Hub, Start, Subscriber},
    store::{Cursor, GapReason},
    tenant::Tenants,
};

const CONVERSATIONS_MAX: usize = 1000;
/// Far more than there are kinds.
const KINDS_MAX: usize = 100;
/// How long a new stream waits for the live feed before it is refused.
const JOIN_WAIT: Duration = Duration::from_secs(1);

/// Field numbers of the payload of `chatbridge.v1.AgentEventsResponse`.
#[derive(Clone, Copy)]
enum Payload {
    Event = 2,
    Heartbeat = 3,
    Gap = 4,
    Ending = 5,
}

/// How streams live and end.
#[derive(Debug, Clone)]
pub struct StreamSettings {
    /// The longest silence on a stream.
    pub heartbeat: Duration,
    /// After which age a stream is ended, give or take a tenth.
    pub max_age: Duration,
    /// Over which time the streams are ended when the service stops.
    pub drain_spread: Duration,
}

/// The service.
pub struct Service {
    /// Where entries come from.
    pub hub: Arc<Hub>,
    /// Whose they may be.
    pub tenants: Tenants,
    /// How streams live and end.
    pub settings: StreamSettings,
    /// Cancelled when the service stops.
    pub drain: CancellationToken,
}

#[tonic::async_trait]
impl AgentEventService for Service {
    type AgentEventsStream = Pin<Box<dyn Stream<Item = Result<EncodedResponse, Status>> + Send>>;

    async fn agent_events(
        &self,
        request: Request<proto::AgentEventsRequest>,
    ) -> Result<Response<Self::AgentEventsStream>, Status> {
        let request = request.into_inner();
        if self.drain.is_cancelled() {
            return Err(Error::Draining.into());
        }
        let tenant = self.tenants.resolve(&request.tenant)?;
        let (filter, start, policy) = read(&request, tenant.id.clone())?;
        let mut subscriber = Subscriber::new(Arc::clone(&self.hub), filter, start, policy);
        subscriber.join(JOIN_WAIT).await?;
        let events = EventStream::new(
            subscriber,
            request.include_raw,
            self.settings.clone(),
            self.drain.clone(),
        );
        let responses = stream::unfold(Box::new(events), |mut events| async move {
            events.next().await.map(|response| (response, events))
        });
        Ok(Response::new(Box::pin(responses)))
    }
}

/// What a request asks for, checked.
fn read(
    request: &proto::AgentEventsRequest,
    tenant: crate::event::TenantId,
) -> Result<(Filter, Start, GapPolicy), Error> {
    let mut wrong = Vec::new();
    if request.conversation_ids.len() > CONVERSATIONS_MAX {
        wrong.push(Violation::new(
            "conversation_ids",
            format!(
                "has {} items; at most {CONVERSATIONS_MAX} are allowed",
                request.conversation_ids.len()
            ),
        ));
    }
    if request.kinds.len() > KINDS_MAX {
        let problem = format!(
            "has {} items; at most {KINDS_MAX} are allowed",
            request.kinds.len()
        );
        wrong.push(Violation::new("kinds", problem));
    }
    // Of a list that is too long, no more is read: the request fails in any case.
    for (i, id) in request
        .conversation_ids
        .iter()
        .take(CONVERSATIONS_MAX)
        .enumerate()
    {
        let mut check = Check::default();
        check.identifier("", id);
        if check.done(()).is_err() {
            let problem = "is not an identifier: 1 to 256 bytes without control characters";
            wrong.push(Violation::new(format!("conversation_ids[{i}]"), problem));
        }
    }
    let mut kinds = HashSet::new();
    for (i, kind) in request.kinds.iter().take(KINDS_MAX).enumerate() {
        let known = (EventKind::ConversationUpdated as i32..=EventKind::Unknown as i32).contains(kind);
        if !known {
            wrong.push(Violation::new(format!("kinds[{i}]"), "is not a kind of event"));
        }
        kinds.insert(*kind);
    }
    let policy = match proto::GapPolicy::try_from(request.gap_policy) {
        Ok(proto::GapPolicy::Unspecified | proto::GapPolicy::Fail) => GapPolicy::Fail,
        Ok(proto::GapPolicy::Earliest) => GapPolicy::Earliest,
        Ok(proto::GapPolicy::Latest) => GapPolicy::Latest,
        Err(_) => {
            let known = "is not a policy: FAIL, EARLIEST or LATEST";
            wrong.push(Violation::new("gap_policy", known));
            GapPolicy::Fail
        }
    };
    let start = start(request, &mut wrong)?;
    if !wrong.is_empty() {
        wrong.truncate(VIOLATIONS_MAX);
        return Err(Error::Invalid(wrong));
    }
    let filter = Filter {
        tenant,
        conversations: request.conversation_ids.iter().cloned().collect(),
        kinds,
        echoes: request.include_echoes,
    };
    Ok((filter, start, policy))
}

fn start(request: &proto::AgentEventsRequest, wrong: &mut Vec<Violation>) -> Result<Start, Error> {
    Ok(match &request.start {
        None => Start::Latest,
        Some(ask::Start::Cursor(bytes)) => Start::Cursor(Cursor::decode(bytes)?),
        Some(ask::Start::Position(number)) => match proto::StartPosition::try_from(*number) {
            Ok(proto::StartPosition::Earliest) => Start::Earliest,
            Ok(_) => Start::Latest,
            Err(_) => {
                wrong.push(Violation::new(
                    "position",
                    "is not a position: LATEST or EARLIEST",
                ));
                Start::Latest
            }
        },
        Some(ask::Start::Time(time)) => {
            let ms = time
                .seconds
                .checked_mul(1000)
                .and_then(|ms| ms.checked_add(i64::from(time.nanos) / 1_000_000));
            // Before 1970 there is nothing, and the log's times stay below 2^53 ms.
            match ms
                .and_then(|ms| u64::try_from(ms).ok())
                .filter(|ms| *ms < 1 << 53)
            {
                Some(ms) => Start::Time(ms),
                None => {
                    wrong.push(Violation::new("time", "lies before 1970 or too far ahead"));
                    Start::Latest
                }
            }
        }
    })
}

/// One subscriber's responses.
struct EventStream {
    subscriber: Subscriber,
    include_raw: bool,
    settings: StreamSettings,
    drain: CancellationToken,
    drain_delay: Duration,
    /// Set once the service stops.
    drain_at: Option<Instant>,
    ends_at: Instant,
    begun: bool,
    ended: bool,
    _counted: Counted,
}

/// Keeps the number of open streams.
struct Counted;

impl Counted {
    fn new() -> Self {
        metrics::gauge!("chatbridge_streams_active").increment(1.0);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!("chatbridge_streams_active").decrement(1.0);
    }
}

impl EventStream {
    fn new(
        subscriber: Subscriber,
        include_raw: bool,
        settings: StreamSettings,
        drain: CancellationToken,
    ) -> Self {
        let mut random = rand::rng();
        let age = settings.max_age.mul_f64(random.random_range(0.9..=1.1));
        Self {
            subscriber,
            include_raw,
            drain,
            drain_delay: settings.drain_spread.mul_f64(random.random_range(0.0..=1.0)),
            drain_at: None,
            ends_at: Instant::now() + age,
            settings,
            begun: false,
            ended: false,
            _counted: Counted::new(),
        }
    }

    /// The next response; `None` after an ending or an error.
    async fn next(&mut self) -> Option<Result<EncodedResponse, Status>> {
        if self.ended {
            return None;
        }
        if !std::mem::replace(&mut self.begun, true) {
            return Some(Ok(self.heartbeat()));
        }
        let beat_at = Instant::now() + self.settings.heartbeat;
        let delivery = loop {
            let ends_at = self.drain_at.map_or(self.ends_at, |at| at.min(self.ends_at));
            if Instant::now() >= ends_at {
                return Some(Ok(self.end()));
            }
            tokio::select! {
                biased;
                () = self.drain.cancelled(), if self.drain_at.is_none() => {
                    self.drain_at = Some(Instant::now() + self.drain_delay);
                }
                () = tokio::time::sleep_until(ends_at) => {}
                delivery = self.subscriber.next() => break delivery,
                () = tokio::time::sleep_until(beat_at) => match self.subscriber.skip_unmatched() {
                    Some(delivery) => break Ok(delivery),
                    None => return Some(Ok(self.heartbeat())),
                },
            }
        };
        match delivery {
            Ok(delivery) => Some(Ok(self.deliver(&delivery))),
            Err(error) => {
                self.ended = true;
                Some(Err(error.into()))
            }
        }
    }

    fn respond(&self, payload: Payload, pieces: [Bytes; 2]) -> EncodedResponse {
        EncodedResponse {
            cursor: self.subscriber.cursor().encode().into(),
            tag: payload as u32,
            payload: pieces,
        }
    }

    fn heartbeat(&self) -> EncodedResponse {
        let now = jiff::Timestamp::now().as_millisecond();
        let beat = proto::Heartbeat {
            time: Some(convert::timestamp(now)),
        };
        self.respond(Payload::Heartbeat, [beat.encode_to_vec().into(), Bytes::new()])
    }

    fn end(&mut self) -> EncodedResponse {
        self.ended = true;
        let reason = if self.drain_at.is_some() {
            proto::EndingReason::Draining
        } else {
            proto::EndingReason::MaxAge
        };
        let ending = proto::Ending {
            reason: reason.into(),
            reconnect: proto::ReconnectAdvice::Now.into(),
            retry_after: None,
        };
        self.respond(Payload::Ending, [ending.encode_to_vec().into(), Bytes::new()])
    }

    fn deliver(&self, delivery: &Delivery) -> EncodedResponse {
        match delivery {
            Delivery::Entry(entry) => {
                let raw = if self.include_raw && !entry.raw.is_empty() {
                    let raw = proto::AgentEvent {
                        raw_json: entry.raw.clone(),
                        ..proto::AgentEvent::default()
                    };
                    raw.encode_to_vec().into()
                } else {
                    Bytes::new()
                };
                self.respond(Payload::Event, [entry.event.clone(), raw])
            }
            Delivery::Gap(gap, after_ms) => {
                let reason = match gap.reason {
                    GapReason::Trimmed => proto::GapReason::Trimmed,
                    GapReason::Wiped => proto::GapReason::Wiped,
                    GapReason::Rewound => proto::GapReason::Rewound,
                };
                let gap = proto::Gap {
                    reason: reason.into(),
                    missed_at_most: gap.missed_at_most,
                    after_time: after_ms.map(|ms| convert::timestamp(ms.cast_signed())),
                };
                self.respond(Payload::Gap, [gap.encode_to_vec().into(), Bytes::new()])
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{error::VIOLATIONS_MAX, event::TenantId};

    #[test]
    fn a_request_of_nothing_but_mistakes_makes_a_short_list() {
        let request = proto::AgentEventsRequest {
            kinds: vec![99; 100_000],
            conversation_ids: vec![String::new(); 100_000],
            ..Default::default()
        };
        let Err(Error::Invalid(violations)) = read(&request, TenantId::new("t")) else {
            panic!("it is taken");
        };
        assert_eq!(violations.len(), VIOLATIONS_MAX);
    }

    #[test]
    fn a_policy_that_is_not_known_is_not_taken_for_another() {
        let read = |gap_policy: i32| {
            let request = proto::AgentEventsRequest {
                gap_policy,
                ..proto::AgentEventsRequest::default()
            };
            read(&request, TenantId::new("t"))
        };
        for known in 0..=3 {
            assert!(read(known).is_ok(), "{known}");
        }
        for unknown in [-1, 4, 99] {
            let Err(Error::Invalid(named)) = read(unknown) else {
                panic!("{unknown} is taken");
            };
            assert_eq!(named[0].field, "gap_policy");
        }
    }

    #[test]
    fn no_time_is_too_far_away_to_be_refused() {
        for (seconds, nanos) in [
            (i64::MAX / 1000, i32::MAX),
            (i64::MIN / 1000, i32::MIN),
            (i64::MAX, 0),
            (i64::MIN, -1),
        ] {
            let request = proto::AgentEventsRequest {
                start: Some(ask::Start::Time(prost_types::Timestamp { seconds, nanos })),
                ..proto::AgentEventsRequest::default()
            };
            let refused = read(&request, crate::event::TenantId::new("t"));
            assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        }
    }
}
