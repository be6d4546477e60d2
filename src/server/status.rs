//! Puts together what an operator sees of this replica.
//!
//! Whoever asks costs a bounded amount: what is here is in memory but for sessions, of which the last active are read, and not more
//! often than every two seconds however many ask.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    conversation::{Session, SessionState},
    fanout::Hub,
    gateway::CircuitStatus,
    grpc::events::{OpenStream, Reads, Watchdog},
    status::{
        CircuitState, FORMAT, FeedStatus, ReplicaState, SessionStatus, SessionsStatus, Status, StoreStatus,
        StreamReads, StreamState, StreamStatus, StreamsStatus, SubscriptionStatus, UpstreamStatus,
    },
    store::{SessionMark, StoreError},
    subscription::{Kind, Seen, State, Subscriptions},
    telemetry::Metrics,
    tenant::Tenants,
};

/// How many streams are named.
const STREAMS: usize = 20;
/// How many sessions are named; of how many tenants how many are read.
const SESSIONS: usize = 20;
const SESSIONS_READ: usize = 100;
const TENANTS_READ: usize = 20;
/// How old a reading of sessions may be, and how long it may take.
const SESSIONS_AGE: Duration = Duration::from_secs(2);
const SESSIONS_WITHIN: Duration = Duration::from_secs(1);
/// The counter of webhooks, as it is exposed.
const WEBHOOKS: &str = "chatbridge_webhooks_total{result=\"";

/// Whether the store answers, and since when that is so.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoreState {
    pub(super) up: Option<bool>,
    pub(super) since: Instant,
}

impl StoreState {
    /// It was not asked yet.
    pub(super) fn unknown() -> Self {
        Self {
            up: None,
            since: Instant::now(),
        }
    }
}

/// Puts it together.
pub(super) struct Reporter {
    pub(super) metrics: Metrics,
    pub(super) is_redis: bool,
    pub(super) store: watch::Receiver<StoreState>,
    pub(super) hub: Arc<Hub>,
    pub(super) watchdog: Arc<Watchdog>,
    pub(super) subscriptions: Subscriptions,
    pub(super) tenants: Tenants,
    pub(super) draining: CancellationToken,
    /// Set once everything has run.
    pub(super) started: Arc<OnceLock<()>>,
    pub(super) since: Instant,
    /// The sessions as they were read last, and when.
    pub(super) sessions: Mutex<Option<(Instant, SessionsStatus)>>,
}

impl Reporter {
    /// The replica as it is now.
    pub(super) async fn status(&self) -> Status {
        let store = *self.store.borrow();
        let progress = self.hub.progress();
        let (open, slowest) = self.watchdog.slowest(STREAMS);
        let now_ms = now_ms();
        Status {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: std::env::var("HOSTNAME").unwrap_or_default(),
            time_ms: now_ms,
            uptime_ms: millis(self.since.elapsed()),
            state: self.state(),
            store: StoreStatus {
                kind: if self.is_redis { "redis" } else { "memory" }.to_owned(),
                up: store.up,
                since_ms: millis(store.since.elapsed()),
                entry_format: self.hub.store().entry_format(),
            },
            feed: FeedStatus {
                live: progress.is_live,
                entries: progress.dispatched,
            },
            streams: StreamsStatus {
                open,
                behind: progress.behind.len(),
                lag_max: progress
                    .behind
                    .values()
                    .map(|lag| lag.entries)
                    .max()
                    .unwrap_or_default(),
                slowest: slowest.into_iter().map(stream).collect(),
            },
            sessions: self.sessions(store.up).await,
            subscriptions: self
                .subscriptions
                .seen()
                .iter()
                .map(|seen| subscription(seen, now_ms))
                .collect(),
            upstream: self.upstream(),
            webhooks: counts(&self.metrics.render(), WEBHOOKS),
        }
    }

    fn state(&self) -> ReplicaState {
        if self.draining.is_cancelled() {
            ReplicaState::Stopping
        } else if self.started.get().is_some() {
            ReplicaState::Ready
        } else {
            ReplicaState::Starting
        }
    }

    fn upstream(&self) -> Vec<UpstreamStatus> {
        let ids = self.tenants.ids();
        let tenants = ids.iter().filter_map(|id| self.tenants.get(id.as_str()));
        tenants
            .map(|tenant| upstream(tenant.id.as_str(), tenant.gateway.circuit()))
            .collect()
    }

    /// The sessions that were last active. Whoever asks while they are read waits for that reading.
    async fn sessions(&self, store_is_up: Option<bool>) -> Option<SessionsStatus> {
        let mut known = self.sessions.lock().await;
        if let Some((at, sessions)) = &*known
            && at.elapsed() < SESSIONS_AGE
        {
            let mut sessions = sessions.clone();
            sessions.age_ms = millis(at.elapsed());
            return Some(sessions);
        }
        *known = None;
        if store_is_up == Some(false) {
            return None;
        }
        let read = tokio::time::timeout(SESSIONS_WITHIN, self.read_sessions()).await;
        let sessions = read.ok()?.ok()?;
        *known = Some((Instant::now(), sessions.clone()));
        Some(sessions)
    }

