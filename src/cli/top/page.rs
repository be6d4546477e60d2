//! What is shown, as lines.

use std::collections::BTreeMap;

use super::{
    reading::Reading,
    table::{Side, table},
};
use crate::{
    cli::render::escape,
    status::{
        CircuitState, ReplicaState, SessionsStatus, Status, StreamReads, StreamState, StreamStatus,
        UpstreamStatus,
    },
};

use Side::{Left, Right};

/// The page; with `before`, what was read before it, webhooks are shown by the second.
pub(super) fn page(replicas: &[Reading], before: &[Reading], rows: usize) -> Vec<String> {
    let answered: Vec<(usize, &Status)> = (1..)
        .zip(replicas)
        .filter_map(|(number, reading)| Some((number, reading.status.as_ref()?)))
        .collect();
    let mut lines = replica_lines(replicas, before);
    for (number, reading) in (1..).zip(replicas) {
        if let Some(problem) = &reading.problem {
            lines.push(format!("replica {number}: {}", escape(problem)));
        }
    }
    let mut section = |title: String, body: Vec<String>| {
        if !body.is_empty() {
            lines.push(String::new());
            lines.push(title);
            lines.extend(body);
        }
    };
    // What is read from the store is the same at each replica: one that could read it is enough.
    if let Some(sessions) = answered.iter().find_map(|(_, status)| status.sessions.as_ref()) {
        section(sessions_title(sessions), session_lines(sessions, rows));
    }
    section(
        "streams, the slowest first".to_owned(),
        stream_lines(&answered, rows),
    );
    section("subscriptions".to_owned(), subscription_lines(&answered, rows));
    section(
        "ways to 8x8 that are in trouble".to_owned(),
        upstream_lines(&answered, rows),
    );
    lines
}

fn replica_lines(replicas: &[Reading], before: &[Reading]) -> Vec<String> {
    let taken = if before.is_empty() { "TAKEN" } else { "TAKEN/S" };
    let refused = if before.is_empty() { "REFUSED" } else { "REFUSED/S" };
    let head = [
        ("", Right),
        ("REPLICA", Left),
        ("VERSION", Left),
        ("STATE", Left),
        ("UP", Right),
        ("STORE", Left),
        ("FEED", Left),
        ("STREAMS", Right),
        ("BEHIND", Right),
        ("LAG", Right),
        (taken, Right),
        (refused, Right),
    ];
    let rows: Vec<_> = (1..)
        .zip(replicas)
        .map(|(number, reading): (usize, _)| {
            let name = match &reading.status {
                Some(status) if !status.host.is_empty() => &status.host,
                _ => &reading.admin,
            };
            let first = [number.to_string(), escape(name).into_owned()];
            let rest: [String; 10] = match &reading.status {
                None => std::array::from_fn(|column| if column == 1 { "silent" } else { "-" }.to_owned()),
                Some(status) => replica_cells(status, earlier(reading, before)),
            };
            let mut cells = first.into_iter().chain(rest);
            std::array::from_fn(|_| cells.next().unwrap_or_default())
        })
        .collect();
    table(head, &rows)
}

fn earlier<'a>(reading: &Reading, before: &'a [Reading]) -> Option<&'a Status> {
    let same = before.iter().find(|earlier| earlier.admin == reading.admin);
    same.and_then(|earlier| earlier.status.as_ref())
}

fn replica_cells(status: &Status, before: Option<&Status>) -> [String; 10] {
    let state = match status.state {
        ReplicaState::Starting => "starting",
        ReplicaState::Ready => "ready",
        ReplicaState::Stopping => "stopping",
    };
    let store = match status.store.up {
        None => "unknown".to_owned(),
        Some(true) => status.store.kind.clone(),
        Some(false) => format!("DOWN {}", age(status.store.since_ms)),
    };
    let (taken, refused) = webhooks(&status.webhooks);
    let (taken, refused) = match before {
        Some(earlier) if status.time_ms > earlier.time_ms => {
            let (taken_before, refused_before) = webhooks(&earlier.webhooks);
            let seconds = (status.time_ms - earlier.time_ms) as f64 / 1000.0;
            let by_second = |now: u64, then: u64| format!("{:.1}", now.saturating_sub(then) as f64 / seconds);
            (by_second(taken, taken_before), by_second(refused, refused_before))
        }
        _ => (taken.to_string(), refused.to_string()),
    };
    [
        escape(&status.version).into_owned(),
        state.to_owned(),
        age(status.uptime_ms),
        escape(&store).into_owned(),
        if status.feed.live { "live" } else { "DOWN" }.to_owned(),
        status.streams.open.to_string(),
        status.streams.behind.to_string(),
        status.streams.lag_max.to_string(),
        taken,
        refused,
    ]
}

