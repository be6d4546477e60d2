//! Subscriptions: definitions, slots, members.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use chatbridge::{
    event::TenantId,
    store::subscription::{
        Committed, Defined, Enrolled, MEMBERS_MAX, Member, Roster, SUBSCRIPTIONS_MAX, Slot, SlotAnswer,
        SlotOp, Slots, SubscriptionKey,
    },
};
use proptest::prelude::*;
use rstest::rstest;

use super::fixture::{Fixture, Kind, PARTITIONS, eventually, tenant};

const LEASE_MS: u64 = 60_000;
const SHARES: Slots = Slots::Shares(1);

fn key() -> SubscriptionKey {
    SubscriptionKey {
        tenant: tenant(),
        name: "orders".into(),
        uid: 7,
    }
}

fn text(text: &str) -> Bytes {
    Bytes::from(text.to_owned())
}

fn member(id: &str) -> Member {
    Member {
        id: id.into(),
        name: format!("{id}: the name"),
        ..Member::default()
    }
}

async fn one(f: &Fixture, member: &str, lease_ms: u64, op: SlotOp) -> SlotAnswer {
    let answers = f
        .subscriptions
        .slots(&key(), SHARES, member, lease_ms, &[(5, op)])
        .await
        .unwrap();
    answers.expect("it is not gone").pop().unwrap()
}

async fn take(f: &Fixture, member: &str, lease_ms: u64) -> (u64, Bytes) {
    match one(f, member, lease_ms, SlotOp::Take).await {
        SlotAnswer::Taken { generation, position } => (generation, position),
        other => panic!("{other:?}"),
    }
}

async fn commit(f: &Fixture, generation: u64, seq: u64, position: &str) -> Committed {
    let (key, position) = (key(), text(position));
    let committed = f
        .subscriptions
        .commit(&key, SHARES, 5, generation, seq, &position);
    committed.await.unwrap()
}

async fn slot(f: &Fixture) -> Slot {
    let slots = f.subscriptions.read_slots(&key(), SHARES).await.unwrap();
    slots
        .into_iter()
        .find(|(number, _)| *number == 5)
        .map(|(_, slot)| slot)
        .unwrap_or_default()
}

#[rstest]
#[tokio::test]
async fn a_name_has_one_definition(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let s = &f.subscriptions;
    let other = TenantId::new("other");
    assert_eq!(s.definition(&tenant(), "orders").await.unwrap(), None);
    assert_eq!(
        s.define(&tenant(), "orders", &text("one")).await.unwrap(),
        Defined::New
    );
    assert_eq!(
        s.define(&other, "orders", &text("theirs")).await.unwrap(),
        Defined::New
    );
    let exists = Defined::Exists(text("one"));
    assert_eq!(s.define(&tenant(), "orders", &text("two")).await.unwrap(), exists);
    assert_eq!(
        s.definition(&tenant(), "orders").await.unwrap(),
        Some(text("one"))
    );

    assert!(
        !s.undefine(&key(), &text("two")).await.unwrap(),
        "another is known"
    );
    assert!(s.undefine(&key(), &text("one")).await.unwrap());
    assert!(!s.undefine(&key(), &text("one")).await.unwrap());
    assert_eq!(s.definition(&tenant(), "orders").await.unwrap(), None);
    assert_eq!(
        s.definition(&other, "orders").await.unwrap(),
        Some(text("theirs"))
    );
}

#[rstest]
#[tokio::test]
async fn definitions_are_listed_by_name_and_are_not_without_end(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let s = &f.subscriptions;
    for n in 0..SUBSCRIPTIONS_MAX {
        let name = format!("s-{n:04}");
        assert_eq!(
            s.define(&tenant(), &name, &text(&name)).await.unwrap(),
            Defined::New
        );
    }
    assert_eq!(
        s.define(&tenant(), "more", &text("more")).await.unwrap(),
        Defined::Full
    );
    let mut seen: Vec<String> = Vec::new();
    loop {
        let behind = seen.last().cloned().unwrap_or_default();
        let page = s.definitions(&tenant(), &behind, 300).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.iter().all(|(name, definition)| *definition == text(name)));
        seen.extend(page.into_iter().map(|(name, _)| name));
    }
    let all: Vec<String> = (0..SUBSCRIPTIONS_MAX).map(|n| format!("s-{n:04}")).collect();
    assert_eq!(seen, all);
}

