//! What stands between a call and its request, layer by layer: the caller's deadline, retries, the rate with the pauses that the
//! vendor asks for, how many may be under way at once, the circuit breaker, and at the bottom one exchange.

mod around;
mod breaker;
mod circuit;
mod deadline;
mod limits;
mod retry;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tower::{
    ServiceBuilder, ServiceExt,
    retry::{RetryLayer, backoff::InvalidBackoff},
    service_fn,
    util::BoxCloneSyncService,
};

pub use self::circuit::CircuitStatus;
pub(super) use self::deadline::no_time_left;
use self::{
    around::{AroundLayer, Inner},
    breaker::Breaker,
    deadline::Deadline,
    limits::{Concurrency, Gate, Pause},
    retry::Retries,
};
pub(super) use super::exchange::Limits;
use super::{
    Resilience, UpstreamError,
    call::Call,
    connection::Clients,
    exchange::{Answer, exchange},
    failure::Failure,
};

type Layered = BoxCloneSyncService<Call, Answer, Failure>;

/// The layers, for one tenant.
pub(super) struct Stack {
    calls: Layered,
    keys: Layered,
    limits: Limits,
    /// `None`: there is none.
    breaker: Option<Arc<Breaker>>,
}

impl Stack {
    pub(super) fn new(
        clients: Clients,
        limits: Limits,
        resilience: &Resilience,
    ) -> Result<Self, InvalidBackoff> {
        let bottom = service_fn(move |call| exchange(clients.clone(), limits, call));
        let (calls, breaker) = if *resilience == Resilience::NONE {
            let layers = ServiceBuilder::new().layer(AroundLayer::new(Deadline));
            (BoxCloneSyncService::new(layers.service(bottom.clone())), None)
        } else {
            layered(bottom.clone(), limits, resilience)?
        };
        let keys = ServiceBuilder::new()
            .layer(AroundLayer::new(Deadline))
            .layer(RetryLayer::new(Retries::new(resilience.attempts)?));
        Ok(Self {
            calls,
            keys: BoxCloneSyncService::new(keys.service(bottom)),
            limits,
            breaker,
        })
    }

    /// How the circuit breaker is doing; `None`: there is none.
    pub(super) fn circuit(&self) -> Option<CircuitStatus> {
        self.breaker.as_ref().map(|breaker| breaker.status())
    }

    /// Makes a call and reads its answer.
    pub(super) async fn call(&self, mut call: Call) -> Result<Answer, UpstreamError> {
        let service = if call.operation.is_past_limits {
            // Webhooks wait for a key, and must not wait for callers: it has a way of its own, without their limits. Its repeats
            // together take no longer than one request may.
            let by = Instant::now() + self.limits.timeout;
            call.deadline = Some(call.deadline.map_or(by, |deadline| deadline.min(by)));
            &self.keys
        } else {
            &self.calls
        };
        service
            .clone()
            .oneshot(call)
            .await
            .map_err(|failure| failure.error)
    }
}

/// How much longer than a request without a file may take a probe is waited for: such a request has ended by then.
const PROBE_MARGIN: Duration = Duration::from_secs(1);

fn layered(
    bottom: impl Inner + Sync,
    limits: Limits,
    resilience: &Resilience,
) -> Result<(Layered, Option<Arc<Breaker>>), InvalidBackoff> {
    let open_for = resilience.circuit_open;
    let probe_for = limits.timeout + PROBE_MARGIN;
    let breaker = (!open_for.is_zero()).then(|| Arc::new(Breaker::new(open_for, probe_for)));
    let pause = Arc::new(Pause::default());
    let layers = ServiceBuilder::new()
        .layer(AroundLayer::new(Deadline))
        .layer(RetryLayer::new(Retries::new(resilience.attempts)?))
        .layer(AroundLayer::new(Gate::new(
            resilience.rate_per_second,
            Arc::clone(&pause),
            breaker.clone(),
        )))
        .layer(AroundLayer::new(Concurrency::new(resilience.in_flight, pause)))
        .option_layer(breaker.clone().map(AroundLayer::new));
    Ok((BoxCloneSyncService::new(layers.service(bottom)), breaker))
}