/// Webhooks that were taken, and all others.
fn webhooks(counts: &BTreeMap<String, u64>) -> (u64, u64) {
    let is_taken = |result: &str| matches!(result, "accepted" | "duplicate" | "verify");
    let sum = |wanted: bool| {
        let those = counts.iter().filter(|(result, _)| is_taken(result) == wanted);
        those.map(|(_, count)| count).sum()
    };
    (sum(true), sum(false))
}

fn sessions_title(sessions: &SessionsStatus) -> String {
    let states: Vec<String> = sessions
        .by_state
        .iter()
        .map(|(state, count)| format!("{count} {}", escape(state)))
        .collect();
    let which = if sessions.complete {
        "all"
    } else {
        "the last active"
    };
    format!("sessions ({which}): {}", states.join(", "))
}

fn session_lines(sessions: &SessionsStatus, rows: usize) -> Vec<String> {
    let head = [
        ("TENANT", Left),
        ("CONVERSATION", Left),
        ("STATE", Left),
        ("FOR", Right),
        ("ACTIVE", Right),
        ("EVENTS", Right),
    ];
    let rows: Vec<_> = sessions
        .newest
        .iter()
        .take(rows)
        .map(|session| {
            [
                escape(&session.tenant).into_owned(),
                escape(&session.conversation).into_owned(),
                escape(&session.state).into_owned(),
                session.in_state_ms.map_or_else(|| "-".to_owned(), age),
                format!("{} ago", age(session.quiet_ms)),
                session.events.to_string(),
            ]
        })
        .collect();
    table(head, &rows)
}

fn stream_lines(answered: &[(usize, &Status)], rows: usize) -> Vec<String> {
    let head = [
        ("REPLICA", Right),
        ("CALLER", Left),
        ("TENANT", Left),
        ("READS", Left),
        ("FROM", Left),
        ("LAG", Right),
        ("BEHIND", Right),
        ("UNASKED", Right),
        ("AGE", Right),
    ];
    let mut all: Vec<(usize, &StreamStatus)> = answered
        .iter()
        .flat_map(|(number, status)| status.streams.slowest.iter().map(|stream| (*number, stream)))
        .collect();
    all.sort_by_key(|(number, stream)| (std::cmp::Reverse((stream.lag, stream.age_ms)), *number));
    let rows: Vec<_> = all
        .into_iter()
        .take(rows)
        .map(|(number, stream)| {
            [
                number.to_string(),
                escape(&stream.caller).into_owned(),
                escape(&stream.tenant).into_owned(),
                reads(stream),
                match stream.state {
                    StreamState::Live => "feed",
                    StreamState::Detached => "log",
                    StreamState::Subscription => "subscription",
                }
                .to_owned(),
                stream.lag.to_string(),
                stream.lag_ms.map_or_else(|| "long".to_owned(), age),
                age(stream.unasked_ms),
                age(stream.age_ms),
            ]
        })
        .collect();
    table(head, &rows)
}

fn reads(stream: &StreamStatus) -> String {
    match stream.reads {
        StreamReads::All => "all".to_owned(),
        StreamReads::Conversations => format!("{} conversations", stream.conversations.unwrap_or_default()),
        StreamReads::Subscription => escape(stream.subscription.as_deref().unwrap_or_default()).into_owned(),
    }
}

fn subscription_lines(answered: &[(usize, &Status)], rows: usize) -> Vec<String> {
    let head = [
        ("TENANT", Left),
        ("NAME", Left),
        ("KIND", Left),
        ("STATE", Left),
        ("MEMBERS", Right),
        ("LAG", Right),
        ("COMMITTED", Right),
    ];
    // All replicas tell of the same; one that has just started may not have looked yet.
    let known = answered.iter().map(|(_, status)| &status.subscriptions);
    let mut known: Vec<_> = known.max_by_key(|all| all.len()).into_iter().flatten().collect();
    known.sort_by_key(|subscription| std::cmp::Reverse(subscription.lag));
    let rows: Vec<_> = known
        .into_iter()
        .take(rows)
        .map(|subscription| {
            let committed = subscription.committed_ago_ms;
            [
                escape(&subscription.tenant).into_owned(),
                escape(&subscription.name).into_owned(),
                escape(&subscription.kind).into_owned(),
                escape(&subscription.state).into_owned(),
                subscription.members.to_string(),
                subscription.lag.to_string(),
                committed.map_or_else(|| "never".to_owned(), |ms| format!("{} ago", age(ms))),
            ]
        })
        .collect();
    table(head, &rows)
}

