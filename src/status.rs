//! What an operator sees of a replica: the answer of `GET /status` at its admin port, and what `chatbridge top` shows.
//!
//! It holds names, numbers and states: no customer's text, no token, no address of anybody. A field may be added at any time; one
//! that goes, or means something else, changes [`FORMAT`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of this document.
pub const FORMAT: u32 = 1;

/// A replica, as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// [`FORMAT`].
    pub format: u32,
    /// The program's version.
    pub version: String,
    /// What the machine is called, which in Kubernetes is the pod's name; may be empty.
    pub host: String,
    /// When this was put together, Unix milliseconds by the replica's clock.
    pub time_ms: u64,
    /// For how long it has been running, in milliseconds.
    pub uptime_ms: u64,
    /// Whether it takes calls.
    pub state: ReplicaState,
    /// The store.
    pub store: StoreStatus,
    /// From the log to streams.
    pub feed: FeedStatus,
    /// Open streams.
    pub streams: StreamsStatus,
    /// Sessions; `None` where they could not be read.
    pub sessions: Option<SessionsStatus>,
    /// Named subscriptions of all replicas, as looked at within the last 15 s; the first 100 of each tenant.
    pub subscriptions: Vec<SubscriptionStatus>,
    /// The way to 8x8, for each tenant.
    pub upstream: Vec<UpstreamStatus>,
    /// Webhooks since the start, by what became of them, as `chatbridge_webhooks_total` counts them.
    pub webhooks: BTreeMap<String, u64>,
}

/// Whether a replica takes calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaState {
    /// Not everything has run yet.
    Starting,
    /// It takes calls.
    Ready,
    /// It was told to stop, and ends what is open.
    Stopping,
}

/// The store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// `redis` or `memory`.
    pub kind: String,
    /// Whether it answers and takes writes; `None`: it was not asked yet.
    pub up: Option<bool>,
    /// For how long that has been so, in milliseconds.
    pub since_ms: u64,
    /// The format in which this replica writes entries of the log.
    pub entry_format: u16,
}

/// From the log to streams.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedStatus {
    /// Whether the live feed runs.
    pub live: bool,
    /// Entries of the log that it has brought since the start.
    pub entries: u64,
}

/// Open streams.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamsStatus {
    /// How many are open.
    pub open: usize,
    /// Readers of the log that do not take the live feed: streams, and what reads for named subscriptions.
    pub behind: usize,
    /// How many entries the slowest of them is behind, at the most.
    pub lag_max: u64,
    /// At most 20 streams: those that are furthest behind, the slowest first, then the oldest.
    pub slowest: Vec<StreamStatus>,
}

/// An open stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamStatus {
    /// The name of the caller, from the configuration; empty where callers are not told apart.
    pub caller: String,
    /// Whose events it has.
    pub tenant: String,
    /// What it reads.
    pub reads: StreamReads,
    /// The named subscription, where it reads one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// How many conversations were named when it was opened, where some were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversations: Option<usize>,
    /// Where it takes its events from.
    pub state: StreamState,
    /// How many entries of the log it is behind, at the most. 0 where it takes the live feed, in which up to 256 may wait for it; of
    /// a subscription's stream, see the subscription.
    pub lag: u64,
    /// For how long the oldest of them has waited, in milliseconds, to a second; `None`: for longer than is remembered, a quarter
    /// of an hour at the most.
    pub lag_ms: Option<u64>,
    /// For how long it has been open, in milliseconds.
    pub age_ms: u64,
    /// For how long it was not asked for more, in milliseconds, to a second. Beyond the interval of heartbeats its client does not
    /// read.
    pub unasked_ms: u64,
}

/// What a stream reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamReads {
    /// Everything of its tenant.
    All,
    /// Conversations that were named.
    Conversations,
    /// A named subscription.
    Subscription,
}

/// Where a stream takes its events from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamState {
    /// The live feed.
    Live,
    /// The log, since it was too slow for the feed, or began behind it.
    Detached,
    /// A named subscription.
    Subscription,
}

/// Sessions, of which no more are read than the last active.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionsStatus {
    /// How many were read: at most 100 of each of at most 20 tenants.
    pub read: usize,
    /// Whether these are all that there are.
    pub complete: bool,
    /// How old this reading is, in milliseconds.
    pub age_ms: u64,
    /// Those that were read, by state, in the contract's names.
    pub by_state: BTreeMap<String, u64>,
    /// At most 20 of them, the last active first.
    pub newest: Vec<SessionStatus>,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionStatus {
    /// The tenant.
    pub tenant: String,
    /// The conversation's identifier.
    pub conversation: String,
    /// Its state, in the contract's names.
    pub state: String,
    /// For how long it has been in it, in milliseconds; `None` where only a call said so.
    pub in_state_ms: Option<u64>,
    /// How long ago it was last active, in milliseconds.
    pub quiet_ms: u64,
    /// The sequence of its last event.
    pub events: u64,
}

/// A named subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionStatus {
    /// The tenant.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// `durable` or `shared`.
    pub kind: String,
    /// `active`, `idle` or `stalled`.
    pub state: String,
    /// Streams that read it, on all replicas.
    pub members: usize,
    /// Entries behind what was committed, at the most.
    pub lag: u64,
    /// How long ago something was last committed, in milliseconds; `None`: never.
    pub committed_ago_ms: Option<u64>,
}

/// The way to 8x8.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpstreamStatus {
    /// The tenant.
    pub tenant: String,
    /// The circuit breaker.
    pub circuit: CircuitState,
    /// For how long calls are still refused, in milliseconds, where it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_for_ms: Option<u64>,
    /// Requests that ended in the last ten seconds.
    pub requests: u32,
    /// Those of them that say that 8x8 fails.
    pub failed: u32,
}

/// A circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CircuitState {
    /// There is none.
    Off,
    /// Calls go to 8x8.
    Closed,
    /// 8x8 keeps failing and is left alone.
    Open,
    /// It is tried with one request at a time.
    HalfOpen,
}
