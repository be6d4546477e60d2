//! All metrics: name, kind, labels and what they say. `docs/metrics.md` has the same list, and a test compares it with what a
//! service that runs shows.
//!
//! No label takes values that customers, callers or the vendor choose: their number is bounded by this program, or, for
//! `operation`, `master_key` and status codes, by the vendor's interface, the operator's settings and HTTP.

use crate::{store::outbox::DeadReason, webhook::Refusal};

/// A metric with all its labels.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name, with the unit and, for counters, `_total` at the end.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// What it says, as a sentence.
    pub help: &'static str,
    /// Its labels.
    pub labels: &'static [Label],
}

/// What a metric is.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Samples by size; the upper bounds of the buckets.
    Histogram(&'static [f64]),
}

/// A label.
#[derive(Debug, Clone, Copy)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// Its values.
    pub values: Values,
}

/// The values of a label.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// These.
    Are(&'static [&'static str]),
    /// Those that it answers.
    Of(fn() -> Vec<&'static str>),
    /// Known once they occur.
    Met,
}

impl Label {
    /// All values that are known beforehand; empty: they are not.
    pub fn known(&self) -> Vec<&'static str> {
        match self.values {
            Values::Are(values) => values.to_vec(),
            Values::Of(values) => values(),
            Values::Met => Vec::new(),
        }
    }
}

/// Bounds for calls and requests, in seconds: those of OpenTelemetry's conventions.
const CALLS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// Bounds for what a store does, in seconds.
const STORE: &[f64] = &[
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
];
/// Bounds for how old events are, in seconds: from at once to what the vendor still repeats.
const AGES: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0,
    3600.0,
];
/// Bounds for what contact centres promise, in seconds: five seconds to four hours. 20 s is the customary one.
const SERVICE_LEVELS: &[f64] = &[
    5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14_400.0,
];

const fn counter(name: &'static str, labels: &'static [Label], help: &'static str) -> Family {
    let kind = Kind::Counter;
    Family {
        name,
        kind,
        help,
        labels,
    }
}

const fn gauge(name: &'static str, labels: &'static [Label], help: &'static str) -> Family {
    let kind = Kind::Gauge;
    Family {
        name,
        kind,
        help,
        labels,
    }
}

const fn histogram(
    name: &'static str,
    bounds: &'static [f64],
    labels: &'static [Label],
    help: &'static str,
) -> Family {
    let kind = Kind::Histogram(bounds);
    Family {
        name,
        kind,
        help,
        labels,
    }
}

const fn of(name: &'static str, values: &'static [&'static str]) -> Label {
    Label {
        name,
        values: Values::Are(values),
    }
}

const fn met(name: &'static str) -> Label {
    Label {
        name,
        values: Values::Met,
    }
}

fn webhook_results() -> Vec<&'static str> {
    let taken = ["accepted", "duplicate", "forged", "verify"];
    taken
        .into_iter()
        .chain(Refusal::ALL.map(Refusal::reason))
        .collect()
}

fn dead_reasons() -> Vec<&'static str> {
    DeadReason::ALL.map(DeadReason::as_str).to_vec()
}

const OUTCOMES_OF_LOOKUPS: &[&str] = &["found", "unknown", "unusable", "unavailable", "timeout", "busy"];
const OUTCOMES_OF_QUEUES: &[&str] = &["answered", "abandoned", "moved"];
const OUTCOMES_OF_CONTACTS: &[&str] = &["handled", "abandoned", "unattended"];
const ENDINGS: &[&str] = &[
    "draining",
    "max_age",
    "too_slow",
    "taken_over",
    "subscription_deleted",
    "unauthorized",
    "unread",
];
const DENIALS: &[&str] = &[
    "CREDENTIALS_MISSING",
    "CREDENTIALS_INVALID",
    "CREDENTIALS_EXPIRED",
    "CREDENTIALS_UNVERIFIABLE",
    "ROLE_DENIED",
    "TENANT_DENIED",
    "CALLER_RATE_LIMITED",
];
const COMMITS: &[&str] = &["moved", "unmoved", "superseded", "unavailable", "refused"];
const UNREADABLE: &[&str] = &["no_master_key", "wrong_master_key", "no_data_key"];
const PORTS: &[&str] = &["grpc", "webhook", "chat_v2"];

