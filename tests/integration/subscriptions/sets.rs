//! Both kinds of subscriptions where Redis is more than one server, through a fail-over.

use std::collections::BTreeSet;

use chatbridge::grpc::proto::{
    AgentEventsRequest, AgentEventsResponse, GapPolicy, SubscriptionType,
    agent_event_service_client::AgentEventServiceClient, agent_events_response::Payload,
};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tonic::{Code, Streaming};

use super::{World, balanced, commit, create, get, got, messages, reading};
use crate::support::{
    service::{PATIENCE, Service, eventually},
    topologies::{RedisCluster, SentinelSet},
};

/// A worker that follows the advice: reads, commits, and comes back after any end.
async fn work(service: String, name: &'static str, to: mpsc::UnboundedSender<String>) {
    let channel = tonic::transport::Channel::from_shared(service).unwrap();
    let mut client = AgentEventServiceClient::new(channel.connect().await.unwrap());
    let request = AgentEventsRequest {
        gap_policy: GapPolicy::Earliest.into(),
        member_name: name.into(),
        ..reading()
    };
    loop {
        if let Ok(stream) = client.agent_events(request.clone()).await {
            let stream: Streaming<AgentEventsResponse> = stream.into_inner();
            read(stream, &mut client, name, &to).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

async fn read(
    mut stream: Streaming<AgentEventsResponse>,
    client: &mut AgentEventServiceClient<tonic::transport::Channel>,
    name: &str,
    to: &mpsc::UnboundedSender<String>,
) {
    while let Ok(Some(response)) = stream.message().await {
        match response.payload.unwrap() {
            Payload::Event(event) => {
                let message = got(name, event, response.share, response.cursor.clone()).message;
                let _ = to.send(message);
            }
            Payload::Gap(_) => {}
            _ => continue,
        }
        while let Err(refused) = commit(client, &response.cursor).await {
            match refused.code() {
                Code::Unavailable => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                Code::Aborted => break,
                _ => panic!("{refused}"),
            }
        }
    }
}

/// One kind of subscription, and its workers.
struct Works {
    world: World,
    services: [Service; 2],
    from: mpsc::UnboundedReceiver<String>,
    said: BTreeSet<String>,
    heard: BTreeSet<String>,
    _workers: Vec<AbortOnDropHandle<()>>,
}

impl Works {
    async fn begin(url: String, kind: SubscriptionType) -> Self {
        let world = World::at(url).await;
        let (a, b) = tokio::join!(world.serve(), world.serve());
        create(&a, kind, 3_000).await;
        let (to, from) = mpsc::unbounded_channel();
        let workers = match kind {
            SubscriptionType::Shared => vec![(&a, "one"), (&b, "two")],
            _ => vec![(&b, "only")],
        };
        let workers = workers
            .into_iter()
            .map(|(service, name)| {
                AbortOnDropHandle::new(tokio::spawn(work(service.grpc.clone(), name, to.clone())))
            })
            .collect();
        if kind == SubscriptionType::Shared {
            balanced(&a, 2).await;
        }
        Self {
            world,
            services: [a, b],
            from,
            said: BTreeSet::new(),
            heard: BTreeSet::new(),
            _workers: workers,
        }
    }

    /// Says something, and waits until all that was ever said was heard.
    async fn say(&mut self, from: usize) {
        let said = messages(from, 40, 20);
        self.world
            .say(&[&self.services[0], &self.services[1]], &said)
            .await;
        self.said.extend(said);
        while self.heard != self.said {
            let heard = tokio::time::timeout(PATIENCE, self.from.recv()).await;
            let missing = || self.said.difference(&self.heard).collect::<Vec<_>>();
            let heard = heard.unwrap_or_else(|_| panic!("{:?} did not come", missing()));
            self.heard.insert(heard.unwrap());
        }
    }

    async fn all_is_committed(&self) {
        eventually("all is committed", async || {
            let shown = get(&self.services[0]).await.ok()?;
            (shown.lag_at_most == 0 && shown.last_commit_time.is_some()).then_some(())
        })
        .await;
    }
}

async fn live_through(url: String, fail_over: impl FnOnce()) {
    let (mut shared, mut durable) = tokio::join!(
        Works::begin(url.clone(), SubscriptionType::Shared),
        Works::begin(url, SubscriptionType::Durable)
    );
    tokio::join!(shared.say(0), durable.say(0));
    tokio::join!(shared.all_is_committed(), durable.all_is_committed());
    fail_over();
    tokio::join!(shared.say(40), durable.say(40));
    tokio::join!(shared.all_is_committed(), durable.all_is_committed());
    balanced(&shared.services[0], 2).await;
}

#[tokio::test]
async fn subscriptions_go_on_where_a_sentinel_names_another_master() {
    let set = SentinelSet::start();
    live_through(set.url(), || set.master().kill()).await;
}

#[tokio::test]
async fn subscriptions_go_on_where_a_node_of_a_cluster_fails() {
    let cluster = RedisCluster::start();
    live_through(cluster.url(), || cluster.masters()[0].kill()).await;
}
