//! Shared subscriptions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use chatbridge::grpc::proto::{
    AgentEventsRequest, EndingReason, ReconnectAdvice, SubscriptionType,
    agent_event_service_client::AgentEventServiceClient, agent_events_response::Payload,
};
use tokio::{sync::mpsc, task::JoinHandle};
use tonic::{Code, transport::Channel};

use super::{Got, Member, World, balanced, commit, create, messages, reading, reason};
use crate::support::{
    redis::RedisServer,
    service::{PATIENCE, Service, eventually},
};

/// Reads a member in a task; what it gets is committed first, where there is somebody to commit with.
fn read(
    mut member: Member,
    mut with: Option<AgentEventServiceClient<Channel>>,
    to: mpsc::UnboundedSender<Got>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        while let Some(got) = member.event_within(Duration::from_secs(600)).await {
            if let Some(with) = &mut with {
                commit(with, &got.cursor).await.unwrap();
            }
            let _ = to.send(got);
        }
    })
}

async fn client(service: &Service) -> Option<AgentEventServiceClient<Channel>> {
    Some(AgentEventServiceClient::new(service.channel().await))
}

async fn hear(from: &mut mpsc::UnboundedReceiver<Got>, count: usize) -> Vec<Got> {
    let mut heard = Vec::new();
    while heard.len() < count {
        let next = tokio::time::timeout(PATIENCE, from.recv()).await;
        heard.push(
            next.unwrap_or_else(|_| panic!("{} of {count} came", heard.len()))
                .unwrap(),
        );
    }
    heard
}

fn texts(heard: &[Got]) -> Vec<String> {
    let mut texts: Vec<String> = heard.iter().map(|got| got.message.clone()).collect();
    texts.sort();
    texts
}

/// Each conversation has gone to one member, in order, none twice.
fn check_conversations(heard: &[Got]) {
    let mut conversations: BTreeMap<&str, Vec<&Got>> = BTreeMap::new();
    for got in heard {
        let (_, conversation) = got.message.split_once('@').unwrap();
        conversations.entry(conversation).or_default().push(got);
    }
    for (conversation, of) in conversations {
        let members: BTreeSet<&str> = of.iter().map(|got| got.member.as_str()).collect();
        assert_eq!(members.len(), 1, "{conversation} went to {members:?}");
        assert!(
            of.windows(2).all(|two| two[1].sequence == two[0].sequence + 1),
            "{conversation}: {of:?}"
        );
    }
}

#[tokio::test]
async fn members_on_two_replicas_split_the_conversations_and_survive_one_that_is_killed() {
    const LEASE_MS: u64 = 8_000;
    let world = World::new().await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    create(&a, SubscriptionType::Shared, LEASE_MS).await;
    let (to, mut from) = mpsc::unbounded_channel();
    let on_a = Member::open(&a, "a1").await;
    let on_b = [Member::open(&b, "b1").await, Member::open(&b, "b2").await];
    balanced(&a, 3).await;

    // Commits go to whichever replica: those of a1 to the other one.
    let mut readers = vec![read(on_a, client(&b).await, to.clone())];
    for member in on_b {
        readers.push(read(member, client(&a).await, to.clone()));
    }
    let first = messages(0, 90, 30);
    world.say(&[&a, &b], &first).await;
    let heard = hear(&mut from, 90).await;
    assert_eq!(texts(&heard), first, "all once");
    check_conversations(&heard);
    let members: BTreeSet<&str> = heard.iter().map(|got| got.member.as_str()).collect();
    assert_eq!(members.len(), 3, "everybody got some");
    for reader in &readers {
        reader.abort();
    }
    drop(readers);

    // Now nobody on B commits, and B dies with what it was given.
    balanced_without(&a).await;
    let on_a = Member::open(&a, "a2").await;
    let on_b = [Member::open(&b, "b3").await, Member::open(&b, "b4").await];
    balanced(&a, 3).await;
    let _a = read(on_a, client(&a).await, to.clone());
    let mut on_b: Vec<_> = on_b
        .into_iter()
        .map(|member| read(member, None, to.clone()))
        .collect();
    let second = messages(90, 60, 30);
    world.say(&[&a], &second).await;
    let heard = hear(&mut from, 60).await;
    assert_eq!(texts(&heard), second);
    let lost: Vec<Got> = heard
        .iter()
        .filter(|got| got.member.starts_with('b'))
        .cloned()
        .collect();
    assert!(lost.len() > 10, "{}", lost.len());
    for reader in on_b.drain(..) {
        reader.abort();
    }
    let killed = Instant::now();
    b.kill().await;

    let again = hear(&mut from, lost.len()).await;
    let took = killed.elapsed();
    assert_eq!(
        texts(&again),
        texts(&lost),
        "what was not committed comes again, and nothing else"
    );
    check_conversations(&again);
    assert!(again.iter().all(|got| got.member == "a2"));
    assert!(took < Duration::from_millis(LEASE_MS + 2_500), "{took:?}");
    // And everything goes to the one that is left.
    let third = messages(150, 30, 30);
    world.say(&[&a], &third).await;
    assert_eq!(texts(&hear(&mut from, 30).await), third);
    let mut with_a = client(&a).await.unwrap();
    let refused = commit(&mut with_a, &lost[0].cursor).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::Aborted, "CURSOR_SUPERSEDED".into())
    );
}

