//! Watches the store, and says on the health service whether calls can succeed.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures_util::Stream;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::{Request, Response, Status};
use tonic_health::{
    ServingStatus,
    pb::{
        HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus as Told,
        health_server::Health,
    },
    server::{HealthReporter, HealthService},
};
use tracing::{info, warn};

use super::status::StoreState;
use crate::store::SharedStore;

const WATCH_EVERY: Duration = Duration::from_secs(1);

/// Says on the health service whether calls can succeed. The process itself stays SERVING and alive without Redis, so that
/// it recovers by itself.
pub(super) async fn watch_store(
    store: SharedStore,
    health: HealthReporter,
    told_to: watch::Sender<StoreState>,
    shutdown: CancellationToken,
) {
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
            told_to.send_replace(StoreState {
                up: was_up,
                since: Instant::now(),
            });
            if up {
                info!("the store is there");
            }
        }
        // Each reason once, however long it lasts.
        let problem = problem.unwrap_or_default();
        if problem != told {
            if !up {
                warn!(
                    problem,
                    "the store is not there: calls and webhooks are refused until it is back"
                );
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

/// The health service. Its watches end when the service stops: by themselves they never do, and each would hold the stop up
/// until its deadline.
pub(super) struct EndingHealth {
    statuses: HealthService,
    shutdown: CancellationToken,
}

impl EndingHealth {
    /// Serves what is reported there, until `shutdown`.
    pub(super) fn new(reporter: HealthReporter, shutdown: CancellationToken) -> Self {
        Self {
            statuses: HealthService::from_health_reporter(reporter),
            shutdown,
        }
    }
}

#[tonic::async_trait]
impl Health for EndingHealth {
    type WatchStream = Watch<<HealthService as Health>::WatchStream>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        self.statuses.check(request).await
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let statuses = self.statuses.watch(request).await?.into_inner();
        Ok(Response::new(Watch {
            statuses,
            told: None,
            shutdown: Some(Box::pin(self.shutdown.clone().cancelled_owned())),
        }))
    }
}

/// One watch: it ends with the word that nothing is served any more.
pub(super) struct Watch<S> {
    statuses: S,
    /// What it told last.
    told: Option<i32>,
    /// `None` once it has ended.
    shutdown: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl<S> Stream for Watch<S>
where
    S: Stream<Item = Result<HealthCheckResponse, Status>> + Unpin,
{
    type Item = Result<HealthCheckResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(shutdown) = &mut self.shutdown else {
            return Poll::Ready(None);
        };
        if shutdown.as_mut().poll(context).is_ready() {
            self.shutdown = None;
            let last = Told::NotServing.into();
            return Poll::Ready(
                (self.told != Some(last)).then_some(Ok(HealthCheckResponse { status: last })),
            );
        }
        let response = Pin::new(&mut self.statuses).poll_next(context);
        if let Poll::Ready(Some(Ok(response))) = &response {
            self.told = Some(response.status);
        }
        response
    }
}
