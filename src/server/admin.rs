//! The port for operators: metrics, probes, and what `chatbridge top` shows.

use std::{future::IntoFuture as _, sync::Arc};

use axum::{Json, Router, http::StatusCode, routing::get};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;
use tonic_health::pb::health_server::{Health, HealthServer};

use super::{ServeError, loglevel, status::Reporter};

/// Metrics, probes and status, for operators only: gRPC health is here too, so that a probe needs no credentials of the gRPC port.
pub(super) async fn serve(
    listener: TcpListener,
    reporter: Reporter,
    health: HealthServer<impl Health>,
    mut live: watch::Receiver<bool>,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    // Ready once everything ran; what fails later is for the named health services to tell, since a restart mends none of it.
    let started = Arc::clone(&reporter.started);
    let note_start = async move {
        if live.wait_for(|live| *live).await.is_ok() {
            let _ = started.set(());
        }
        std::future::pending::<()>().await;
    };
    let (started, draining) = (Arc::clone(&reporter.started), reporter.draining.clone());
    let readyz = move || async move {
        match (draining.is_cancelled(), started.get()) {
            (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
            (false, None) => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
            (false, Some(())) => (StatusCode::OK, "ready\n"),
        }
    };
    let metrics = reporter.metrics.clone();
    let reporter = Arc::new(reporter);
    let status = move || async move { Json(reporter.status().await) };
    let app = Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(readyz))
        .route("/status", get(status))
        .route_service("/grpc.health.v1.Health/{method}", health)
        .route("/metrics", get(move || async move { metrics.render() }))
        .merge(loglevel::router());
    let served = axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned());
    tokio::select! {
        served = served.into_future() => served?,
        () = note_start => {}
    }
    Ok(())
}
