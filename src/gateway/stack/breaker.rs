//! The circuit breaker: a vendor that keeps failing is left alone for a while, and tried again with one request at a time.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tower::ServiceExt;

use super::{
    around::{Around, Inner},
    circuit::{Admission, Change, Circuit, CircuitStatus},
};
use crate::gateway::{
    UpstreamErrorKind,
    call::Call,
    exchange::Answer,
    failure::{Failure, Sign},
    record,
};

/// The breaker of one tenant.
pub(super) struct Breaker(Mutex<Circuit>);

impl Breaker {
    /// `probe_for` is how long a probe is waited for before there may be another.
    pub(super) fn new(open_for: Duration, probe_for: Duration) -> Self {
        record::circuit(false);
        Self(Mutex::new(Circuit::new(open_for, probe_for, Instant::now())))
    }

    /// Refuses where it is open and not yet time for a probe.
    pub(super) fn peek(&self) -> Result<(), Failure> {
        match self.circuit().left(Instant::now()) {
            Some(left) => Err(refused(left)),
            None => Ok(()),
        }
    }

    pub(super) fn status(&self) -> CircuitStatus {
        self.circuit().status(Instant::now())
    }

    fn admit(&self) -> Result<Ticket<'_>, Failure> {
        let admission = self.circuit().admit(Instant::now()).map_err(refused)?;
        Ok(Ticket {
            breaker: self,
            admission,
            sign: Sign::Nothing,
        })
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(left: Duration) -> Failure {
    Failure::withheld(UpstreamErrorKind::CircuitOpen, "", Some(left))
}

/// A request under way. Where it is dropped before it ended, it says nothing, and the place of a probe is free again.
struct Ticket<'a> {
    breaker: &'a Breaker,
    admission: Admission,
    sign: Sign,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let chance = rand::random::<f64>() * 2.0 - 1.0;
        let mut circuit = self.breaker.circuit();
        let Some(change) = circuit.settle(self.admission, self.sign, Instant::now(), chance) else {
            return;
        };
        // Under the lock, so that the gauge shows the last of two changes.
        record::circuit(!matches!(change, Change::Closed));
        drop(circuit);
        match change {
            Change::Opened(wait) => {
                tracing::warn!(
                    wait_ms = millis(wait),
                    "the Chat Gateway keeps failing and is left alone for a while"
                );
            }
            Change::Reopened(wait) => {
                tracing::info!(
                    wait_ms = millis(wait),
                    "the Chat Gateway still fails and is left alone for longer"
                );
            }
            Change::Closed => tracing::info!("the Chat Gateway works again"),
        }
    }
}

fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

impl Around for Arc<Breaker> {
    async fn around<S: Inner>(&self, call: Call, inner: S) -> Result<Answer, Failure> {
        let mut ticket = self.admit()?;
        let result = inner.oneshot(call).await;
        ticket.sign = match &result {
            Ok(_) => Sign::Well,
            Err(failure) => failure.sign,
        };
        drop(ticket);
        result
    }
}