/// Only those of which there is something to tell.
fn upstream_lines(answered: &[(usize, &Status)], rows: usize) -> Vec<String> {
    let head = [
        ("REPLICA", Right),
        ("TENANT", Left),
        ("CIRCUIT", Left),
        ("FAILED", Right),
        ("OF", Right),
    ];
    let all = answered
        .iter()
        .flat_map(|(number, status)| status.upstream.iter().map(move |way| (*number, way)));
    let rows: Vec<_> = all
        .filter(|(_, way)| {
            way.failed > 0 || matches!(way.circuit, CircuitState::Open | CircuitState::HalfOpen)
        })
        .take(rows)
        .map(|(number, way)| {
            [
                number.to_string(),
                escape(&way.tenant).into_owned(),
                circuit(way),
                way.failed.to_string(),
                way.requests.to_string(),
            ]
        })
        .collect();
    table(head, &rows)
}

fn circuit(way: &UpstreamStatus) -> String {
    match (way.circuit, way.open_for_ms) {
        (CircuitState::Off, _) => "none".to_owned(),
        (CircuitState::Closed, _) => "closed".to_owned(),
        (CircuitState::Open, left) => format!("OPEN for {}", age(left.unwrap_or_default())),
        (CircuitState::HalfOpen, _) => "trying".to_owned(),
    }
}

/// A time as people say it: the two largest units.
fn age(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..=59 => format!("{}.{} s", seconds, ms % 1000 / 100),
        60..=3599 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3600..=86_399 => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(0, "0.0 s")]
    #[case(12_345, "12.3 s")]
    #[case(61_000, "1 min 01 s")]
    #[case(3_600_000, "1 h 00 min")]
    #[case(90_000_000, "1 d 01 h")]
    fn ages(#[case] ms: u64, #[case] text: &str) {
        assert_eq!(age(ms), text);
    }

    fn reading(webhooks: &[(&str, u64)], time_ms: u64) -> Reading {
        let status: Status = serde_json::from_value(serde_json::json!({
            "format": 1, "version": "0.1.0", "host": "pod-\u{1b}a", "time_ms": time_ms, "uptime_ms": 61_000,
            "state": "ready", "store": { "kind": "redis", "up": true, "since_ms": 5, "entry_format": 1 },
            "feed": { "live": true, "entries": 9 },
            "streams": { "open": 3, "behind": 1, "lag_max": 700, "slowest": [
                { "caller": "bot", "tenant": "acme", "reads": "conversations", "conversations": 2, "state": "detached",
                  "lag": 700, "lag_ms": null, "age_ms": 5000, "unasked_ms": 4000 },
            ]},
            "sessions": null, "subscriptions": [], "a_field_of_a_newer_version": 1,
            "upstream": [
                { "tenant": "acme", "circuit": "closed", "requests": 4, "failed": 0 },
                { "tenant": "other", "circuit": "open", "open_for_ms": 9000, "requests": 12, "failed": 12 },
            ],
            "webhooks": webhooks.iter().copied().collect::<BTreeMap<_, _>>(),
        }))
        .unwrap();
        Reading {
            admin: "http://127.0.0.1:1".to_owned(),
            status: Some(status),
            problem: None,
        }
    }

    #[test]
    fn what_is_slow_or_in_trouble_is_named_and_webhooks_are_counted_by_the_second() {
        let silent = Reading {
            admin: "http://127.0.0.1:2".to_owned(),
            status: None,
            problem: Some("it cannot be reached".to_owned()),
        };
        let before = [reading(&[("accepted", 10), ("stale", 1)], 10_000)];
        let now = [reading(&[("accepted", 40), ("stale", 2)], 12_000), silent];
        let text = page(&now, &before, 10).join("\n");
        for wanted in [
            "TAKEN/S",
            "15.0",
            "0.5",
            "2 conversations",
            "700",
            "long",
            "OPEN for 9.0 s",
            "silent",
            "replica 2: it cannot be reached",
            "pod-\\u{1b}a",
        ] {
            assert!(text.contains(wanted), "{wanted:?} is not in\n{text}");
        }
        assert!(!text.contains("closed"), "{text}");
        assert!(page(&now, &[], 10).join("\n").contains("40"));
    }
}
