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
    let (mut was_up, mut told) = (None, String::new());
    loop {
        // A store that is silent must not keep anybody from hearing that the service stops.
        let answer = shutdown.run_until_cancelled(store.ping()).await;
        if shutdown.is_cancelled() {
            set_health(&health, false).await;
            health.set_service_status("", ServingStatus::NotServing).await;
            return;
        }
        let problem = answer.and_then(Result::err).map(|error| error.to_string());
        let up = problem.is_none();
        if was_up != Some(up) {
            set_health(&health, up).await;
            was_up = Some(up);
            if up {
                info!("the store is there");
            }
        }
        // Each reason once, however long it lasts.
        let problem = problem.unwrap_or_default();
        if problem != told {
            if !up {
                warn!("{problem}; calls and webhooks are refused until it is back");
            }
            told = problem;
        }
        metrics::gauge!("chatbridge_store_up").set(if up { 1.0 } else { 0.0 });
        shutdown
            .run_until_cancelled(tokio::time::sleep(WATCH_EVERY))
            .await;
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
        "chatbridge.v1.SubscriptionService",
        "chatbridge.v1.AgentEventService",
    ] {
        health.set_service_status(service, status).await;
    }
}
