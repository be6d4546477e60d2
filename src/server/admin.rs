//! The port for operators: metrics and probes.

use std::{
    future::IntoFuture as _,
    sync::{Arc, OnceLock},
};

use axum::{Router, http::StatusCode, routing::get};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;
use tonic_health::pb::health_server::{Health, HealthServer};

use super::ServeError;
use crate::telemetry::Metrics;

/// Metrics and probes, for operators only: gRPC health is here too, so that a probe needs no credentials of the gRPC port.
pub(super) async fn serve(
    listener: TcpListener,
    metrics: Metrics,
    health: HealthServer<impl Health>,
    mut live: watch::Receiver<bool>,
    draining: CancellationToken,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    // Ready once everything ran; what fails later is for the named health services to tell, since a restart mends none of it.
    let started = Arc::new(OnceLock::new());
    let noting = Arc::clone(&started);
    let note_start = async move {
        if live.wait_for(|live| *live).await.is_ok() {
            let _ = noting.set(());
        }
        std::future::pending::<()>().await;
    };
    let readyz = move || async move {
        match (draining.is_cancelled(), started.get()) {
            (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
            (false, None) => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
            (false, Some(())) => (StatusCode::OK, "ready\n"),
        }
    };
    let app = Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(readyz))
        .route_service("/grpc.health.v1.Health/{method}", health)
        .route("/metrics", get(move || async move { metrics.render() }));
    let served = axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned());
    tokio::select! {
        served = served.into_future() => served?,
        () = note_start => {}
    }
    Ok(())
}
