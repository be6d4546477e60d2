//! Puts the service together and runs it: three listeners, the live feed, and the watch over the store.

mod accept;
mod admin;
mod grpc;
mod health;

use std::{future::Future, io, sync::Arc, time::Duration};

use secrecy::ExposeSecret as _;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tonic_health::{pb::health_server::HealthServer, server::HealthReporter};
use tracing::{info, warn};

use crate::{
    agents::{AgentNames, HttpSettings, UrlTemplate},
    config::Config,
    conversation::{Conversations, settle},
    fanout::Hub,
    gateway::{Gateway, GatewaySettings, Resilience, UpstreamError},
    store::{
        SharedStore, StoreError, janitor,
        memory::MemoryStore,
        redis::{RedisSettings, RedisStore},
        subscription::SharedSubscriptions,
    },
    subscription::Subscriptions,
    telemetry,
    tenant::{Tenant, Tenants},
    webhook::{Ingress, IngressSettings, KeyCache, KeyCacheSettings, router},
};

/// How long the start waits for Redis.
const STORE_WAIT: Duration = Duration::from_secs(30);
const STORE_RETRY: Duration = Duration::from_secs(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The ports, bound by the caller.
#[derive(Debug)]
pub struct Listeners {
    /// gRPC and gRPC-Web.
    pub grpc: TcpListener,
    /// The webhook door.
    pub webhook: TcpListener,
    /// Metrics and probes.
    pub admin: TcpListener,
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
        })
    }
}

/// Why the service did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address is taken or not ours.
    #[error("{0}")]
    Listen(String),
    /// The store could not be had.
    #[error("Redis, as CHATBRIDGE_REDIS_URL names it: {0}")]
    Store(#[from] StoreError),
    /// The client of the Chat Gateway could not be made.
    #[error("Chat Gateway: {0}")]
    Gateway(#[from] UpstreamError),
    /// Agents' names cannot be looked up.
    #[error("CHATBRIDGE_AGENT_NAMES_URL: {0}")]
    AgentNames(&'static str),
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
    let metrics = telemetry::init_metrics();
    let (store, kept) = tokio::select! {
        store = open_store(&config) => store?,
        () = shutdown.cancelled() => return Ok(()),
    };
    let gateway = Gateway::new(GatewaySettings {
        base_url: config.gateway_url.clone(),
        api_key: config.api_key.clone(),
        timeout: config.gateway_timeout,
        connect_timeout: CONNECT_TIMEOUT.min(config.gateway_timeout),
        transfer_timeout: config.transfer_timeout,
        resilience: Resilience {
            attempts: config.gateway_attempts,
            rate_per_second: config.gateway_rate_per_second,
            in_flight: config.gateway_in_flight,
            circuit_open: config.gateway_circuit_open,
        },
    })?;
    let tenants = Tenants::new([Tenant {
        id: config.tenant.clone(),
        gateway: gateway.clone(),
        attachment_max_bytes: config.attachment_max_bytes,
    }]);
    let names = agent_names(&config).await?;
    let hub = Hub::new(SharedStore::clone(&store));
    let subscriptions = Subscriptions::new(Arc::clone(&hub), kept);
    let reporter = HealthReporter::new();
    let health_service = HealthServer::new(health::EndingHealth::new(reporter.clone(), shutdown.clone()));

    let background = CancellationToken::new();
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
        subscriptions.clone().watch(tenants.ids(), background.clone()),
    ));
    tasks.spawn(forever(names.clone().watch(background.clone())));
    if let Some(keys) = &config.master_keys {
        tasks.spawn(forever(keys.clone().watch(background.clone())));
    }
    tasks.spawn(forever(health::watch_store(
        SharedStore::clone(&store),
        reporter,
        shutdown.clone(),
    )));
    tasks.spawn(admin::serve(
        listeners.admin,
        metrics,
        health_service.clone(),
        hub.live(),
        shutdown.clone(),
        background.clone(),
    ));
    let ingress = Ingress::new(
        SharedStore::clone(&store),
        KeyCache::new(Arc::new(gateway), KeyCacheSettings::default()),
        ingress_settings(&config),
    )
    .with_agent_names(names.clone());
    tasks.spawn(webhooks(listeners.webhook, Arc::new(ingress), background.clone()));
    tasks.spawn(grpc::serve(
        listeners.grpc,
        config.clone(),
        Conversations::new(store, tenants.clone()).with_agent_names(names),
        tenants,
        hub,
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
    drain(tasks, &config, background, &subscriptions).await;
    result
}

/// Lets the gRPC server end its streams, then stops everything else, all within the deadline.
async fn drain(
    mut tasks: JoinSet<Result<(), ServeError>>,
    config: &Config,
    background: CancellationToken,
    subscriptions: &Subscriptions,
) {
    let deadline = tokio::time::Instant::now() + config.drain_deadline;
    // The webhook door and the live feed stay until the streams are over, so that nothing is refused or held back.
    let streams_over = config.drain_spread + Duration::from_millis(500);
    let finished = async {
        tokio::time::timeout(streams_over.min(config.drain_deadline), streams_ended(&mut tasks))
            .await
            .ok();
        subscriptions.close().await;
        background.cancel();
        while tasks.join_next().await.is_some() {}
    };
    if tokio::time::timeout_at(deadline, finished).await.is_err() {
        warn!("the drain deadline passed; what is still open is dropped");
    }
    background.cancel();
    tasks.shutdown().await;
    info!("chatbridge stopped");
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

fn ingress_settings(config: &Config) -> IngressSettings {
    IngressSettings {
        path_secret: config.webhook_path_secret.clone(),
        max_body_bytes: config.webhook_max_bytes,
        freshness: config.webhook_freshness,
        settle_after_ms: u64::try_from(config.settle_after.as_millis()).unwrap_or(u64::MAX),
        ..IngressSettings::new(vec![config.tenant.clone()])
    }
}

/// Where agents' names come from: the settings allow a file or a URL, and none need be.
async fn agent_names(config: &Config) -> Result<AgentNames, ServeError> {
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

/// Opens the store, waiting a while for a Redis that starts together with us.
async fn open_store(config: &Config) -> Result<(SharedStore, SharedSubscriptions), ServeError> {
    let Some(url) = &config.redis_url else {
        warn!(
            "sessions and events are kept in memory: nothing survives this process, and nothing is shared with another"
        );
        if config.master_keys.is_some() {
            warn!("master keys encrypt what is in Redis, and there is none: they are not used");
        }
        let store = Arc::new(MemoryStore::new(config.partitions, config.retention));
        return Ok((Arc::clone(&store) as SharedStore, store));
    };
    let started = tokio::time::Instant::now();
    loop {
        let settings = RedisSettings {
            url: url.clone(),
            prefix: config.redis_prefix.clone(),
            partitions: config.partitions,
            retention: config.retention,
            wait: config.redis_wait,
            claims: None,
            master_keys: config.master_keys.clone(),
        };
        match RedisStore::connect(settings).await {
            Ok(store) => {
                let store = Arc::new(store);
                return Ok((Arc::clone(&store) as SharedStore, store));
            }
            Err(StoreError::Unavailable(error)) if started.elapsed() < STORE_WAIT => {
                warn!(error, "Redis is not there yet; trying again");
                tokio::time::sleep(STORE_RETRY).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn webhooks(
    listener: TcpListener,
    ingress: Arc<Ingress>,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    use axum::serve::ListenerExt as _;
    let listener = listener.tap_io(|stream| {
        // Small answers must not wait for more.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router(ingress))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await?;
    Ok(())
}
