//! The client.

mod attachments;
mod cards;
mod configuration;
mod conversations;
mod messages;

use std::{
    fmt,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use secrecy::SecretString;
use serde::Serialize;
use tokio::time::Instant;
use url::Url;

use super::{
    CircuitStatus, Resilience, UpstreamError, UpstreamErrorKind,
    call::{About, CallBuilder},
    connection::{self, Clients},
    exchange::Answer,
    operation::Operation,
    path, record,
    stack::{Limits, Stack},
};
use crate::event::TenantId;

/// What the client needs to know. `Debug` does not show the key.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// Base URL, such as `https://api.8x8.com`, without the path prefix of the Chat Gateway; http or https.
    pub base_url: Url,
    /// The key, sent as `x-api-key`.
    pub api_key: SecretString,
    /// How long one request may take, answer included; at most an hour, as the next.
    pub timeout: Duration,
    /// How long connecting may take: name resolution, TCP and TLS together. At most nine tenths of `timeout` are used, so that a
    /// request that never left is told from one whose answer is late.
    pub connect_timeout: Duration,
    /// How long the upload or download of a file may take; at most a day. In between, no more than `timeout` may pass without a
    /// byte.
    pub transfer_timeout: Duration,
    /// How calls are limited and repeated.
    pub resilience: Resilience,
}

/// A client of the Chat Gateway for one API key. Clones are cheap: they share connections, limits and circuit breaker.
///
/// A call that may be repeated is, as [`Resilience`] says. A call ends when its future is dropped: the request is abandoned
/// where it is, and as with a time-out nobody knows whether the vendor acted on it.
///
/// Errors are those of [`UpstreamErrorKind`]; identifiers, authors and assignments that the vendor could not take are refused
/// as [`UpstreamErrorKind::Invalid`] before anything is sent. Loopback addresses are reached directly, others through the
/// proxy that the environment names (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
    deadline: Option<Instant>,
    left: Arc<AtomicBool>,
}

struct Shared {
    clients: Clients,
    stack: Stack,
    base: Url,
    root: Url,
    timeout: Duration,
    transfer_timeout: Duration,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("root", &self.shared.root.as_str())
            .field("timeout", &self.shared.timeout)
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// A client with these settings. It connects when it is first used.
    ///
    /// # Errors
    /// [`UpstreamErrorKind::Invalid`] with a sentence in `message`: the base URL is not an http or https URL, or holds
    /// credentials, a query or a fragment; the key is empty or cannot be a header; a time limit is zero or too long; no request
    /// may be under way at all; with https, the system has no CA certificates.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "the settings hold the key, which ends here"
    )]
    pub fn new(settings: GatewaySettings) -> Result<Self, UpstreamError> {
        let root = path::root(&settings.base_url)?;
        let clients = connection::clients(&settings).map_err(refuse)?;
        record::describe();
        let limits = Limits {
            timeout: settings.timeout,
            transfer_timeout: settings.transfer_timeout,
        };
        let stack = Stack::new(clients.clone(), limits, &settings.resilience)
            .map_err(|_| refuse("the time limits of retries contradict each other"))?;
        Ok(Self {
            shared: Arc::new(Shared {
                stack,
                clients,
                base: settings.base_url,
                root,
                timeout: settings.timeout,
                transfer_timeout: settings.transfer_timeout,
            }),
            deadline: None,
            left: Arc::default(),
        })
    }

    /// The same client for a caller who waits no longer than this.
    #[must_use]
    pub fn within(&self, deadline: Option<Instant>) -> Self {
        Self {
            deadline,
            ..self.clone()
        }
    }

    /// The same client for one call. While a request of that call is on its way, and from when it may have taken effect, `left`
    /// is set; not while the call waits for its turn.
    #[must_use]
    pub fn noting(&self, left: Arc<AtomicBool>) -> Self {
        Self { left, ..self.clone() }
    }

    /// When the caller stops waiting; `None`: never.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How the circuit breaker is doing; `None`: there is none.
    pub fn circuit(&self) -> Option<CircuitStatus> {
        self.shared.stack.circuit()
    }

    /// How long one request that carries no file may take.
    pub fn timeout(&self) -> Duration {
        self.shared.timeout
    }

    /// How long the upload or download of a file may take.
    pub fn transfer_timeout(&self) -> Duration {
        self.shared.transfer_timeout
    }

    /// What requests go through, for whoever looks at the way itself.
    pub(super) fn clients(&self) -> &Clients {
        &self.shared.clients
    }

    /// The beginning of a call below `/chat-gateway/v1`.
    pub(super) fn prepare(
        &self,
        operation: &'static Operation,
        tenant: &TenantId,
        segments: &[&str],
    ) -> Result<CallBuilder, UpstreamError> {
        self.prepare_at(&self.shared.root, operation, tenant, segments)
    }

    /// The beginning of a call below the base URL itself.
    pub(super) fn prepare_at_base(
        &self,
        operation: &'static Operation,
        tenant: &TenantId,
        segments: &[&str],
    ) -> Result<CallBuilder, UpstreamError> {
        self.prepare_at(&self.shared.base, operation, tenant, segments)
    }

    fn prepare_at(
        &self,
        root: &Url,
        operation: &'static Operation,
        tenant: &TenantId,
        segments: &[&str],
    ) -> Result<CallBuilder, UpstreamError> {
        let url = path::address(root, segments)?;
        let header = connection::header(tenant.as_str())
            .ok_or_else(|| refuse("the tenant must be one or more visible ASCII characters"))?;
        Ok(CallBuilder::new(
            operation,
            url,
            header,
            About::new(tenant, segments),
        ))
    }

    /// Makes a call and reads its answer with `read`.
    pub(super) async fn send<T>(
        &self,
        call: CallBuilder,
        read: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Result<T, UpstreamError> {
        self.call(call).await?.read(read)
    }

    /// Makes a call. Its answer counts as a success only once it is read.
    pub(super) async fn call(&self, call: CallBuilder) -> Result<Answer, UpstreamError> {
        let call = call.build(&self.shared.clients, self.deadline, &self.left)?;
        self.shared.stack.call(call).await
    }
}

/// An operation's body.
fn json(body: &impl Serialize) -> Result<Vec<u8>, UpstreamError> {
    serde_json::to_vec(body).map_err(|_| refuse("the request could not be written as JSON"))
}

/// The answer of an operation whose success is all in the status.
#[allow(clippy::unnecessary_wraps, reason = "one of several readers")]
fn nothing(_: &[u8]) -> Result<(), String> {
    Ok(())
}

fn refuse(problem: &str) -> UpstreamError {
    UpstreamError::new(UpstreamErrorKind::Invalid, problem)
}