/// Waits until the streams that were dropped are no members any more.
async fn balanced_without(service: &Service) {
    eventually("nobody is there", async || {
        super::get(service).await.ok()?.members.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_joins_or_leaves_doubles_nothing_where_everybody_commits() {
    let world = World::new().await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    create(&a, SubscriptionType::Shared, 30_000).await;
    let (to, mut from) = mpsc::unbounded_channel();
    let one = Member::open(&a, "one").await;
    let _one = read(one, client(&a).await, to.clone());
    let said = messages(0, 400, 40);
    let doors = [&a, &b];
    let saying = world.say(&doors, &said);
    let changing = async {
        let two = Member::open(&b, "two").await;
        let _two = read(two, client(&b).await, to.clone());
        balanced(&a, 2).await;
        let three = Member::open(&a, "three").await;
        let three = read(three, client(&a).await, to.clone());
        balanced(&a, 3).await;
        (_two, three)
    };
    let ((), _others) = tokio::join!(saying, changing);
    let heard = hear(&mut from, said.len()).await;
    assert_eq!(texts(&heard), said, "each once");
    let members: BTreeSet<&str> = heard.iter().map(|got| got.member.as_str()).collect();
    assert!(members.len() >= 2, "{members:?}");
}

#[tokio::test]
async fn the_shares_of_one_who_leaves_are_free_at_once() {
    let world = World::new().await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    // Nobody waits for that to be over.
    create(&a, SubscriptionType::Shared, 600_000).await;
    let mut one = Member::open(&a, "one").await;
    let two = Member::open(&b, "two").await;
    balanced(&a, 2).await;
    drop(two);
    let left = Instant::now();
    balanced(&a, 1).await;
    let took = left.elapsed();
    assert!(took < Duration::from_secs(10), "about a second is said: {took:?}");
    let said = messages(0, 40, 40);
    world.say(&[&a], &said).await;
    let mut heard = Vec::new();
    for _ in 0..said.len() {
        heard.push(one.event().await);
    }
    assert_eq!(texts(&heard), said);
}

/// Reads and commits until told to stop, or the stream is over; what is under way then is not committed.
async fn read_for_a_while(
    mut member: Member,
    stop: tokio_util::sync::CancellationToken,
    to: mpsc::UnboundedSender<Got>,
) {
    while let Some(Some(got)) = stop
        .run_until_cancelled(member.event_within(Duration::from_secs(600)))
        .await
    {
        member.commit(&got).await.unwrap();
        let _ = to.send(got);
    }
}

#[tokio::test]
async fn who_comes_and_goes_again_doubles_nothing_of_what_was_committed() {
    let world = World::new().await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    create(&a, SubscriptionType::Shared, 600_000).await;
    let (to, mut from) = mpsc::unbounded_channel();
    let one = Member::open(&a, "one").await;
    let _one = read(one, client(&a).await, to.clone());
    let said = messages(0, 400, 40);
    let doors = [&a, &b];
    let saying = world.say(&doors, &said);
    let changing = async {
        for _ in 0..2 {
            let stop = tokio_util::sync::CancellationToken::new();
            let guest = Member::open(&b, "guest").await;
            let reading = tokio::spawn(read_for_a_while(guest, stop.clone(), to.clone()));
            balanced(&a, 2).await;
            stop.cancel();
            reading.await.unwrap();
            balanced(&a, 1).await;
        }
    };
    let ((), ()) = tokio::join!(saying, changing);
    let heard = hear(&mut from, said.len()).await;
    assert_eq!(texts(&heard), said, "each once");
    let more = tokio::time::timeout(Duration::from_millis(300), from.recv()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn the_ending_belongs_to_no_share() {
    let world = World::new().await;
    let a = world.serve().await;
    create(&a, SubscriptionType::Shared, 30_000).await;
    let mut member = Member::open(&a, "only").await;
    world.say(&[&a], &messages(0, 1, 1)).await;
    assert!(member.event().await.share > 0);
    let reading = async {
        loop {
            if let (Payload::Ending(ending), share, _) = member.next().await.unwrap() {
                return (ending.reason(), share);
            }
        }
    };
    let (code, ending) = tokio::join!(a.terminate(), reading);
    assert_eq!((code, ending), (Some(0), (EndingReason::Draining, 0)));
}

#[tokio::test]
async fn a_member_that_does_not_commit_loses_its_shares() {
    let world = World::new().await;
    let a = world.serve().await;
    create(&a, SubscriptionType::Shared, 4_000).await;
    let mut slow = Member::open(&a, "slow").await;
    balanced(&a, 1).await;
    world.say(&[&a], &messages(0, 5, 1)).await;
    let mut heard = Vec::new();
    for _ in 0..5 {
        heard.push(slow.event().await);
    }
    assert!(slow.commit(&heard[1]).await.unwrap());
    let mut other = Member::open(&a, "other").await;
    let ending = slow.ending().await;
    assert_eq!(
        (ending.reason(), ending.reconnect()),
        (EndingReason::TooSlow, ReconnectAdvice::Now)
    );
    for expected in &heard[2..] {
        let got = other.event().await;
        assert_eq!(
            (got.message.as_str(), got.share),
            (expected.message.as_str(), expected.share)
        );
        assert!(other.commit(&got).await.unwrap());
    }
    let refused = slow.commit(&heard[4]).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused)),
        (Code::Aborted, "CURSOR_SUPERSEDED".into())
    );
    balanced(&a, 1).await;
}

#[tokio::test]
async fn no_more_than_the_window_is_under_way() {
    let world = World::new().await;
    let a = world.serve().await;
    create(&a, SubscriptionType::Shared, 600_000).await;
    let request = AgentEventsRequest {
        max_uncommitted: 7,
        ..reading()
    };
    let mut member = Member::open_with(&a, "narrow", request).await;
    let said = messages(0, 30, 4);
    world.say(&[&a], &said).await;
    let mut heard = Vec::new();
    while let Some(got) = member.event_within(Duration::from_millis(700)).await {
        heard.push(got);
    }
    assert_eq!(heard.len(), 7);
    while heard.len() < 30 {
        let last = heard.last().unwrap().clone();
        member.commit(&last).await.unwrap();
        heard.push(member.event().await);
        while let Some(got) = member.event_within(Duration::from_millis(1)).await {
            heard.push(got);
        }
        // Those of other shares than the last event's are freed by their own commits.
        let mut newest: BTreeMap<i32, Got> = BTreeMap::new();
        newest.extend(heard.iter().map(|got| (got.share, got.clone())));
        for got in newest.values() {
            member.commit(got).await.unwrap();
        }
    }
    assert_eq!(texts(&heard), said);
}

#[tokio::test]
async fn a_redis_that_restarts_in_the_middle_is_waited_for() {
    let redis = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let world = World::on(Arc::new(redis)).await;
    let (a, b) = tokio::join!(world.serve(), world.serve());
    create(&a, SubscriptionType::Shared, 60_000).await;
    let (mut one, mut two) = (Member::open(&a, "one").await, Member::open(&b, "two").await);
    balanced(&a, 2).await;
    world.say(&[&a], &messages(0, 20, 20)).await;
    let mut heard: Vec<Got> = Vec::new();
    while heard.len() < 20 {
        for member in [&mut one, &mut two] {
            if let Some(got) = member.event_within(Duration::from_millis(20)).await {
                heard.push(got);
            }
        }
    }
    world.redis.restart();
    // The leases hold: what was given before is committed, and nothing comes twice.
    for got in &heard {
        let with = if got.member == "one" { &mut one } else { &mut two };
        eventually("the commit is taken", async || with.commit(got).await.ok()).await;
    }
    world.say(&[&a], &messages(20, 20, 20)).await;
    let mut more: Vec<Got> = Vec::new();
    while more.len() < 20 {
        for member in [&mut one, &mut two] {
            if let Some(got) = member.event_within(Duration::from_millis(20)).await {
                member.commit(&got).await.unwrap();
                more.push(got);
            }
        }
    }
    assert_eq!(texts(&more), messages(20, 20, 20));
}
