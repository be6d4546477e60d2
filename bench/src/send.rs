//! `SendMessage` against the same POST made directly.

use std::time::Duration;

use chatbridge::grpc::proto::{
    AuthorType, MessageInput, SendMessageRequest, conversation_service_client::ConversationServiceClient,
};
use serde_json::json;
use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    Result,
    load::{Run, closed_loop, median},
    parts::{API_KEY, Stage, TENANT},
    report::{Goal, Report},
};

/// The parts take turns, so that a noisy moment hits all of them.
const ROUNDS: usize = 5;
const MANY: usize = 64;
const TEXT: &str = "The kettle leaks where the spout is joined. Could you send another one?";
/// Round trips to Redis that one send with a `request_id` waits for, one after another.
const ROUND_TRIPS: f64 = 3.0;

/// What a round measured.
struct Round {
    direct_one: Run,
    ours_one: Run,
    grpc: Run,
    redis: Run,
    direct_many: Run,
    ours_many: Run,
}

pub(crate) async fn measure(stage: &Stage, upstream: &str, effort: f64, report: &mut Report) -> Result<()> {
    let calls = |full: usize| ((full as f64 * effort) as usize).max(MANY * 2);
    let door = Door::open(stage).await?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(Round {
            direct_one: closed_loop(1, calls(1000), async || door.direct().await).await?,
            ours_one: closed_loop(1, calls(1000), async || door.ours().await).await?,
            grpc: closed_loop(1, calls(2000), async || door.bare_grpc().await).await?,
            redis: closed_loop(1, calls(2000), async || door.bare_redis().await).await?,
            direct_many: closed_loop(MANY, calls(6000), async || door.direct().await).await?,
            ours_many: closed_loop(MANY, calls(6000), async || door.ours().await).await?,
        });
    }
    let us = |of: fn(&Round) -> Duration| median(rounds.iter().map(|r| of(r).as_secs_f64() * 1e6).collect());
    let rate = |of: fn(&Round) -> f64| median(rounds.iter().map(of).collect());

    let (direct, ours) = (us(|r| r.direct_one.p50), us(|r| r.ours_one.p50));
    let (grpc, redis) = (us(|r| r.grpc.p50), us(|r| r.redis.p50));
    let floor = grpc + ROUND_TRIPS * redis;
    report.row(
        format!("added p50 of SendMessage, 1 in flight, {upstream}"),
        format!("{floor:.0} µs = gRPC {grpc:.0} + {ROUND_TRIPS:.0} × Redis {redis:.0}"),
        format!("{:.0} µs = {ours:.0} − {direct:.0} direct", ours - direct),
        (ours - direct) / floor,
        Goal::AtMost(1.2),
    );
    let (direct, ours) = (
        rate(|r| r.direct_many.per_second),
        rate(|r| r.ours_many.per_second),
    );
    let waits = upstream.contains("takes");
    report.row(
        format!("SendMessage a second, {MANY} in flight, {upstream}"),
        format!("{direct:.0}/s direct"),
        format!("{ours:.0}/s"),
        ours / direct,
        // Where the upstream computes on the same cores, it is part of what is measured.
        if waits { Goal::AtLeast(0.8) } else { Goal::None },
    );
    let (direct, ours) = (us(|r| r.direct_many.p99), us(|r| r.ours_many.p99));
    report.row(
        format!("p99 of SendMessage, {MANY} in flight, {upstream}"),
        format!("{direct:.0} µs direct"),
        format!("{ours:.0} µs"),
        ours / direct,
        Goal::None,
    );
    Ok(())
}

/// The ways to what is measured.
struct Door {
    http: reqwest::Client,
    messages: String,
    conversation: String,
    conversations: ConversationServiceClient<Channel>,
    health: HealthClient<Channel>,
    redis: redis::aio::MultiplexedConnection,
}

impl Door {
    async fn open(stage: &Stage) -> Result<Self> {
        let channel = Channel::from_shared(stage.grpc.clone())?
            .tcp_nodelay(true)
            .connect()
            .await?;
        let redis = redis::Client::open(stage.redis.as_str())?;
        let conversation = &stage.conversation;
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?,
            messages: format!(
                "{}/chat-gateway/v1/conversations/{conversation}/messages",
                stage.upstream
            ),
            conversation: conversation.clone(),
            conversations: ConversationServiceClient::new(channel.clone()),
            health: HealthClient::new(channel),
            redis: redis.get_multiplexed_async_connection().await?,
        })
    }

    /// The POST that Chatbridge makes, made here.
    async fn direct(&self) -> Result<()> {
        let answer = self
            .http
            .post(&self.messages)
            .header("x-api-key", API_KEY)
            .header("x-8x8-tenant", TENANT)
            .json(&json!({ "authorType": "bot", "text": TEXT }))
            .send()
            .await?
            .error_for_status()?;
        answer.bytes().await?;
        Ok(())
    }

    /// The same through Chatbridge, each with a `request_id` of its own.
    async fn ours(&self) -> Result<()> {
        let request = SendMessageRequest {
            tenant: String::new(),
            conversation_id: self.conversation.clone(),
            request_id: uuid::Uuid::new_v4().to_string(),
            message: Some(MessageInput {
                author_type: AuthorType::Bot.into(),
                text: TEXT.to_owned(),
                ..MessageInput::default()
            }),
        };
        self.conversations.clone().send_message(request).await?;
        Ok(())
    }

    async fn bare_grpc(&self) -> Result<()> {
        self.health.clone().check(HealthCheckRequest::default()).await?;
        Ok(())
    }

    async fn bare_redis(&self) -> Result<()> {
        let mut connection = self.redis.clone();
        redis::cmd("PING").exec_async(&mut connection).await?;
        Ok(())
    }
}
