//! Puts the service together and runs it: three listeners, the live feed, and the watch over the store.

mod accept;
mod admin;
mod facts;
mod grpc;
mod health;
mod loglevel;
mod reload;
mod status;
mod tenants;
pub mod webhooks;

use std::{
    future::Future,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::{
    net::TcpListener,
    sync::{Mutex, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tonic_health::{pb::health_server::HealthServer, server::HealthReporter};
use tracing::{info, warn};

pub(crate) use self::tenants::gateway;
use self::{
    reload::Reloader,
    status::{Reporter, StoreState},
    tenants::Made,
};
use crate::{
    access::Access,
    agents::{AgentNames, HttpSettings, UrlTemplate},
    chat_v2::{self, ChatV2},
    config::Config,
    conversation::{Conversations, settle},
    fanout::Hub,
    gateway::UpstreamError,
    grpc::events::Drain,
    store::{
        SharedStore, Store, StoreError,
        chat_v2::{ChatV2Store, SharedChatV2},
        janitor,
        memory::MemoryStore,
        outbox::{OutboxStore, SharedOutbox},
        redis::{RedisSettings, RedisStore},
        subscription::{SharedSubscriptions, SubscriptionStore},
    },
    subscription::Subscriptions,
    telemetry::{self, traces},
    tenant::Tenants,
    tls::{Endpoint, TlsError, TlsFiles},
    webhook::{Ingress, IngressSettings, KeyCache, KeyCacheSettings, Served, Sources},
};

/// How long the start waits for Redis.
const STORE_WAIT: Duration = Duration::from_secs(30);
const STORE_RETRY: Duration = Duration::from_secs(1);
/// How long the last spans have to get out, however late it is.
const FLUSH_MIN: Duration = Duration::from_millis(500);
/// Whether the replica stops: 1 or 0.
const DRAINING: &str = "chatbridge_draining";

/// The ports, bound by the caller.
#[derive(Debug)]
pub struct Listeners {
    /// gRPC and gRPC-Web.
    pub grpc: TcpListener,
    /// The webhook door.
    pub webhook: TcpListener,
    /// Metrics and probes.
    pub admin: TcpListener,
    /// Chat API v2, where it is served.
    pub chat_v2: Option<TcpListener>,
}

impl Listeners {
    /// Binds the addresses of the configuration.
    pub async fn bind(config: &Config) -> Result<Self, ServeError> {
        let bind = async |name: &str, address: std::net::SocketAddr| {
            TcpListener::bind(address).await.map_err(|error| {
                ServeError::Listen(format!(
                    "CHATBRIDGE_{name}_LISTEN: cannot listen on {address}: {error}; stop what uses it, or choose another"
                ))
            })
        };
        Ok(Self {
            grpc: bind("GRPC", config.grpc_listen).await?,
            webhook: bind("WEBHOOK", config.webhook_listen).await?,
            admin: bind("ADMIN", config.admin_listen).await?,
            chat_v2: match &config.chat_v2 {
                Some(chat_v2) => Some(bind("CHAT_V2", chat_v2.listen).await?),
                None => None,
            },
        })
    }
}

/// Why the service did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address is taken or not ours.
    #[error("{0}")]
    Listen(String),
    /// A port's certificate cannot be used.
    #[error("the certificate of the {port} port: {error}")]
    Tls {
        /// `grpc`, `webhook` or `chat_v2`, as its settings begin.
        port: &'static str,
        /// What is wrong, and with which file.
        error: TlsError,
    },
    /// The store could not be had.
    #[error("Redis, as CHATBRIDGE_REDIS_URL names it: {0}")]
    Store(#[from] StoreError),
    /// The client of the Chat Gateway could not be made.
    #[error("Chat Gateway: {0}")]
    Gateway(#[from] UpstreamError),
    /// Agents' names cannot be looked up.
    #[error("CHATBRIDGE_AGENT_NAMES_URL: {0}")]
    AgentNames(&'static str),
    /// Traces cannot be exported as they are configured.
    #[error("traces: {0}")]
    Traces(String),
    /// Nothing can be sent to webhooks of Chat API v2.
    #[error("Chat API v2: {0}")]
    ChatV2(&'static str),
    /// A listener failed.
    #[error("a listener failed: {0}")]
    Io(#[from] io::Error),
    /// The gRPC server failed.
    #[error("the gRPC server failed: {0}")]
    Grpc(#[from] tonic::transport::Error),
    /// A built-in descriptor is broken.
    #[error("reflection cannot start: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// A task of ours ended by a panic.
    #[error("a task of the service failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Serves until `shutdown`, then drains: new streams are refused, open ones get an `ending`, and what is still open after
/// the deadline is dropped.
pub async fn serve(
    config: Config,
    listeners: Listeners,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let (metrics, since) = (telemetry::init_metrics(), Instant::now());
    metrics::gauge!(DRAINING).set(0.0);
    chat_v2::deliver::show_nothing();
    let exporter = match &config.traces {
        Some(settings) => traces::start(settings).map_err(ServeError::Traces)?,
        None => None,
    };
    let grpc_tls = endpoint("grpc", config.grpc_tls.clone(), &[b"h2", b"http/1.1"])?;
    let webhook_tls = endpoint("webhook", config.webhook_tls.clone(), &[b"http/1.1"])?;
    let chat_v2_tls = match &config.chat_v2 {
        Some(chat_v2) => endpoint("chat_v2", chat_v2.tls.clone(), &[b"http/1.1"])?,
        None => None,
    };
    let Kept {
        store,
        subscriptions: kept,
        chat_v2: of_chat_v2,
        outbox,
    } = tokio::select! {
        store = open_store(&config) => store?,
        () = shutdown.cancelled() => return Ok(()),
    };
    let made = Made::default().make(&config.tenants)?;
    let tenants = Tenants::new(made.tenants());
    let access = Access::new(config.policy.clone());
    if access.is_open() {
        warn!("callers are not asked who they are: say who may call before others can reach the gRPC port");
    }
    let streams = Arc::new(Drain::default());
    let names = agent_names(&config).await?;
    let hub = Hub::new(SharedStore::clone(&store));
    let subscriptions = Subscriptions::new(Arc::clone(&hub), kept);
    let reporter = HealthReporter::new();
    let health_service = HealthServer::new(health::EndingHealth::new(reporter.clone(), shutdown.clone()));

    let background = CancellationToken::new();
    let sending = background.child_token();
    let mut tasks: JoinSet<Result<(), ServeError>> = JoinSet::new();
    tasks.spawn(forever(Arc::clone(&hub).run(background.clone())));
    let unsettled = settle::run(
        SharedStore::clone(&store),
        tenants.clone(),
        config.settle_after,
        background.clone(),
    );
    tasks.spawn(forever(unsettled));
    let trimming = janitor::run(SharedStore::clone(&store), janitor::EVERY, background.clone());
    tasks.spawn(forever(trimming));
    tasks.spawn(forever(
        subscriptions.clone().watch(tenants.clone(), background.clone()),
    ));
    let calls =
        Conversations::new(SharedStore::clone(&store), tenants.clone()).with_agent_names(names.clone());
    let clients = chat_v2::SharedPolicy::new(
        config
            .chat_v2
            .as_ref()
            .map(|it| it.policy.clone())
            .unwrap_or_default(),
    );
    let reloader = Reloader {
        clients: clients.clone(),
        origin: config.origin.clone(),
        made,
        tenants: tenants.clone(),
        access: access.clone(),
        streams: Arc::clone(&streams),
    };
    let stopped = background.clone();
    tasks.spawn(forever(async move {
        stopped.run_until_cancelled(reloader.run()).await;
    }));
    tasks.spawn(forever(names.clone().watch(background.clone())));
    if let Some(keys) = &config.master_keys {
        tasks.spawn(forever(keys.clone().watch(background.clone())));
    }
    let (store_told, store_state) = watch::channel(StoreState::unknown());
    tasks.spawn(forever(health::watch_store(
        SharedStore::clone(&store),
        reporter,
        store_told,
        shutdown.clone(),
    )));
    tasks.spawn(forever(facts::watch(
        SharedStore::clone(&store),
        background.clone(),
    )));
    let watchdog = grpc::watchdog(&config, &hub);
    let status = Reporter {
        metrics,
        is_redis: config.redis_url.is_some(),
        store: store_state,
        hub: Arc::clone(&hub),
        watchdog: Arc::clone(&watchdog),
        subscriptions: subscriptions.clone(),
        tenants: tenants.clone(),
        draining: shutdown.clone(),
        started: Arc::default(),
        since,
        sessions: Mutex::default(),
    };
    tasks.spawn(admin::serve(
        listeners.admin,
        status,
        health_service.clone(),
        hub.live(),
        background.clone(),
    ));
    let ingress = Ingress::new(
        SharedStore::clone(&store),
        KeyCache::new(Arc::new(tenants.clone()), KeyCacheSettings::default()),
        ingress_settings(&config, &tenants),
    )
    .with_agent_names(names.clone());
    for endpoint in [&grpc_tls, &webhook_tls, &chat_v2_tls].into_iter().flatten() {
        tasks.spawn(forever(Arc::clone(endpoint).watch(background.clone())));
    }
    let port = webhooks::WebhookPort {
        seats: config.webhook_seats,
        connections_per_address: config.webhook_connections_per_address,
        sources: config.webhook_sources.clone(),
        tls: webhook_tls,
    };
    tasks.spawn(forever(webhooks::serve(
        listeners.webhook,
        Arc::new(ingress),
        port,
        background.clone(),
    )));
    if let (Some(listener), Some(chat_v2)) = (listeners.chat_v2, config.chat_v2.clone()) {
        let port = webhooks::WebhookPort {
            seats: chat_v2.seats,
            connections_per_address: chat_v2.connections_per_address,
            sources: Sources::default(),
            tls: chat_v2_tls,
        };
        let facade = ChatV2::new(
            calls.clone(),
            Arc::clone(&of_chat_v2),
            Arc::clone(&outbox),
            chat_v2.settings,
            clients,
        );
        let facade = facade.map_err(ServeError::ChatV2)?;
        let kept = chat_v2::deliver::Kept {
            store: SharedStore::clone(&store),
            outbox,
            chat_v2: of_chat_v2,
            subscriptions: subscriptions.clone(),
        };
        match facade.deliveries(kept, tenants.clone()) {
            Some(deliveries) => drop(tasks.spawn(forever(deliveries.run(sending.clone())))),
            None => warn!("clients of Chat API v2 hear of no events: set chat_v2_signing_key_file"),
        }
        let app = chat_v2::router(Arc::new(facade));
        tasks.spawn(forever(webhooks::host(
            listener,
            app,
            port,
            webhooks::CHAT_V2,
            background.clone(),
        )));
    }
    tasks.spawn(grpc::serve(
        listeners.grpc,
        grpc_tls,
        config.clone(),
        calls,
        tenants,
        access,
        streams,
        hub,
        watchdog,
        subscriptions.clone(),
        health_service,
        shutdown.clone(),
    ));
    info!("chatbridge serves");

    // Whatever ends before the stop was asked for is a failure that must not go unnoticed.
    let early = tokio::select! {
        ended = tasks.join_next() => ended,
        () = shutdown.cancelled() => None,
    };
    shutdown.cancel();
    let result = match early {
        Some(ended) => ended?,
        None => Ok(()),
    };
    let deadline = tokio::time::Instant::now() + config.drain_deadline;
    drain(tasks, &config, deadline, (background, sending), &subscriptions).await;
    if let Some(exporter) = exporter {
        exporter
            .stop(deadline.max(tokio::time::Instant::now() + FLUSH_MIN))
            .await;
    }
    info!("chatbridge stopped");
    result
}

/// Lets the gRPC server end its streams, then stops everything else, all within the deadline.
async fn drain(
    mut tasks: JoinSet<Result<(), ServeError>>,
    config: &Config,
    deadline: tokio::time::Instant,
    (background, sending): (CancellationToken, CancellationToken),
    subscriptions: &Subscriptions,
) {
    metrics::gauge!(DRAINING).set(1.0);
    // The webhook door and the live feed stay until the streams are over, so that nothing is refused or held back.
    let streams_over = config.drain_spread + Duration::from_millis(500);
    let finished = async {
        tokio::time::timeout(streams_over.min(config.drain_deadline), streams_ended(&mut tasks))
            .await
            .ok();
        // It reads a subscription: what it holds of that is given back with the others'.
        sending.cancel();
        subscriptions.close().await;
        background.cancel();
        while tasks.join_next().await.is_some() {}
    };
    if tokio::time::timeout_at(deadline, finished).await.is_err() {
        warn!("the drain deadline passed; what is still open is dropped");
    }
    background.cancel();
    tasks.shutdown().await;
}

/// Waits for the two tasks that end with `shutdown`: the gRPC server and the watch.
async fn streams_ended(tasks: &mut JoinSet<Result<(), ServeError>>) {
    for _ in 0..2 {
        tasks.join_next().await;
    }
}

async fn forever(task: impl Future<Output = ()>) -> Result<(), ServeError> {
    task.await;
    Ok(())
}

/// TLS at a port, where it has a certificate.
fn endpoint(
    port: &'static str,
    files: Option<TlsFiles>,
    alpn: &'static [&'static [u8]],
) -> Result<Option<Arc<Endpoint>>, ServeError> {
    files
        .map(|files| Endpoint::load(port, files, alpn))
        .transpose()
        .map_err(|error| ServeError::Tls { port, error })
}

fn ingress_settings(config: &Config, tenants: &Tenants) -> IngressSettings {
    IngressSettings {
        path_secret: config.webhook_path_secret.clone(),
        max_body_bytes: config.webhook_max_bytes,
        body_timeout: config.webhook_seats.head,
        sources: config.webhook_sources.clone(),
        rates: config.webhook_rates,
        freshness: config.webhook_freshness,
        settle_after_ms: u64::try_from(config.settle_after.as_millis()).unwrap_or(u64::MAX),
        tenants: Served::now(tenants.clone()),
    }
}

/// Where agents' names come from: the settings allow a file or a URL, and none need be.
pub(crate) async fn agent_names(config: &Config) -> Result<AgentNames, ServeError> {
    if let Some(path) = &config.agent_names_file {
        return Ok(AgentNames::from_file(path).await);
    }
    let Some(url) = &config.agent_names_url else {
        return Ok(AgentNames::none());
    };
    let settings = HttpSettings {
        ttl: config.agent_names_ttl,
        ..HttpSettings::default()
    };
    UrlTemplate::parse(url.expose_secret())
        .and_then(|template| AgentNames::from_url(template, settings))
        .map_err(ServeError::AgentNames)
}

/// The store, by all that it keeps.
struct Kept {
    store: SharedStore,
    subscriptions: SharedSubscriptions,
    chat_v2: SharedChatV2,
    outbox: SharedOutbox,
}

impl Kept {
    fn of<T: Store + SubscriptionStore + ChatV2Store + OutboxStore>(store: &Arc<T>) -> Self {
        Self {
            store: Arc::clone(store) as SharedStore,
            subscriptions: Arc::clone(store) as SharedSubscriptions,
            chat_v2: Arc::clone(store) as SharedChatV2,
            outbox: Arc::clone(store) as SharedOutbox,
        }
    }
}

/// Opens the store, waiting a while for a Redis that starts together with us.
async fn open_store(config: &Config) -> Result<Kept, ServeError> {
    let Some(url) = &config.redis_url else {
        warn!(
            "sessions and events are kept in memory: nothing survives this process, and nothing is shared with another"
        );
        if config.master_keys.is_some() {
            warn!("master keys encrypt what is in Redis, and there is none: they are not used");
        }
        let store = Arc::new(MemoryStore::new(config.partitions, config.retention));
        return Ok(Kept::of(&store));
    };
    let started = tokio::time::Instant::now();
    loop {
        match RedisStore::connect(redis_settings(config, url.clone())).await {
            Ok(store) => {
                return Ok(Kept::of(&Arc::new(store)));
            }
            Err(StoreError::Unavailable(error)) if started.elapsed() < STORE_WAIT => {
                warn!(error, "Redis is not there yet; trying again");
                tokio::time::sleep(STORE_RETRY).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Where the store is and what it keeps, as it is configured.
pub(crate) fn redis_settings(config: &Config, url: SecretString) -> RedisSettings {
    RedisSettings {
        url,
        tls: config.redis_tls.clone(),
        prefix: config.redis_prefix.clone(),
        partitions: config.partitions,
        retention: config.retention,
        wait: config.redis_wait,
        claims: None,
        master_keys: config.master_keys.clone(),
    }
}