    async fn read_sessions(&self) -> Result<SessionsStatus, StoreError> {
        let tenants = self.tenants.ids();
        let mut complete = tenants.len() <= TENANTS_READ;
        let mut found: Vec<(SessionMark, Session)> = Vec::new();
        for tenant in tenants.iter().take(TENANTS_READ) {
            let read = self.hub.store().sessions(tenant, None, SESSIONS_READ).await?;
            complete &= read.len() < SESSIONS_READ;
            let kept = read.into_iter();
            found.extend(kept.filter_map(|(mark, session)| Some((mark, session?))));
        }
        found.sort_by_key(|(mark, _)| std::cmp::Reverse(mark.active_ms));
        let mut by_state = BTreeMap::new();
        for (_, session) in &found {
            *by_state.entry(state_name(session.state).to_owned()).or_default() += 1;
        }
        let now_ms = now_ms();
        Ok(SessionsStatus {
            read: found.len(),
            complete,
            age_ms: 0,
            by_state,
            newest: found
                .into_iter()
                .take(SESSIONS)
                .map(|(mark, session)| self::session(&mark, session, now_ms))
                .collect(),
        })
    }
}

fn stream(open: OpenStream) -> StreamStatus {
    let (reads, subscription, conversations) = match open.about.reads {
        Reads::All => (StreamReads::All, None, None),
        Reads::Conversations(count) => (StreamReads::Conversations, None, Some(count)),
        Reads::Subscription(name) => (StreamReads::Subscription, Some(name.into()), None),
    };
    let state = match (reads, open.lag) {
        (StreamReads::Subscription, _) => StreamState::Subscription,
        (_, Some(_)) => StreamState::Detached,
        (_, None) => StreamState::Live,
    };
    StreamStatus {
        caller: open.about.caller.into(),
        tenant: open.about.tenant.as_str().to_owned(),
        reads,
        subscription,
        conversations,
        state,
        lag: open.lag.map_or(0, |lag| lag.entries),
        lag_ms: open.lag.map_or(Some(Duration::ZERO), |lag| lag.time).map(millis),
        age_ms: millis(open.age),
        unasked_ms: millis(open.unasked),
    }
}

fn session(mark: &SessionMark, session: Session, now_ms: u64) -> SessionStatus {
    let since_ms = u64::try_from(session.since_ms).ok().filter(|ms| *ms > 0);
    SessionStatus {
        tenant: session.key.tenant.as_str().to_owned(),
        conversation: session.key.conversation,
        state: state_name(session.state).to_owned(),
        in_state_ms: since_ms.map(|ms| now_ms.saturating_sub(ms)),
        quiet_ms: now_ms.saturating_sub(mark.active_ms),
        events: session.sequence,
    }
}

fn state_name(state: SessionState) -> &'static str {
    match state {
        SessionState::Unknown => "UNSPECIFIED",
        SessionState::Created => "CREATED",
        SessionState::Queued => "QUEUED",
        SessionState::WithAgent => "WITH_AGENT",
        SessionState::WrappingUp => "WRAPPING_UP",
        SessionState::Transferring => "TRANSFERRING",
        SessionState::Idle => "IDLE",
    }
}

fn subscription(seen: &Seen, now_ms: u64) -> SubscriptionStatus {
    let kind = match seen.kind {
        Kind::Durable => "durable",
        Kind::Shared => "shared",
    };
    let state = match seen.status.state {
        State::Active => "active",
        State::Idle => "idle",
        State::Stalled => "stalled",
    };
    let committed_ms = Some(seen.status.committed_ms).filter(|ms| *ms > 0);
    SubscriptionStatus {
        tenant: seen.tenant.as_str().to_owned(),
        name: seen.name.clone(),
        kind: kind.to_owned(),
        state: state.to_owned(),
        members: seen.status.members.len(),
        lag: seen.status.lag_at_most,
        committed_ago_ms: committed_ms.map(|ms| now_ms.saturating_sub(ms)),
    }
}

fn upstream(tenant: &str, circuit: Option<CircuitStatus>) -> UpstreamStatus {
    let (state, open_for) = match circuit.map(|circuit| circuit.open_for) {
        None => (CircuitState::Off, None),
        Some(None) => (CircuitState::Closed, None),
        Some(Some(Duration::ZERO)) => (CircuitState::HalfOpen, None),
        Some(open_for) => (CircuitState::Open, open_for),
    };
    UpstreamStatus {
        tenant: tenant.to_owned(),
        circuit: state,
        open_for_ms: open_for.map(millis),
        requests: circuit.map_or(0, |circuit| circuit.requests),
        failed: circuit.map_or(0, |circuit| circuit.failed),
    }
}

/// Values of a counter by its only label, from the text in which metrics are exposed.
fn counts(text: &str, start: &str) -> BTreeMap<String, u64> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(start));
    lines
        .filter_map(|line| {
            let (label, value) = line.split_once("\"} ")?;
            Some((label.to_owned(), value.trim().parse().ok()?))
        })
        .collect()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_counter_itself_is_read() {
        let text = "# TYPE chatbridge_webhooks_total counter\n\
                    chatbridge_webhooks_total{result=\"accepted\"} 41\n\
                    chatbridge_webhooks_total{result=\"stale\"} 1\n\
                    chatbridge_webhook_key_fetches_total{result=\"found\"} 7\n";
        let counted = counts(text, WEBHOOKS);
        let expected = [("accepted", 41), ("stale", 1)];
        assert_eq!(
            counted,
            expected.map(|(name, count)| (name.to_owned(), count)).into()
        );
    }
}
