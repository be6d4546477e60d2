//! Redis goes away under open streams, and comes back with all, with less, or with nothing.

use super::*;

struct Outage {
    redis: RedisServer,
    vendor: Vendor,
    service: Service,
}

impl Outage {
    async fn new() -> Self {
        let redis = RedisServer::start();
        let vendor = Vendor::start().await;
        let (vendor_url, redis_url, prefix) = (vendor.server.uri(), redis.url(), unique_prefix());
        let service = Service::start(&settings(&vendor_url, &redis_url, &prefix)).await;
        Self {
            redis,
            vendor,
            service,
        }
    }

    async fn say(&self, text: &str) {
        let webhook = self.vendor.message("c", text);
        eventually("the webhook is taken", async || {
            (self.vendor.deliver(&self.service.webhook, &webhook).await == 204).then_some(())
        })
        .await;
    }

    /// What Redis will have when it starts again.
    async fn save(&self) {
        let mut direct = self.redis.connection().await;
        redis::cmd("SAVE").query_async::<()>(&mut direct).await.unwrap();
    }
}

fn lenient(policy: GapPolicy) -> AgentEventsRequest {
    AgentEventsRequest {
        gap_policy: policy.into(),
        ..AgentEventsRequest::default()
    }
}

/// Reads on until this text; the gaps before it, and how many events.
async fn until(events: &mut Events, text: &str) -> (Vec<GapReason>, usize) {
    let (mut gaps, mut count) = (Vec::new(), 0);
    loop {
        match events.next().await.unwrap() {
            Payload::Gap(gap) => gaps.push(gap.reason()),
            Payload::Heartbeat(_) => {}
            Payload::Event(event) => match event.body {
                Some(Body::Message(message)) if message.text == text => return (gaps, count),
                _ => count += 1,
            },
            other => panic!("there came {other:?}"),
        }
    }
}

#[tokio::test]
async fn while_redis_is_away_heartbeats_go_on_and_their_cursor_stays() {
    let outage = Outage::new().await;
    let mut events = outage.service.events(AgentEventsRequest::default()).await;
    outage.say("before").await;
    assert_eq!(until(&mut events, "before").await, (vec![], 0));
    outage.save().await;
    let cursor = events.cursor.clone();
    outage.redis.stop();
    for _ in 0..5 {
        assert!(matches!(events.next().await, Ok(Payload::Heartbeat(_))));
        assert_eq!(events.cursor, cursor, "nothing was read meanwhile");
    }
    outage.redis.restart();
    outage.say("after").await;
    assert_eq!(until(&mut events, "after").await, (vec![], 0));
}

#[tokio::test]
async fn a_fail_over_to_a_log_that_was_behind_is_one_gap_and_then_goes_on() {
    for policy in [GapPolicy::Latest, GapPolicy::Earliest] {
        let outage = Outage::new().await;
        let mut events = outage.service.events(lenient(policy)).await;
        outage.say("kept").await;
        outage.save().await;
        for text in ["lost 1", "lost 2"] {
            outage.say(text).await;
        }
        assert_eq!(until(&mut events, "lost 2").await, (vec![], 2));
        outage.redis.restart();
        for text in ["1", "2", "3", "4", "5"] {
            outage.say(text).await;
        }
        let gap = loop {
            match events.next().await.unwrap() {
                Payload::Gap(gap) => break gap.reason(),
                Payload::Heartbeat(_) => {}
                other => panic!("a gap was awaited, and there came {other:?}"),
            }
        };
        assert_eq!(gap, GapReason::Rewound, "{policy:?}");
        outage.say("6").await;
        let (more_gaps, count) = until(&mut events, "6").await;
        assert_eq!(more_gaps, [], "it is told once");
        match policy {
            GapPolicy::Earliest => assert_eq!(count, 6, "what is left, from the beginning"),
            _ => assert_eq!(count, 0, "what comes from the gap on"),
        }
        outage.say("7").await;
        assert_eq!(until(&mut events, "7").await, (vec![], 0), "nothing comes twice");
    }
}

#[tokio::test]
async fn a_log_that_came_back_empty_is_one_gap_and_then_goes_on() {
    let outage = Outage::new().await;
    let mut events = outage.service.events(lenient(GapPolicy::Earliest)).await;
    outage.say("before").await;
    assert_eq!(until(&mut events, "before").await, (vec![], 0));
    outage.redis.restart();
    for text in ["1", "2"] {
        outage.say(text).await;
    }
    assert_eq!(until(&mut events, "2").await, (vec![GapReason::Wiped], 1));
    outage.say("3").await;
    assert_eq!(until(&mut events, "3").await, (vec![], 0));
}
