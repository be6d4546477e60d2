//! One subscriber's responses: events, heartbeats in silence, and an ending.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use prost::Message as _;
use rand::RngExt as _;
use tokio::time::{Instant, Sleep};
use tonic::Status;

use super::{
    changing::Changeable,
    drain::{Drain, Waiting},
    packed::{Packed, Pieces},
    rights::{Lost, Rights},
    watchdog::{About, Watchdog, Watched},
};
use crate::{
    error::Error,
    fanout::Delivery,
    grpc::{
        convert,
        gate::Admitted,
        line::Line,
        proto::{self, EndingReason, ReconnectAdvice},
        source::{self, Source, Told},
        traced::Delivering,
    },
    store::{Entry, Gap, GapReason},
};

/// A stream that was too slow may come back after this.
const SLOW_RETRY: Duration = Duration::from_secs(5);

/// Field numbers of the payload of `chatbridge.v1.AgentEventsResponse`.
#[derive(Clone, Copy)]
enum Payload {
    Event = 2,
    Heartbeat = 3,
    Gap = 4,
    Ending = 5,
    Changed = 6,
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
    /// How many entries a stream may be behind while it does not gain; 0: any number.
    pub lag_max: u64,
}

/// One subscriber's responses.
pub(super) struct EventStream {
    source: Source,
    include_raw: bool,
    settings: Arc<StreamSettings>,
    /// `None` once the service stops.
    drain: Option<Waiting>,
    rights: Rights,
    /// When the caller's credentials end.
    rights_end_at: Option<Instant>,
    ends_at: Instant,
    /// How long it says nothing before it sends a heartbeat.
    silence: Duration,
    /// When a heartbeat is due, if nothing else was sent by then.
    beat_at: Instant,
    /// Rings no later than at the earlier of the two.
    timer: Pin<Box<Sleep>>,
    begun: bool,
    ended: bool,
    /// Set where its conversations may be changed.
    changeable: Option<Box<Changeable>>,
    /// Set where somebody sees to it that it is read.
    watched: Option<Watched>,
    /// Set where spans are made of what is delivered.
    delivering: Option<Box<Delivering>>,
    _counted: Counted,
}

/// Keeps the number of open streams.
struct Counted {
    _admitted: Admitted,
}

impl Counted {
    fn new(admitted: Admitted) -> Self {
        metrics::gauge!("chatbridge_streams_active").increment(1.0);
        Self { _admitted: admitted }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!("chatbridge_streams_active").decrement(1.0);
    }
}

impl EventStream {
    /// The responses of a source.
    pub(super) fn new(
        source: Source,
        include_raw: bool,
        settings: Arc<StreamSettings>,
        drain: Arc<Drain>,
        rights: Rights,
        admitted: Admitted,
    ) -> Self {
        let now = Instant::now();
        let silence = settings.heartbeat;
        let age = drawn_age(settings.max_age);
        let rights_end_at = rights.ends_at();
        Self {
            source,
            include_raw,
            settings,
            drain: Some(Waiting::new(drain)),
            rights,
            rights_end_at,
            ends_at: rights_end_at.map_or(now + age, |end| end.min(now + age)),
            silence,
            beat_at: now,
            timer: Box::pin(tokio::time::sleep_until(now)),
            begun: false,
            ended: false,
            changeable: None,
            watched: None,
            delivering: None,
            _counted: Counted::new(admitted),
        }
    }

    /// The same, of a subscriber that may be changed.
    pub(super) fn with_changes(mut self, changeable: Changeable) -> Self {
        self.changeable = Some(Box::new(changeable));
        self
    }

    /// The same, whose deliveries are traced where that is asked for.
    pub(super) fn traced(mut self, delivering: Option<Box<Delivering>>) -> Self {
        self.delivering = delivering;
        self
    }

    /// The same, over a connection that is cut where the stream is not read.
    pub(super) fn watched(mut self, watchdog: &Arc<Watchdog>, line: Line, about: About) -> Self {
        let subscriber = match &self.source {
            Source::Plain(subscriber) => Some(subscriber.number()),
            Source::Named(_) => None,
        };
        self.watched = Some(watchdog.watch(line, self.ends_at, subscriber, about));
        self
    }

