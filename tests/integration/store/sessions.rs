//! Sessions.

use std::collections::BTreeMap;

use chatbridge::{
    conversation::{
        Passage, SessionChange, SessionState,
        change::{Field, FieldChange, Milestone},
        session::{Fields, apply},
        state::{Agents, Row, Trigger},
    },
    event::{AuthorType, Participant, User},
    store::{Append, Appended, Retention, SessionMark},
};
use proptest::prelude::*;
use rstest::rstest;

use super::fixture::{Fixture, Kind, conversation, event, eventually, tenant};

fn change(at_ms: i64, trigger: Trigger) -> SessionChange {
    SessionChange {
        at_ms,
        row: Row::of(trigger),
        agents: Agents::of(trigger),
        fields: Vec::new(),
    }
}

fn changing(name: &str, id: &str, change: SessionChange) -> Append {
    Append {
        change,
        ..event(&conversation(name), id)
    }
}

async fn state_after(f: &Fixture, event: &Append) -> SessionState {
    passage_after(f, event).await.0
}

async fn passage_after(f: &Fixture, event: &Append) -> (SessionState, Option<Passage>) {
    match f.store.append(event).await.unwrap() {
        Appended::New { state, passage, .. } => (state, passage),
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[tokio::test]
async fn what_arrives_late_sets_nothing_back(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let mut queued = change(2000, Trigger::Queued);
    queued.fields = vec![FieldChange::Latest(Field::QueueId, "new".into())];
    let mut late = change(1000, Trigger::Ended);
    late.fields = vec![
        FieldChange::Latest(Field::QueueId, "old".into()),
        FieldChange::Latest(Field::QueueName, "only here".into()),
        FieldChange::Earliest(Milestone::Queued, 1000),
    ];
    assert_eq!(
        state_after(&f, &changing("c", "e1", queued)).await,
        SessionState::Queued
    );
    assert_eq!(
        state_after(&f, &changing("c", "e2", late)).await,
        SessionState::Queued
    );
    // What a call tells occurs before everything.
    let labels = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
    let created = SessionChange::by_creation("channel", &User::default(), &labels);
    f.store
        .change_session(&conversation("c"), &created)
        .await
        .unwrap();
    let session = f.store.session(&conversation("c")).await.unwrap().unwrap();
    assert_eq!(session.state, SessionState::Queued);
    assert_eq!(
        (session.queue_id.as_str(), session.queue_name.as_str()),
        ("new", "only here")
    );
    assert_eq!(
        (session.queued_ms, session.channel_id.as_str()),
        (Some(1000), "channel")
    );
    assert_eq!((session.labels, session.sequence), (labels, 2));
}

#[rstest]
#[tokio::test]
async fn a_session_begun_by_a_call_counts_its_events_from_one(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let key = conversation("c");
    f.store
        .change_session(&key, &SessionChange::by_call())
        .await
        .unwrap();
    assert_eq!(f.store.session(&key).await.unwrap().unwrap().sequence, 0);
    let appended = f.store.append(&event(&key, "e1")).await.unwrap();
    assert!(matches!(appended, Appended::New { sequence: 1, .. }));
}

#[rstest]
#[tokio::test]
async fn sessions_are_listed_once_and_the_last_active_first(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let names: Vec<String> = (0..23).map(|i| format!("c{i:02}")).collect();
    // Together, so that some are active in the same millisecond.
    let tasks: Vec<_> = names
        .iter()
        .map(|name| {
            let (store, event) = (f.store.clone(), event(&conversation(name), name));
            tokio::spawn(async move { store.append(&event).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let mut other = conversation("theirs");
    other.tenant = chatbridge::event::TenantId::new("another");
    f.append(&event(&other, "e")).await;

    for limit in [1, 5, 100] {
        let mut seen: Vec<SessionMark> = Vec::new();
        loop {
            let page = f.store.sessions(&tenant(), seen.last(), limit).await.unwrap();
            if page.is_empty() {
                break;
            }
            assert!(page.len() <= limit);
            for (mark, session) in page {
                let session = session.expect("it has not expired");
                assert_eq!(session.key.conversation, mark.conversation);
                assert_eq!(session.active_ms.unsigned_abs(), mark.active_ms);
                seen.push(mark);
            }
        }
        assert!(seen.is_sorted_by(|a, b| a.active_ms >= b.active_ms));
        let mut listed: Vec<_> = seen.into_iter().map(|mark| mark.conversation).collect();
        listed.sort();
        assert_eq!(listed, names, "{limit} at a time");
    }

    // Something that is active again comes first.
    let latest = &names[3];
    eventually("a later millisecond", async || {
        f.store
            .change_session(&conversation(latest), &SessionChange::by_call())
            .await
            .unwrap();
        let page = f.store.sessions(&tenant(), None, 1).await.unwrap();
        (page[0].0.conversation == *latest).then_some(())
    })
    .await;
    assert_eq!(f.store.sessions(&tenant(), None, 100).await.unwrap().len(), 23);
}

#[rstest]
#[tokio::test]
async fn a_session_expires_and_begins_anew(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let retention = Retention {
        session_ms: 100,
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    let key = conversation("c");
    f.append(&event(&key, "e1")).await;
    let epoch = f.store.session(&key).await.unwrap().expect("a session").epoch;
    eventually("the session's expiry", async || {
        f.store.session(&key).await.unwrap().is_none().then_some(())
    })
    .await;
    let listed = f.store.sessions(&tenant(), None, 10).await.unwrap();
    assert!(listed.iter().all(|(_, session)| session.is_none()), "{listed:?}");
    let appended = f.store.append(&event(&key, "e2")).await.unwrap();
    assert!(
        matches!(appended, Appended::New { sequence: 1, .. }),
        "{appended:?}"
    );
    let again = f.store.session(&key).await.unwrap().expect("a session");
    assert!(again.epoch > epoch);
    let history = f
        .store
        .read_conversation(&key, chatbridge::event::Position::Earliest, 10)
        .await
        .unwrap();
    assert_eq!(history.entries.len(), 2, "its history outlives it");
}

#[rstest]
#[tokio::test]
async fn a_session_lives_on_while_it_is_active(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let retention = Retention {
        session_ms: 400,
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    let key = conversation("c");
    let start = f.store.now_ms().await.unwrap();
    let mut last = start;
    for i in 0.. {
        f.append(&event(&key, &format!("e{i}"))).await;
        let now = f.store.now_ms().await.unwrap();
        if now - last > 300 {
            return; // This machine is too busy to tell.
        }
        last = now;
        assert_eq!(f.store.session(&key).await.unwrap().unwrap().sequence, i + 1);
        if now > start + 1200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
    }
}

fn wrapping_up(name: &str, settle_after_ms: u64) -> Append {
    let mut event = changing(name, &format!("left {name}"), change(10, Trigger::LastAgentLeft));
    event.settle_after_ms = settle_after_ms;
    event
}

#[rstest]
#[tokio::test]
async fn what_wraps_up_for_long_is_handed_to_one_caller(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    for name in ["c1", "c2", "c3"] {
        assert_eq!(
            state_after(&f, &wrapping_up(name, 0)).await,
            SessionState::WrappingUp
        );
    }
    state_after(&f, &wrapping_up("not yet", 60_000)).await;
    // Moved on: by another event, and by a call.
    state_after(&f, &wrapping_up("requeued", 0)).await;
    state_after(&f, &changing("requeued", "q", change(20, Trigger::Queued))).await;
    state_after(&f, &wrapping_up("ended", 0)).await;
    f.store
        .change_session(&conversation("ended"), &change(30, Trigger::Ended))
        .await
        .unwrap();

    let mut first = f.store.unsettled(60_000, 2).await.unwrap();
    assert_eq!(first.len(), 2);
    first.extend(f.store.unsettled(60_000, 10).await.unwrap());
    first.sort();
    assert_eq!(first, ["c1", "c2", "c3"].map(conversation));
    assert!(f.store.unsettled(60_000, 10).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn what_still_wraps_up_after_the_lease_comes_again(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    state_after(&f, &wrapping_up("c", 0)).await;
    assert_eq!(f.store.unsettled(30, 10).await.unwrap(), [conversation("c")]);
    eventually("the end of the lease", async || {
        (f.store.unsettled(30, 10).await.unwrap() == [conversation("c")]).then_some(())
    })
    .await;
    state_after(&f, &changing("c", "idle", change(20, Trigger::Ended))).await;
    assert!(f.store.unsettled(0, 10).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn an_expired_session_is_not_wrapping_up(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let retention = Retention {
        session_ms: 50,
        ..Retention::default()
    };
    let f = Fixture::keeping(kind, retention).await;
    state_after(&f, &wrapping_up("c", 0)).await;
    eventually("the session's expiry", async || {
        f.store.unsettled(0, 10).await.unwrap().is_empty().then_some(())
    })
    .await;
}

fn changes() -> impl Strategy<Value = Vec<(bool, SessionChange)>> {
    let field = prop::sample::select(vec![
        Field::ChannelId,
        Field::ChannelType,
        Field::QueueId,
        Field::QueueName,
        Field::User,
        Field::Labels,
    ]);
    let milestone = prop::sample::select(vec![
        Milestone::Queued,
        Milestone::AgentJoined,
        Milestone::FirstResponse,
    ]);
    let who = prop::sample::select(vec![
        Some(AuthorType::Agent),
        Some(AuthorType::Agent),
        Some(AuthorType::User),
        None,
    ]);
    // Few different times, so that they often meet; and some that doubles and exponents would mangle.
    let at = prop_oneof![
        8 => -2_i64..6,
        1 => 1_600_000_000_000_i64..1_600_000_000_003,
        1 => (1_i64 << 53) - 3..(1 << 53)
    ];
    let member =
        (who, "[ab:]{0,2}", "[a-c:1 é]{0,4}", any::<bool>()).prop_map(|(kind, id, name, present)| {
            let mut who = Participant::new(id, kind);
            who.name = name;
            FieldChange::Member { who, present }
        });
    let change = prop_oneof![
        (field, ".{0,6}").prop_map(|(field, value)| FieldChange::Latest(field, value)),
        (milestone, at.clone()).prop_map(|(milestone, ms)| FieldChange::Earliest(milestone, ms)),
        member,
    ];
    let trigger = prop::sample::select(Trigger::ALL.to_vec());
    let agents = prop::sample::select(vec![Agents::Ignored, Agents::MustBeGone, Agents::EndWrapUp]);
    let one = (at, trigger, agents, prop::collection::vec(change, 0..4)).prop_map(
        |(at_ms, trigger, agents, fields)| SessionChange {
            at_ms,
            row: Row::of(trigger),
            agents,
            fields,
        },
    );
    prop::collection::vec((any::<bool>(), one), 1..12)
}

/// Without the store's own times, which no two stores share.
fn comparable(mut fields: Fields) -> Fields {
    assert!(fields.remove("epoch").is_some() && fields.remove("active").is_some());
    fields
}

#[test]
fn both_stores_change_sessions_as_the_rule_says() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let memory = runtime.block_on(Fixture::new(Kind::Memory));
    let redis = runtime.block_on(Fixture::new(Kind::Redis));
    let rounds = std::cell::Cell::new(0);
    proptest!(ProptestConfig::with_cases(300), |(changes in changes())| {
        let round = rounds.get() + 1;
        rounds.set(round);
        let key = conversation(&format!("round-{round}"));
        let (mut expected, mut sequence) = (Fields::new(), 0_u64);
        for (i, (by_event, change)) in changes.iter().enumerate() {
            let (state, passage) = apply(&mut expected, change, 1);
            let mut event = event(&key, &format!("{round}-{i}"));
            event.change = change.clone();
            if *by_event {
                sequence += 1;
                expected.insert("seq".into(), sequence.to_string());
            }
            for f in [&memory, &redis] {
                if *by_event {
                    prop_assert_eq!(runtime.block_on(passage_after(f, &event)), (state, passage));
                } else {
                    runtime.block_on(f.store.change_session(&key, change)).unwrap();
                }
                let fields = comparable(runtime.block_on(f.fields(&key)));
                prop_assert_eq!(fields, comparable(expected.clone()));
            }
        }
    });
}