/// All of them but those of the process, which another crate gives.
pub const FAMILIES: &[Family] = &[
    histogram(
        "rpc_server_call_duration_seconds",
        CALLS,
        &[
            met("rpc_system_name"),
            met("rpc_method"),
            met("rpc_response_status_code"),
        ],
        "How long calls to the gRPC port took, to their last byte; streams too.",
    ),
    counter(
        "chatbridge_calls_denied_total",
        &[of("reason", DENIALS)],
        "Calls that were not let in, by the reason that their caller got.",
    ),
    counter(
        "chatbridge_connections_refused_total",
        &[of("limit", &["total", "address"])],
        "Connections to the gRPC port that were one too many and closed.",
    ),
    counter(
        "chatbridge_webhooks_total",
        &[Label {
            name: "result",
            values: Values::Of(webhook_results),
        }],
        "Webhooks, by what became of them.",
    ),
    counter(
        "chatbridge_webhook_connections_refused_total",
        &[of("limit", &["total", "address"])],
        "Connections to the webhook door that were one too many and closed.",
    ),
    counter(
        "chatbridge_chat_v2_requests_total",
        &[met("operation"), met("status")],
        "Requests of Chat API v2, by operation and by the HTTP status of their answers.",
    ),
    counter(
        "chatbridge_chat_v2_refused_total",
        &[of(
            "result",
            &["malformed_request", "head_too_large", "head_timeout", "crowded"],
        )],
        "Requests to the port of Chat API v2 that never became one.",
    ),
    counter(
        "chatbridge_chat_v2_connections_refused_total",
        &[of("limit", &["total", "address"])],
        "Connections to the port of Chat API v2 that were one too many and closed.",
    ),
    counter(
        "chatbridge_chat_v2_events_total",
        &[of(
            "result",
            &[
                "queued",
                "unrouted",
                "dead",
                "no_webhook",
                "no_counterpart",
                "gap",
            ],
        )],
        "Events that were read from the log for webhooks of Chat API v2, by what became of them.",
    ),
    counter(
        "chatbridge_chat_v2_deliveries_total",
        &[of(
            "result",
            &[
                "delivered",
                "refused",
                "unavailable",
                "silent",
                "unreachable",
                "not_allowed",
                "unsigned",
            ],
        )],
        "Attempts to deliver an event to a webhook of Chat API v2, by what became of them.",
    ),
    counter(
        "chatbridge_chat_v2_dead_letters_total",
        &[Label {
            name: "reason",
            values: Values::Of(dead_reasons),
        }],
        "Events that will not be delivered to a webhook of Chat API v2 any more, by reason.",
    ),
    histogram(
        "chatbridge_chat_v2_delivery_age_seconds",
        AGES,
        &[],
        "How old events were when a webhook of Chat API v2 had taken them, since the log did.",
    ),
    gauge(
        "chatbridge_chat_v2_waiting",
        &[],
        "Events that wait for webhooks of Chat API v2, over all replicas.",
    ),
    gauge(
        "chatbridge_chat_v2_webhooks_failing",
        &[],
        "Webhooks of Chat API v2 that do not take their events now, over all replicas.",
    ),
    gauge(
        "chatbridge_chat_v2_failing_seconds",
        &[],
        "For how long the one of them that has been failing for longest has.",
    ),
    counter(
        "chatbridge_webhook_key_fetches_total",
        &[of("result", &["found", "unknown", "unusable", "unavailable"])],
        "Requests for the vendor's signing keys, by result.",
    ),
    counter(
        "chatbridge_agent_name_lookups_total",
        &[of("outcome", OUTCOMES_OF_LOOKUPS)],
        "Lookups of agents' names, by what became of them.",
    ),
    histogram(
        "chatbridge_event_append_age_seconds",
        AGES,
        &[],
        "How old events were when they were in the log, since they occurred by the vendor's clock.",
    ),
    histogram(
        "chatbridge_event_delivery_age_seconds",
        AGES,
        &[of("feed", &["live", "log"])],
        "How old events were when a stream took them up, since they were logged by the store's clock.",
    ),
    counter(
        "chatbridge_log_clock_behind_total",
        &[],
        "Appends while the store's clock was more than a minute behind the log.",
    ),
    histogram(
        "http_client_request_duration_seconds",
        CALLS,
        &[
            met("operation"),
            met("http_request_method"),
            met("http_response_status_code"),
            met("error_type"),
        ],
        "How long requests to the Chat Gateway took, answer included.",
    ),
    counter(
        "chatbridge_upstream_requests_total",
        &[met("operation"), met("outcome")],
        "Requests to the Chat Gateway, by operation and by what became of them.",
    ),
    counter(
        "chatbridge_upstream_retries_total",
        &[met("operation")],
        "Requests to the Chat Gateway that repeat an earlier one, by operation.",
    ),
    counter(
        "chatbridge_upstream_withheld_total",
        &[met("operation"), met("reason")],
        "Calls that were turned away before a request was made, by operation and reason.",
    ),
    gauge(
        "chatbridge_upstream_circuit_open",
        &[],
        "For how many tenants the Chat Gateway is left alone because it keeps failing.",
    ),
    gauge("chatbridge_streams_active", &[], "Open streams of AgentEvents."),
    counter(
        "chatbridge_stream_endings_total",
        &[of("reason", ENDINGS)],
        "Streams that were ended, by reason.",
    ),
    counter(
        "chatbridge_streams_refused_total",
        &[of("limit", &["total", "address", "caller"])],
        "Streams that were one too many.",
    ),
    counter(
        "chatbridge_subscribers_detached_total",
        &[],
        "Times that a stream was too slow for the live feed and went on from the log.",
    ),
    gauge(
        "chatbridge_subscribers_behind",
        &[],
        "Streams that read the log, or would if their clients read.",
    ),
    gauge(
        "chatbridge_subscriber_lag_max",
        &[],
        "How many events of the log the slowest of them is behind.",
    ),
    counter(
        "chatbridge_feed_breaks_total",
        &[],
        "Times that the live feed broke.",
    ),
    counter(
        "chatbridge_gaps_total",
        &[of("reason", &["trimmed", "wiped", "rewound"])],
        "Gaps that streams were told of, by reason.",
    ),
    gauge(
        "chatbridge_subscriptions",
        &[of("state", &["active", "idle", "stalled"])],
        "Named subscriptions, by how they do.",
    ),
    gauge(
        "chatbridge_subscription_lag_max",
        &[],
        "How many events at the most the named subscription is behind that is furthest behind.",
    ),
    gauge(
        "chatbridge_subscription_members",
        &[],
        "Streams of named subscriptions on this replica.",
    ),
    counter(
        "chatbridge_subscription_commits_total",
        &[of("result", COMMITS)],
        "Calls of CommitCursor, by result.",
    ),
    counter(
        "chatbridge_subscription_shares_total",
        &[of("result", &["taken", "released", "lost"])],
        "Shares of subscriptions that members of this replica took, released or lost.",
    ),
    counter(
        "chatbridge_subscription_slow_members_total",
        &[],
        "Members that were ended because they did not commit within a lease.",
    ),
    histogram(
        "chatbridge_session_queue_wait_seconds",
        SERVICE_LEVELS,
        &[of("outcome", OUTCOMES_OF_QUEUES)],
        "How long conversations waited in a queue, by how that ended.",
    ),
    histogram(
        "chatbridge_session_first_response_seconds",
        SERVICE_LEVELS,
        &[],
        "How long customers waited for an agent's first message, since they were first queued.",
    ),
    histogram(
        "chatbridge_session_handling_seconds",
        SERVICE_LEVELS,
        &[],
        "How long agents had to do with a contact, from the first one until it ended.",
    ),
    counter(
        "chatbridge_session_ends_total",
        &[of("outcome", OUTCOMES_OF_CONTACTS)],
        "Contacts that ended, by whether an agent had them.",
    ),
    gauge("chatbridge_store_up", &[], "Whether the store answers: 1 or 0."),
    histogram(
        "db_client_operation_duration_seconds",
        STORE,
        &[
            met("db_system_name"),
            of("db_operation_name", &["append", "read", "ping"]),
        ],
        "How long the store took.",
    ),
    gauge("chatbridge_redis_masters", &[], "How many masters Redis has."),
    gauge(
        "chatbridge_redis_memory_used_bytes",
        &[],
        "Memory that Redis uses, of the master that is fullest.",
    ),
    gauge(
        "chatbridge_redis_memory_max_bytes",
        &[],
        "Memory that it may use; 0: no limit.",
    ),
    gauge(
        "chatbridge_redis_noeviction",
        &[],
        "Whether no master evicts: 1 or 0.",
    ),
    gauge(
        "chatbridge_redis_replicas_connected",
        &[],
        "Replicas of the master that has the fewest.",
    ),
    gauge(
        "chatbridge_redis_persistence_failing",
        &[],
        "Whether a master could not write its last snapshot or its append-only file: 1 or 0.",
    ),
    gauge(
        "chatbridge_redis_clock_offset_seconds",
        &[],
        "How far the clock of Redis is ahead of this replica's, of the master that is furthest off.",
    ),
    gauge(
        "chatbridge_data_keys",
        &[met("master_key")],
        "Conversations whose data keys a master key wraps.",
    ),
    counter(
        "chatbridge_unreadable_contents_total",
        &[of("reason", UNREADABLE)],
        "Times that something encrypted could not be read, by reason.",
    ),
    gauge(
        "chatbridge_tls_certificate_expiry_seconds",
        &[met("port")],
        "Until when a port's certificate is valid, in seconds since 1970.",
    ),
    counter(
        "chatbridge_tls_reloads_total",
        &[of("port", PORTS), of("result", &["loaded", "refused"])],
        "Changes of certificates' files, by result.",
    ),
    counter(
        "chatbridge_tls_handshakes_failed_total",
        &[of("port", PORTS)],
        "TLS handshakes that failed.",
    ),
    counter(
        "chatbridge_jwks_fetches_total",
        &[of("result", &["ok", "failed"])],
        "Fetches of issuers' keys, by result.",
    ),
    counter(
        "chatbridge_config_reloads_total",
        &[of("result", &["taken", "refused"])],
        "Changes of the configuration, by result.",
    ),
    counter(
        "chatbridge_trace_spans_total",
        &[of("result", &["exported", "rejected", "no_room", "failed"])],
        "Spans of traces that ended here, by what became of them.",
    ),
    gauge(
        "chatbridge_draining",
        &[],
        "Whether the replica is stopping: 1 or 0.",
    ),
    gauge(
        "chatbridge_build_info",
        &[met("version"), met("revision"), met("rustc")],
        "1, with what is running as its labels.",
    ),
];