    /// Puts what comes next into `out`. Nothing comes after an error, nor after `None`.
    pub(super) fn poll_response(
        &mut self,
        context: &mut Context<'_>,
        out: &mut Packed,
    ) -> Poll<Option<Result<(), Status>>> {
        if let Some(watched) = &self.watched {
            watched.polled();
        }
        if self.ended {
            return Poll::Ready(None);
        }
        if !std::mem::replace(&mut self.begun, true) {
            let id = self.changeable.as_ref().map(|it| it.id().to_owned());
            self.heartbeat_with(id.unwrap_or_default(), out);
            return Poll::Ready(Some(Ok(())));
        }
        loop {
            let now = Instant::now();
            // In this order: what changes after the first wakes it, and what changed before is seen by the second.
            self.look_for_drain(now, context);
            if let Err(lost) = self.look_at_rights() {
                self.end_without_rights(lost, out);
                return Poll::Ready(Some(Ok(())));
            }
            if now >= self.ends_at {
                self.end_of_life(out);
                return Poll::Ready(Some(Ok(())));
            }
            if let (Some(changeable), Source::Plain(subscriber)) = (&mut self.changeable, &mut self.source) {
                changeable.poll(subscriber, now, context);
            }
            match self.source.poll_next(context) {
                Poll::Ready(Ok(Told::Delivery(delivery))) => {
                    return Poll::Ready(Some(self.deliver(Ok(delivery), now, out)));
                }
                Poll::Ready(Ok(Told::Ended(ended))) => {
                    let (reason, reconnect) = source::ending(ended);
                    self.end(reason, reconnect, None, out);
                    return Poll::Ready(Some(Ok(())));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Some(self.deliver(Err(error), now, out))),
                Poll::Pending => {}
            }
            if now >= self.beat_at {
                return Poll::Ready(Some(match self.source.skip_unmatched() {
                    Some(delivery) => self.deliver(Ok(delivery), now, out),
                    None => {
                        self.heartbeat_with(String::new(), out);
                        Ok(())
                    }
                }));
            }
            let due = self.beat_at.min(self.ends_at);
            let look = self.changeable.as_ref().and_then(|it| it.due());
            let due = look.map_or(due, |look| due.min(look));
            // What is sent puts the heartbeat off, and the timer need not know before it rings.
            if self.timer.deadline() > due || self.timer.is_elapsed() {
                self.timer.as_mut().reset(due);
            }
            if self.timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Looks at them where they may have changed.
    fn look_at_rights(&mut self) -> Result<(), Lost> {
        if !self.rights.may_differ() {
            return Ok(());
        }
        self.rights.look()
    }

    fn end_without_rights(&mut self, lost: Lost, out: &mut Packed) {
        let advice = match lost {
            Lost::Expired => ReconnectAdvice::Now,
            Lost::Revoked => ReconnectAdvice::Never,
        };
        self.end(EndingReason::Unauthorized, advice, None, out);
    }

    /// Once the service stops, the stream ends soon.
    fn look_for_drain(&mut self, now: Instant, context: &mut Context<'_>) {
        if let Some(drain) = &mut self.drain
            && drain.is_over(context)
        {
            self.drain = None;
            let spread = rand::rng().random_range(0.0..=1.0);
            self.ends_at = self.ends_at.min(now + self.settings.drain_spread.mul_f64(spread));
        }
    }

    fn respond(&mut self, payload: Payload, pieces: [&[u8]; 2], now: Instant, out: &mut Packed) {
        self.beat_at = now + self.silence;
        out.put(&Pieces {
            cursor: &self.source.cursor(),
            tag: payload as u32,
            payload: pieces,
            share: self.source.share(),
        });
    }

    fn respond_with(&mut self, payload: Payload, message: &impl prost::Message, out: &mut Packed) {
        self.respond(payload, [&message.encode_to_vec(), &[]], Instant::now(), out);
    }

    fn heartbeat_with(&mut self, stream_id: String, out: &mut Packed) {
        // Streams that began together, as after an outage, are not to beat together.
        let part = rand::rng().random_range(0.75..=1.0);
        self.silence = self.settings.heartbeat.mul_f64(part);
        let now = jiff::Timestamp::now().as_millisecond();
        let beat = proto::Heartbeat {
            time: Some(convert::timestamp(now)),
            stream_id,
            // Settings bound it to 20 s, so it fits.
            interval: self.settings.heartbeat.try_into().ok(),
        };
        self.respond_with(Payload::Heartbeat, &beat, out);
    }

    fn end_of_life(&mut self, out: &mut Packed) {
        if self.rights_end_at.is_some_and(|end| end <= Instant::now()) {
            self.end_without_rights(Lost::Expired, out);
            return;
        }
        let reason = if self.drain.is_none() {
            EndingReason::Draining
        } else {
            EndingReason::MaxAge
        };
        self.end(reason, ReconnectAdvice::Now, None, out);
    }

    fn end(
        &mut self,
        reason: EndingReason,
        reconnect: ReconnectAdvice,
        after: Option<Duration>,
        out: &mut Packed,
    ) {
        self.ended = true;
        self.source.rest();
        let label = match reason {
            EndingReason::Draining => "draining",
            EndingReason::TooSlow => "too_slow",
            EndingReason::TakenOver => "taken_over",
            EndingReason::SubscriptionDeleted => "subscription_deleted",
            EndingReason::Unauthorized => "unauthorized",
            _ => "max_age",
        };
        metrics::counter!("chatbridge_stream_endings_total", "reason" => label).increment(1);
        let ending = proto::Ending {
            reason: reason.into(),
            reconnect: reconnect.into(),
            retry_after: after.and_then(|after| after.try_into().ok()),
        };
        self.respond_with(Payload::Ending, &ending, out);
    }

    fn deliver(
        &mut self,
        delivery: Result<Delivery, Error>,
        now: Instant,
        out: &mut Packed,
    ) -> Result<(), Status> {
        match delivery {
            Ok(Delivery::Entry(entry)) => self.deliver_entry(&entry, now, out),
            Ok(Delivery::Gap(gap, after_ms)) => {
                self.respond_with(Payload::Gap, &gap_message(gap, after_ms), out);
            }
            Ok(Delivery::Changed(revision)) => {
                if let Some(changeable) = &mut self.changeable {
                    changeable.applied(revision);
                }
                self.respond_with(Payload::Changed, &proto::Changed { revision }, out);
            }
            Ok(Delivery::TooSlow) => {
                self.end(
                    EndingReason::TooSlow,
                    ReconnectAdvice::Later,
                    Some(SLOW_RETRY),
                    out,
                );
            }
            Err(error) => {
                self.ended = true;
                return Err(error.into());
            }
        }
        Ok(())
    }

    fn deliver_entry(&mut self, entry: &Entry, now: Instant, out: &mut Packed) {
        if let Some(delivering) = &self.delivering {
            delivering.delivered(entry);
        }
        let raw = self.include_raw && !entry.raw.is_empty();
        let frame = |cursor: &[u8]| {
            let raw = if raw { raw_piece(entry) } else { Vec::new() };
            Pieces {
                cursor,
                tag: Payload::Event as u32,
                payload: [&entry.event, &raw],
                share: 0,
            }
            .frame()
        };
        if let Some(frame) = self.source.shared_frame(entry, raw, frame) {
            self.beat_at = now + self.silence;
            out.put_frame(frame);
        } else if raw {
            self.respond(Payload::Event, [&entry.event, &raw_piece(entry)], now, out);
        } else {
            self.respond(Payload::Event, [&entry.event, &[]], now, out);
        }
    }
}

/// What a response has more where the vendor's own JSON was asked for.
fn raw_piece(entry: &Entry) -> Vec<u8> {
    let raw = proto::AgentEvent {
        raw_json: entry.raw.clone(),
        ..proto::AgentEvent::default()
    };
    raw.encode_to_vec()
}

/// The age at which a stream ends: give or take a tenth, so that those that began together do not end together.
fn drawn_age(max_age: Duration) -> Duration {
    max_age.mul_f64(rand::rng().random_range(0.9..=1.1))
}

fn gap_message(gap: Gap, after_ms: Option<u64>) -> proto::Gap {
    let reason = match gap.reason {
        GapReason::Trimmed => proto::GapReason::Trimmed,
        GapReason::Wiped => proto::GapReason::Wiped,
        GapReason::Rewound => proto::GapReason::Rewound,
    };
    proto::Gap {
        reason: reason.into(),
        missed_at_most: gap.missed_at_most,
        after_time: after_ms.map(|ms| convert::timestamp(ms.cast_signed())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_spread_over_a_tenth_to_both_sides() {
        let ages: Vec<f64> = (0..1000)
            .map(|_| drawn_age(Duration::from_secs(1000)).as_secs_f64())
            .collect();
        assert!(ages.iter().all(|age| (899.9..=1100.1).contains(age)));
        // That a thousand leave out a tenth of the range happens never.
        assert!(ages.iter().any(|age| *age < 920.0) && ages.iter().any(|age| *age > 1080.0));
    }
}
