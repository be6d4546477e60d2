//! The gRPC port: services, reflection, health, gRPC-Web.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tonic::{Request, Status, service::InterceptorLayer};
use tonic_health::pb::health_server::{Health, HealthServer};
use tower_http::{
    cors::{AllowHeaders, AllowMethods, CorsLayer, ExposeHeaders},
    set_header::SetResponseHeaderLayer,
};

use super::{
    ServeError,
    accept::{Incoming, Patience},
};
use crate::{
    access::Access,
    config::Config,
    conversation::Conversations,
    fanout::Hub,
    grpc::{
        access::AccessLayer,
        attachments, configuration, conversations,
        events::{self, Bells, Drain, Watchdog},
        gate::Gate,
        measured::MeasureLayer,
        proto::{
            self, configuration_service_server::ConfigurationServiceServer,
            conversation_service_server::ConversationServiceServer,
            session_service_server::SessionServiceServer,
            subscription_service_server::SubscriptionServiceServer,
        },
        sessions, subscriptions,
    },
    store::SharedStore,
    subscription::Subscriptions,
    tenant::Tenants,
    tls::Endpoint,
};

const STREAMS_PER_CONNECTION: u32 = 1000;
/// How many bytes a caller may send before we have read them, on one stream and on all streams of a connection. HTTP/2's own
/// 64 KiB hold an upload up at every round trip. The second is many times the first: uploads that the vendor does not take use up
/// their streams' windows, and once they have used up the connection's, no other call on it can be sent.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 32 << 20;
/// The largest frame that a caller may send. With HTTP/2's own 16 KiB, 64 KiB of a file are five frames, written and read one by
/// one. A frame is held until it is whole, so this is also what a connection may take up before anything is handed on. The client
/// libraries' pieces of 256 KiB come in one, with what goes before them.
const FRAME_BYTES: u32 = (256 << 10) + 1024;

/// Serves until `shutdown`; open streams are ended by then, or soon after.
#[allow(
    clippy::too_many_arguments,
    reason = "each is a part that main puts together once"
)]
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Endpoint>>,
    config: Config,
    calls: Conversations,
    tenants: Tenants,
    access: Access,
    drain: Arc<Drain>,
    hub: Arc<Hub>,
    watchdog: Arc<Watchdog>,
    named: Subscriptions,
    health: HealthServer<impl Health>,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    let bells = Arc::new(Bells::default());
    let asking = Arc::clone(&bells).ask(SharedStore::clone(hub.store()));
    let _asking = AbortOnDropHandle::new(tokio::spawn(asking));
    let (draining, stopping) = (Arc::clone(&drain), shutdown.clone());
    let _draining = AbortOnDropHandle::new(tokio::spawn(async move {
        stopping.cancelled().await;
        draining.begin();
    }));
    let patience = patience(&config);
    let _watching = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&watchdog).run()));
    let events = events::Service {
        hub,
        subscriptions: named.clone(),
        tenants: tenants.clone(),
        access: access.clone(),
        settings: Arc::new(events::StreamSettings {
            heartbeat: config.heartbeat,
            max_age: config.stream_max_age,
            drain_spread: config.drain_spread,
            lag_max: config.stream_lag_max_events,
        }),
        gate: Gate::new(config.stream_limits),
        bells,
        watchdog,
        drain,
    };
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // So that a reflection client can read the details of errors, too.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    tonic::transport::Server::builder()
        .accept_http1(true)
        .http2_keepalive_interval(Some(config.keepalive))
        .http2_keepalive_timeout(Some(config.keepalive_timeout))
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES)
        .layer(cors(&config.cors_origins))
        .layer(SetResponseHeaderLayer::if_not_present(
            http::header::CACHE_CONTROL,
            to_browsers_uncached,
        ))
        .layer(tonic_web::GrpcWebLayer::new())
        .layer(InterceptorLayer::new(from_allowed_pages(config.cors_origins)))
        .layer(MeasureLayer)
        .layer(AccessLayer {
            access,
            call_time_max: config.call_time_max,
        })
        .add_service(ConversationServiceServer::new(conversations::Service(
            calls.clone(),
        )))
        .add_service(attachments::Server::new(attachments::Service(calls.clone())))
        .add_service(ConfigurationServiceServer::new(configuration::Service(
            calls.clone(),
        )))
        .add_service(SessionServiceServer::new(sessions::Service(calls)))
        .add_service(SubscriptionServiceServer::new(subscriptions::Service {
            subscriptions: named,
            tenants,
        }))
        .add_service(events::Server::new(events))
        .add_service(health)
        .add_optional_service(config.reflection.then(|| reflection().build_v1()).transpose()?)
        .add_optional_service(
            config
                .reflection
                .then(|| reflection().build_v1alpha())
                .transpose()?,
        )
        .serve_with_incoming_shutdown(
            Incoming::new(listener, Gate::new(config.connection_limits), patience, tls),
            shutdown.cancelled_owned(),
        )
        .await?;
    Ok(())
}

/// As HTTP/2's own pings find a client that vanished.
fn patience(config: &Config) -> Patience {
    Patience {
        silence: config.keepalive,
        answer: config.keepalive_timeout,
    }
}

/// What sees to it that streams are read.
pub(super) fn watchdog(config: &Config, hub: &Arc<Hub>) -> Arc<Watchdog> {
    Watchdog::new(
        Arc::clone(hub),
        patience(config).in_all() * 2,
        config.stream_lag_max_events,
    )
}

/// Refuses calls of pages whose origin was not allowed. CORS alone leaves that to the browser, which takes a page for ours whose
/// name was made to point to our address.
fn from_allowed_pages(
    origins: Vec<String>,
) -> impl FnMut(Request<()>) -> Result<Request<()>, Status> + Clone + Send + Sync + 'static {
    move |request| {
        // Only browsers say where a call comes from.
        let is_allowed = request.metadata().get("origin").is_none_or(|origin| {
            let origin = origin.as_bytes();
            origins.iter().any(|allowed| allowed.as_bytes() == origin)
        });
        if is_allowed {
            return Ok(request);
        }
        Err(Status::permission_denied(
            "pages of this origin may not call: an operator may add it to cors_origins",
        ))
    }
}

/// What an answer over gRPC-Web says of caches. Of one that could be cached, Chromium reads some 60 MB ahead of the page, which
/// then holds nothing up however slow it is.
fn to_browsers_uncached<B>(answer: &http::Response<B>) -> Option<http::HeaderValue> {
    let kind = answer.headers().get(http::header::CONTENT_TYPE)?;
    kind.as_bytes()
        .starts_with(b"application/grpc-web")
        .then_some(http::HeaderValue::from_static("no-store"))
}

/// gRPC-Web from browsers: only from the origins that were allowed.
fn cors(origins: &[String]) -> CorsLayer {
    let allowed: Vec<http::HeaderValue> = origins.iter().filter_map(|o| o.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods(AllowMethods::list([http::Method::POST]))
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(ExposeHeaders::list(
            ["grpc-status", "grpc-message", "grpc-status-details-bin"].map(http::HeaderName::from_static),
        ))
}