#[rstest]
#[tokio::test]
async fn a_slot_has_one_owner_until_its_lease_is_over(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let (first, position) = take(&f, "a", LEASE_MS).await;
    assert!(first > 0 && position.is_empty());
    assert_eq!(one(&f, "b", LEASE_MS, SlotOp::Take).await, SlotAnswer::Busy);
    assert_eq!(
        one(&f, "b", LEASE_MS, SlotOp::Hold { generation: first }).await,
        SlotAnswer::Busy
    );
    assert_eq!(
        one(&f, "b", LEASE_MS, SlotOp::Release { generation: first }).await,
        SlotAnswer::Busy
    );
    let hold = SlotOp::Hold { generation: first };
    assert_eq!(one(&f, "a", 1, hold.clone()).await, SlotAnswer::Done(0));
    let (second, _) = eventually("the lease is over", async || {
        match one(&f, "b", LEASE_MS, SlotOp::Take).await {
            SlotAnswer::Taken { generation, position } => Some((generation, position)),
            _ => None,
        }
    })
    .await;
    assert!(second > first);
    assert_eq!(one(&f, "a", LEASE_MS, hold).await, SlotAnswer::Busy, "it is lost");
    assert_eq!(
        one(&f, "b", LEASE_MS, SlotOp::Release { generation: second }).await,
        SlotAnswer::Done(0)
    );
    let (third, _) = take(&f, "a", LEASE_MS).await;
    assert!(third > second);
    // Whoever lost the answer takes what is its own anew.
    let (fourth, _) = take(&f, "a", LEASE_MS).await;
    assert!(fourth > third);
    let SlotAnswer::Taken { generation, .. } = one(&f, "b", LEASE_MS, SlotOp::TakeOver).await else {
        panic!("it is not taken over");
    };
    assert!(generation > fourth);
    assert_eq!(slot(&f).await.owner, "b");
}

#[rstest]
#[tokio::test]
async fn a_lease_that_nobody_took_over_goes_on(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let (generation, _) = take(&f, "a", 1).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(
        one(&f, "a", LEASE_MS, SlotOp::Hold { generation }).await,
        SlotAnswer::Done(0)
    );
    assert_eq!(one(&f, "b", LEASE_MS, SlotOp::Take).await, SlotAnswer::Busy);
}

#[rstest]
#[tokio::test]
async fn whoever_lost_the_answer_gives_back_what_is_its_own(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    assert_eq!(one(&f, "a", LEASE_MS, SlotOp::Leave).await, SlotAnswer::Busy);
    let (generation, _) = take(&f, "a", LEASE_MS).await;
    commit(&f, generation, 3, "three").await;
    assert_eq!(one(&f, "b", LEASE_MS, SlotOp::Leave).await, SlotAnswer::Busy);
    assert_eq!(one(&f, "b", LEASE_MS, SlotOp::Take).await, SlotAnswer::Busy);
    assert_eq!(one(&f, "a", LEASE_MS, SlotOp::Leave).await, SlotAnswer::Done(3));
    assert_eq!(take(&f, "b", LEASE_MS).await.1, text("three"));
}

