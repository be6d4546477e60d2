//! Named subscriptions: real replicas on a real Redis, and simulated ones of which many things go wrong.

mod door;
mod durable;
mod erased;
mod gaps;
mod ledger;
mod limits;
mod openings;
mod operator;
mod sets;
mod shared;
mod simulation;
mod status;

use std::time::{Duration, Instant};

use bytes::Bytes;
use chatbridge::grpc::proto::{
    AgentEvent, AgentEventsRequest, AgentEventsResponse, CommitCursorRequest, CreateSubscriptionRequest,
    Ending, GetSubscriptionRequest, GetSubscriptionResponse, Subscription, SubscriptionType,
    agent_event::Body, agent_event_service_client::AgentEventServiceClient, agent_events_response::Payload,
    subscription_service_client::SubscriptionServiceClient,
};
use tonic::{Code, Status, Streaming, transport::Channel};

use crate::support::{
    redis::{RedisServer, unique_prefix},
    service::{PATIENCE, Service, eventually},
    vendor::{TENANT, Vendor},
};

pub(crate) const NAME: &str = "orders";

/// A vendor, and services on one Redis.
struct World {
    vendor: Vendor,
    vendor_url: String,
    redis: std::sync::Arc<RedisServer>,
    redis_url: String,
    prefix: String,
}

impl World {
    async fn new() -> Self {
        Self::on(RedisServer::shared()).await
    }

    async fn on(redis: std::sync::Arc<RedisServer>) -> Self {
        let vendor = Vendor::start().await;
        Self {
            vendor_url: vendor.server.uri(),
            vendor,
            redis_url: redis.url(),
            redis,
            prefix: unique_prefix(),
        }
    }

    /// On whatever Redis this URL names.
    async fn at(url: String) -> Self {
        Self {
            redis_url: url,
            ..Self::new().await
        }
    }

    async fn serve(&self) -> Service {
        Service::start(&[
            ("gateway_url", self.vendor_url.as_str()),
            ("tenant", TENANT),
            ("api_key", "k3y"),
            ("redis_url", self.redis_url.as_str()),
            ("redis_prefix", self.prefix.as_str()),
            ("heartbeat_ms", "200"),
            ("drain_spread_ms", "100"),
        ])
        .await
    }

    /// Appends messages through replicas by turns: `MESSAGE@CONVERSATION`.
    async fn say(&self, doors: &[&Service], messages: &[String]) {
        for (i, message) in messages.iter().enumerate() {
            let (text, conversation) = message.split_once('@').unwrap();
            let webhook = self.vendor.message(conversation, text);
            let door = &doors[i % doors.len()].webhook;
            eventually("the webhook is taken", async || {
                (self.vendor.deliver(door, &webhook).await == 204).then_some(())
            })
            .await;
        }
    }
}

/// `count` messages, numbered from `from` on, over so many conversations.
fn messages(from: usize, count: usize, conversations: usize) -> Vec<String> {
    (from..from + count)
        .map(|n| format!("m{n:04}@conv-{}", n % conversations))
        .collect()
}

/// What an operator calls.
async fn subscriptions(service: &Service) -> SubscriptionServiceClient<Channel> {
    SubscriptionServiceClient::new(service.channel().await)
}

fn lease(ms: u64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration {
        seconds: (ms / 1000).cast_signed(),
        nanos: i32::try_from(ms % 1000 * 1_000_000).unwrap(),
    })
}

async fn create(service: &Service, kind: SubscriptionType, lease_ms: u64) -> Subscription {
    let subscription = Subscription {
        name: NAME.into(),
        r#type: kind.into(),
        lease: lease(lease_ms),
        ..Subscription::default()
    };
    let request = CreateSubscriptionRequest {
        tenant: String::new(),
        subscription: Some(subscription),
    };
    let created = subscriptions(service).await.create_subscription(request).await;
    created.unwrap().into_inner().subscription.unwrap()
}

async fn get(service: &Service) -> Result<Subscription, Status> {
    let request = GetSubscriptionRequest {
        tenant: String::new(),
        name: NAME.into(),
    };
    let got: GetSubscriptionResponse = subscriptions(service)
        .await
        .get_subscription(request)
        .await?
        .into_inner();
    Ok(got.subscription.unwrap())
}

