//! Watches the store, and says on the health service whether calls can succeed.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic_health::{ServingStatus, server::HealthReporter};
use tracing::{info, warn};

use crate::store::SharedStore;

const WATCH_EVERY: Duration = Duration::from_secs(1);

/// Says on the health service whether calls can succeed. The process itself stays SERVING and alive without Redis, so that
/// it recovers by itself.
pub(super) async fn watch_store(store: SharedStore, health: HealthReporter, shutdown: CancellationToken) {
    let mut was_up = None;
    loop {
        let up = store.ping().await.is_ok();
        if was_up != Some(up) {
            set_health(&health, up).await;
            if up {
                info!("the store is there");
            } else {
                warn!("the store is gone; calls and webhooks are refused until it is back");
            }
            was_up = Some(up);
        }
        metrics::gauge!("chatbridge_store_up").set(if up { 1.0 } else { 0.0 });
        if shutdown
            .run_until_cancelled(tokio::time::sleep(WATCH_EVERY))
            .await
            .is_none()
        {
            set_health(&health, false).await;
            health.set_service_status("", ServingStatus::NotServing).await;
            return;
        }
    }
}

async fn set_health(health: &HealthReporter, up: bool) {
    let status = if up {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    };
    for service in [
        "chatbridge.v1.ConversationService",
        "chatbridge.v1.AttachmentService",
        "chatbridge.v1.ConfigurationService",
        "chatbridge.v1.SessionService",
        "chatbridge.v1.AgentEventService",
    ] {
        health.set_service_status(service, status).await;
    }
}
