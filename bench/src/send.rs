//! `SendMessage` against the same POST made directly.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bytes::Bytes;
use chatbridge::{
    event::{ConversationKey, TenantId},
    grpc::proto::{
        AuthorType, MessageInput, SendMessageRequest, conversation_service_client::ConversationServiceClient,
    },
    store::{
        Announcement, AwaitedEcho, Concluded, Finished, IdempotencyKey, LedgerKey, LedgerKind, Retention,
        Store as _,
        redis::{RedisSettings, RedisStore, RedisTls},
    },
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

/// Who answers upstream.
#[derive(Clone, Copy)]
pub(crate) enum Upstream {
    /// The sandbox, which computes.
    Sandbox,
    /// A server that waits.
    Waits(Duration),
}

/// What a round measured.
struct Round {
    direct_one: Run,
    ours_one: Run,
    grpc: Run,
    redis: Run,
    direct_many: Run,
    ours_many: Run,
}

pub(crate) async fn measure(
    stage: &Stage,
    upstream: Upstream,
    effort: f64,
    report: &mut Report,
) -> Result<()> {
    let calls = |full: usize| ((full as f64 * effort) as usize).max(MANY * 2);
    let (name, waits) = match upstream {
        Upstream::Sandbox => ("the sandbox".to_owned(), false),
        Upstream::Waits(delay) => (format!("an upstream that takes {} ms", delay.as_millis()), true),
    };
    // A call that only waits does so at any effort.
    let alone = if waits { 200 } else { 1000 };
    let door = Door::open(stage).await?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(Round {
            direct_one: closed_loop(1, calls(alone), async || door.direct().await).await?,
            ours_one: closed_loop(1, calls(alone), async || door.ours().await).await?,
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
    let floor = grpc + redis;
    report.row(
        format!("added p50 of SendMessage, 1 in flight, {name}"),
        format!("{floor:.0} µs = gRPC {grpc:.0} + Redis {redis:.0}"),
        format!("{:.0} µs = {ours:.0} − {direct:.0} direct", ours - direct),
        (ours - direct) / floor,
        // Where a call waits, processors and caches have cooled down by the time it goes on, unlike those of the floor.
        if waits { Goal::None } else { Goal::AtMost(1.2) },
    );
    let (direct, ours) = (
        rate(|r| r.direct_many.per_second),
        rate(|r| r.ours_many.per_second),
    );
    report.row(
        format!("SendMessage a second, {MANY} in flight, {name}"),
        format!("{direct:.0}/s direct"),
        format!("{ours:.0}/s"),
        ours / direct,
        // Where the upstream computes on the same cores, it is part of what is measured.
        if waits { Goal::AtLeast(0.8) } else { Goal::None },
    );
    let (direct, ours) = (us(|r| r.direct_many.p99), us(|r| r.ours_many.p99));
    report.row(
        format!("p99 of SendMessage, {MANY} in flight, {name}"),
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
    store: RedisStore,
    sends: AtomicU64,
}

impl Door {
    async fn open(stage: &Stage) -> Result<Self> {
        let channel = Channel::from_shared(stage.grpc.clone())?
            .tcp_nodelay(true)
            .connect()
            .await?;
        let store = RedisStore::connect(RedisSettings {
            url: stage.redis.clone().into(),
            tls: RedisTls::default(),
            prefix: "bench".to_owned(),
            partitions: 16,
            retention: Retention::default(),
            wait: None,
            claims: None,
            master_keys: None,
        });
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
            store: store.await?,
            sends: AtomicU64::new(0),
        })
    }

    /// A message that nobody else sends.
    fn text(&self) -> String {
        let n = self.sends.fetch_add(1, Ordering::Relaxed);
        format!("{TEXT} I bought it on {n}.")
    }

    /// The POST that Chatbridge makes, made here.
    async fn direct(&self) -> Result<()> {
        let answer = self
            .http
            .post(&self.messages)
            .header("x-api-key", API_KEY)
            .header("x-8x8-tenant", TENANT)
            .json(&json!({ "authorType": "bot", "text": self.text() }))
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
                text: self.text(),
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

    /// The round trips to Redis that a send with a `request_id` makes, one after another.
    async fn bare_redis(&self) -> Result<()> {
        let n = self.sends.fetch_add(1, Ordering::Relaxed);
        let tenant = TenantId::new(TENANT);
        let record = IdempotencyKey {
            tenant: tenant.clone(),
            caller: String::new(),
            method: "SendMessage",
            request_id: uuid::Uuid::new_v4().to_string(),
        };
        let print = format!("{n:032x}");
        let announcement = Announcement {
            telling: None,
            ledger: LedgerKey {
                key: ConversationKey::new(tenant, self.conversation.clone()),
                kind: LedgerKind::Send,
                print: print.clone(),
            },
            token: record.request_id.clone(),
            echo: Some(AwaitedEcho {
                fingerprint: print,
                request_id: record.request_id.clone(),
            }),
        };
        self.store.begin(&record, &[7; 32], b"{}", n, 120_000).await?;
        self.store.announce(&announcement).await?;
        let answer = Finished::Done(Bytes::from_static(b"{\"accepted_ms\":1795000000000}"));
        let accepted = Concluded::Accepted(String::new());
        let (finished, concluded) = tokio::join!(
            self.store.finish(&record, n, &answer),
            self.store.conclude(&announcement, &accepted)
        );
        finished?;
        concluded?;
        Ok(())
    }
}