/// Waits until so many members hold all shares among them, none two more than another.
async fn balanced(service: &Service, members: usize) {
    eventually("the shares are split evenly", async || {
        let found = get(service).await.ok()?.members;
        let shares: Vec<i32> = found.iter().map(|member| member.shares).collect();
        let (least, most) = (shares.iter().min()?, shares.iter().max()?);
        (found.len() == members && shares.iter().sum::<i32>() == 256 && most - least <= 1).then_some(())
    })
    .await;
}

/// A stream of the subscription.
struct Member {
    name: String,
    stream: Streaming<AgentEventsResponse>,
    client: AgentEventServiceClient<Channel>,
}

/// An event that a member got.
#[derive(Debug, Clone)]
struct Got {
    member: String,
    /// `MESSAGE@CONVERSATION`.
    message: String,
    sequence: u64,
    share: i32,
    cursor: Bytes,
}

fn got(member: &str, event: AgentEvent, share: i32, cursor: Bytes) -> Got {
    let Some(Body::Message(message)) = event.body else {
        panic!("a message was awaited, and there came {:?}", event.body);
    };
    Got {
        member: member.to_owned(),
        message: format!("{}@{}", message.text, event.conversation_id),
        sequence: event.sequence,
        share,
        cursor,
    }
}

impl Member {
    async fn open(service: &Service, name: &str) -> Self {
        let request = AgentEventsRequest {
            member_name: name.into(),
            ..reading()
        };
        Self::open_with(service, name, request).await
    }

    async fn open_with(service: &Service, name: &str, request: AgentEventsRequest) -> Self {
        let mut client = AgentEventServiceClient::new(service.channel().await);
        let stream = eventually("the stream opens", async || {
            match client.agent_events(request.clone()).await {
                Ok(answer) => Some(answer.into_inner()),
                Err(status) if status.code() == Code::Unavailable => None,
                Err(status) => panic!("the stream is refused: {status}"),
            }
        })
        .await;
        let mut member = Self {
            name: name.into(),
            stream,
            client,
        };
        let (first, ..) = member.next().await.unwrap();
        assert!(matches!(first, Payload::Heartbeat(_)), "{first:?}");
        member
    }

    async fn next(&mut self) -> Result<(Payload, i32, Bytes), Status> {
        let response = tokio::time::timeout(PATIENCE, self.stream.message())
            .await
            .expect("a response, at least a heartbeat")?
            .ok_or_else(|| Status::ok("the stream ended"))?;
        Ok((response.payload.unwrap(), response.share, response.cursor))
    }

    /// The next event; `None` where none came in that time.
    async fn event_within(&mut self, wait: Duration) -> Option<Got> {
        let deadline = Instant::now() + wait;
        while Instant::now() < deadline {
            match self.next().await.unwrap() {
                (Payload::Event(event), share, cursor) => return Some(got(&self.name, event, share, cursor)),
                (Payload::Heartbeat(_), ..) => {}
                other => panic!("{other:?}"),
            }
        }
        None
    }

    async fn event(&mut self) -> Got {
        self.event_within(PATIENCE).await.expect("an event")
    }

    /// How the stream ends, events left out.
    async fn ending(&mut self) -> Ending {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let (Payload::Ending(ending), ..) = self.next().await.unwrap() {
                return ending;
            }
        }
        panic!("the stream did not end");
    }

    async fn commit(&mut self, got: &Got) -> Result<bool, Status> {
        commit(&mut self.client, &got.cursor).await
    }
}

fn reading() -> AgentEventsRequest {
    AgentEventsRequest {
        subscription: NAME.into(),
        ..AgentEventsRequest::default()
    }
}

async fn commit(client: &mut AgentEventServiceClient<Channel>, cursor: &Bytes) -> Result<bool, Status> {
    let request = CommitCursorRequest {
        tenant: String::new(),
        subscription: NAME.into(),
        cursor: cursor.clone(),
    };
    Ok(client.commit_cursor(request).await?.into_inner().moved)
}

fn reason(status: &Status) -> String {
    use tonic_types::StatusExt as _;
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}