/// Changes fields of the keys of which this is a part.
async fn put_ahead(f: &Fixture, part: &str, change: impl Fn(&str, &str) -> Option<String>) {
    use redis::AsyncCommands as _;
    let (server, prefix) = f.redis().expect("one server");
    let mut connection = server.connection().await;
    let keys = super::fixture::keys(&mut connection, prefix).await;
    for key in keys.iter().filter(|key| key.contains(part)) {
        let fields: Vec<(String, String)> = connection.hgetall(key).await.unwrap();
        for (field, value) in fields {
            if let Some(changed) = change(&field, &value) {
                let () = connection.hset(key, field, changed).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_clock_that_steps_back_lengthens_no_lease() {
    let f = Fixture::new(Kind::Redis).await;
    let s = &f.subscriptions;
    let ahead = |ms: &str, by: u64| (ms.parse::<u64>().unwrap() + by).to_string();
    take(&f, "dead", LEASE_MS).await;
    s.enrol(&key(), &member("dead"), None, LEASE_MS).await.unwrap();
    // A step of half a minute takes nothing from anybody.
    for (by, is_over) in [(30_000, false), (7_200_000, true)] {
        put_ahead(&f, "shares:", |field, value| {
            (field == "l5").then(|| ahead(value, by))
        })
        .await;
        put_ahead(&f, ":members:", |_, record| {
            let (expires, rest) = record.split_once(':')?;
            Some(format!("{}:{rest}", ahead(expires, by)))
        })
        .await;
        let answer = one(&f, "other", LEASE_MS, SlotOp::Take).await;
        assert_eq!(matches!(answer, SlotAnswer::Taken { .. }), is_over, "{by}");
        let known = s.roster(&key()).await.unwrap();
        assert_eq!(known.members.is_empty(), is_over, "{by}");
    }
    let others = roster(s.enrol(&key(), &member("other"), None, LEASE_MS).await.unwrap());
    assert_eq!(others.members.len(), 1);
}

#[tokio::test]
async fn a_deletion_that_was_cut_off_can_be_repeated() {
    use chatbridge::store::{Retention, redis::RedisStore, subscription::SubscriptionStore as _};
    let server = crate::support::redis::RedisServer::start();
    let settings = super::fixture::settings(&server, "deletion", Retention::default());
    let s = RedisStore::connect(settings).await.unwrap();
    s.define(&tenant(), "orders", &text("one")).await.unwrap();
    let ops = [(5, SlotOp::Take)];
    s.slots(&key(), SHARES, "a", LEASE_MS, &ops).await.unwrap();
    // What is kept cannot be marked as gone just now.
    let mut connection = server.connection().await;
    let mut may = async |what: &str| {
        let mut command = redis::cmd("ACL");
        command.arg("SETUSER").arg("default").arg(what);
        let () = command.query_async(&mut connection).await.unwrap();
    };
    may("-hset").await;
    assert!(s.undefine(&key(), &text("one")).await.is_err());
    may("+hset").await;
    assert_eq!(
        s.definition(&tenant(), "orders").await.unwrap(),
        Some(text("one")),
        "it can still be named"
    );
    assert!(s.undefine(&key(), &text("one")).await.unwrap());
    assert_eq!(s.definition(&tenant(), "orders").await.unwrap(), None);
    assert_eq!(s.slots(&key(), SHARES, "a", LEASE_MS, &ops).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn only_its_generation_moves_a_place_and_never_back(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    assert_eq!(commit(&f, 1, 1, "x").await, Committed::Unknown);
    let (first, _) = take(&f, "a", LEASE_MS).await;
    assert_eq!(commit(&f, first, 3, "three").await, Committed::Moved);
    assert_eq!(commit(&f, first, 3, "three").await, Committed::Before);
    assert_eq!(commit(&f, first, 2, "two").await, Committed::Before);
    assert_eq!(commit(&f, first - 1, 9, "older").await, Committed::Superseded);
    assert_eq!(commit(&f, first + 1, 9, "newer").await, Committed::Superseded);
    assert_eq!(
        one(&f, "a", LEASE_MS, SlotOp::Hold { generation: first }).await,
        SlotAnswer::Done(3)
    );
    let kept = slot(&f).await;
    assert_eq!((kept.seq, kept.position), (3, text("three")));
    assert!(kept.committed_ms > 0);

    // Given back, it may still be committed, until somebody takes it.
    one(&f, "a", LEASE_MS, SlotOp::Release { generation: first }).await;
    assert_eq!(commit(&f, first, 4, "four").await, Committed::Moved);
    let (second, position) = take(&f, "b", LEASE_MS).await;
    assert_eq!(position, text("four"));
    assert_eq!(commit(&f, first, 5, "five").await, Committed::Superseded);
    assert_eq!(
        commit(&f, second, 1, "six").await,
        Committed::Moved,
        "numbers begin anew"
    );
    assert_eq!(slot(&f).await.position, text("six"));
}

#[rstest]
#[tokio::test]
async fn an_owner_moves_its_place_and_nobody_else_does(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let (generation, _) = take(&f, "a", LEASE_MS).await;
    let advance = |generation, seq, position: &str| SlotOp::Advance {
        generation,
        seq,
        position: text(position),
    };
    assert_eq!(
        one(&f, "b", LEASE_MS, advance(generation, 9, "b")).await,
        SlotAnswer::Busy
    );
    assert_eq!(
        one(&f, "a", LEASE_MS, advance(generation - 1, 9, "old")).await,
        SlotAnswer::Busy
    );
    assert_eq!(
        one(&f, "a", LEASE_MS, advance(generation, 2, "two")).await,
        SlotAnswer::Done(2)
    );
    assert_eq!(
        one(&f, "a", LEASE_MS, advance(generation, 1, "one")).await,
        SlotAnswer::Done(2)
    );
    let kept = slot(&f).await;
    assert_eq!(
        (kept.position, kept.committed_ms),
        (text("two"), 0),
        "that was no commit"
    );
}

#[rstest]
#[tokio::test]
async fn slots_lie_apart(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let mut other_uid = key();
    other_uid.uid = 8;
    let mut other_tenant = key();
    other_tenant.tenant = TenantId::new("other");
    let ops = [(1, SlotOp::Take), (5, SlotOp::Take)];
    for (key, slots) in [
        (key(), Slots::Shares(1)),
        (key(), Slots::Shares(2)),
        (key(), Slots::Durable),
        (other_uid, Slots::Shares(1)),
        (other_tenant, Slots::Shares(1)),
    ] {
        let answers = f
            .subscriptions
            .slots(&key, slots, "a", LEASE_MS, &ops)
            .await
            .unwrap()
            .unwrap();
        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer, SlotAnswer::Taken { .. })),
            "{key:?} {slots:?}"
        );
        let answers = f
            .subscriptions
            .slots(&key, slots, "b", LEASE_MS, &ops)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(answers, [SlotAnswer::Busy, SlotAnswer::Busy]);
    }
}

fn roster(enrolled: Enrolled) -> Roster {
    match enrolled {
        Enrolled::Member(roster) => roster,
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[tokio::test]
async fn members_are_known_while_their_lease_lasts(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let s = &f.subscriptions;
    let first = roster(s.enrol(&key(), &member("a"), None, LEASE_MS).await.unwrap());
    let a = first.members[0].clone();
    assert_eq!((a.name.as_str(), a.oldest_ms), ("a: the name", 0));
    assert!(a.since_ms.abs_diff(first.now_ms) < 1000);

    tokio::time::sleep(Duration::from_millis(3)).await;
    let mut b = member("b");
    b.shares = 128;
    let second = roster(s.enrol(&key(), &b, Some(500), 60).await.unwrap());
    let ids = |roster: &Roster| roster.members.iter().map(|m| m.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&second), ["a", "b"]);
    assert_eq!(second.members[1].shares, 128);
    assert!(second.now_ms.abs_diff(second.members[1].oldest_ms + 500) <= 1);

    eventually("the lease of b is over", async || {
        (ids(&s.roster(&key()).await.unwrap()) == ["a"]).then_some(())
    })
    .await;
    let again = roster(s.enrol(&key(), &member("a"), None, LEASE_MS).await.unwrap());
    assert_eq!(
        again.members[0].since_ms, a.since_ms,
        "it has been there all the time"
    );
    s.strike(&key(), "a").await.unwrap();
    assert_eq!(ids(&s.roster(&key()).await.unwrap()), Vec::<String>::new());
}

#[rstest]
#[tokio::test]
async fn members_are_not_without_end(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let s = &f.subscriptions;
    for n in 0..MEMBERS_MAX {
        let roster = roster(
            s.enrol(&key(), &member(&format!("m{n}")), None, LEASE_MS)
                .await
                .unwrap(),
        );
        assert_eq!(roster.members.len(), n + 1);
    }
    assert_eq!(
        s.enrol(&key(), &member("more"), None, LEASE_MS).await.unwrap(),
        Enrolled::Full
    );
    roster(s.enrol(&key(), &member("m7"), None, LEASE_MS).await.unwrap());
}

#[rstest]
#[tokio::test]
async fn what_was_deleted_does_not_come_back(
    #[values(Kind::Memory, Kind::Redis, Kind::Sealed, Kind::Sentinel, Kind::Cluster)] kind: Kind,
) {
    let f = Fixture::new(kind).await;
    let s = &f.subscriptions;
    s.define(&tenant(), "orders", &text("one")).await.unwrap();
    let (generation, _) = take(&f, "a", LEASE_MS).await;
    s.enrol(&key(), &member("a"), None, LEASE_MS).await.unwrap();
    assert!(s.undefine(&key(), &text("one")).await.unwrap());

    let hold = [(5, SlotOp::Hold { generation }), (6, SlotOp::Take)];
    assert_eq!(s.slots(&key(), SHARES, "a", LEASE_MS, &hold).await.unwrap(), None);
    for slots in (0..PARTITIONS).map(Slots::Shares).chain([Slots::Durable]) {
        assert_eq!(
            s.slots(&key(), slots, "a", LEASE_MS, &[(0, SlotOp::Take)])
                .await
                .unwrap(),
            None
        );
        assert_eq!(s.read_slots(&key(), slots).await.unwrap(), []);
    }
    assert_eq!(commit(&f, generation, 1, "x").await, Committed::Unknown);
    assert_eq!(
        s.enrol(&key(), &member("a"), None, LEASE_MS).await.unwrap(),
        Enrolled::Gone
    );
    assert_eq!(s.roster(&key()).await.unwrap().members, []);
    let mut anew = key();
    anew.uid = 8;
    assert!(
        s.slots(&anew, SHARES, "a", LEASE_MS, &[(5, SlotOp::Take)])
            .await
            .unwrap()
            .is_some()
    );
}

#[derive(Debug, Clone)]
enum Step {
    Op(u8, u16, OpKind),
    Commit(u16, u8, u64),
}

#[derive(Debug, Clone, Copy)]
enum OpKind {
    Hold(u8),
    Take,
    TakeOver,
    Leave,
    Release(u8),
    Advance(u8, u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = prop_oneof![
        (0_u8..3).prop_map(OpKind::Hold),
        Just(OpKind::Take),
        Just(OpKind::TakeOver),
        Just(OpKind::Leave),
        (0_u8..3).prop_map(OpKind::Release),
        (0_u8..3, 0_u64..6).prop_map(|(g, seq)| OpKind::Advance(g, seq)),
    ];
    let step = prop_oneof![
        3 => (0_u8..3, 0_u16..2, kind).prop_map(|(m, s, kind)| Step::Op(m, s, kind)),
        1 => (0_u16..2, 0_u8..3, 0_u64..6).prop_map(|(s, g, seq)| Step::Commit(s, g, seq)),
    ];
    prop::collection::vec(step, 1..40)
}

/// What happened, with each store's own generations numbered in the order in which they were given.
async fn play(f: &Fixture, steps: &[Step]) -> Vec<String> {
    let (mut heard, mut given) = (Vec::new(), vec![Vec::<u64>::new(); 2]);
    for (i, step) in steps.iter().enumerate() {
        let position = text(&format!("p{i}"));
        // Counted back from the newest; one that was never given where there are too few.
        let generation = |given: &[Vec<u64>], slot: u16, back: u8| {
            given[usize::from(slot)]
                .iter()
                .rev()
                .nth(back.into())
                .copied()
                .unwrap_or(1)
        };
        match step {
            Step::Commit(slot, back, seq) => {
                let generation = generation(&given, *slot, *back);
                let key = key();
                let committed = f
                    .subscriptions
                    .commit(&key, SHARES, *slot, generation, *seq, &position);
                heard.push(format!("{:?}", committed.await.unwrap()));
            }
            Step::Op(member, slot, kind) => {
                let op = match kind {
                    OpKind::Hold(back) => SlotOp::Hold {
                        generation: generation(&given, *slot, *back),
                    },
                    OpKind::Take => SlotOp::Take,
                    OpKind::TakeOver => SlotOp::TakeOver,
                    OpKind::Leave => SlotOp::Leave,
                    OpKind::Release(back) => SlotOp::Release {
                        generation: generation(&given, *slot, *back),
                    },
                    OpKind::Advance(back, seq) => SlotOp::Advance {
                        generation: generation(&given, *slot, *back),
                        seq: *seq,
                        position,
                    },
                };
                let member = format!("m{member}");
                let answers = f
                    .subscriptions
                    .slots(&key(), SHARES, &member, LEASE_MS, &[(*slot, op)])
                    .await
                    .unwrap();
                match answers.unwrap().pop().unwrap() {
                    SlotAnswer::Taken { generation, position } => {
                        given[usize::from(*slot)].push(generation);
                        heard.push(format!("taken at {position:?}"));
                    }
                    other => heard.push(format!("{other:?}")),
                }
            }
        }
    }
    for (number, slot) in f.subscriptions.read_slots(&key(), SHARES).await.unwrap() {
        heard.push(format!(
            "{number} {} {} {:?} {}",
            slot.owner,
            slot.seq,
            slot.position,
            slot.committed_ms > 0
        ));
    }
    heard
}

#[test]
fn redis_and_memory_agree_on_any_steps() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cases = ProptestConfig {
        cases: 48,
        ..ProptestConfig::default()
    };
    proptest!(cases, |(steps in steps())| {
        let (memory, redis) = runtime.block_on(async {
            let (memory, redis) = (Fixture::new(Kind::Memory).await, Fixture::new(Kind::Redis).await);
            (play(&memory, &steps).await, play(&redis, &steps).await)
        });
        prop_assert_eq!(memory, redis);
    });
}

#[tokio::test]
async fn keys_of_a_partition_carry_its_tag_and_nothing_else_is_left_behind() {
    let f = Fixture::new(Kind::Cluster).await;
    let before: BTreeSet<String> = f.keys().await;
    let s = &f.subscriptions;
    s.define(&tenant(), "orders", &text("one")).await.unwrap();
    for partition in 0..PARTITIONS {
        let ops = [(partition, SlotOp::Take)];
        s.slots(&key(), Slots::Shares(partition), "a", LEASE_MS, &ops)
            .await
            .unwrap();
    }
    s.enrol(&key(), &member("a"), None, LEASE_MS).await.unwrap();
    let made: Vec<String> = f.keys().await.difference(&before).cloned().collect();
    let tagged = made.iter().filter(|key| key.contains('{')).count();
    assert_eq!(
        (made.len(), tagged),
        (usize::from(PARTITIONS) + 2, usize::from(PARTITIONS)),
        "{made:?}"
    );
}
