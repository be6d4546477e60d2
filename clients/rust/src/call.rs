//! Calls with one request and one response: deadlines, and repeats where they are safe.

use std::time::Duration;

use http::uri::PathAndQuery;
use prost::Message;
use tokio::time::Instant;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use uuid::Uuid;

use crate::{Client, Error, StatusError, connection::Connection, status::Origin};

/// A method of the contract.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) path: &'static str,
    pub(crate) idempotency: Idempotency,
}

/// What the contract says of a repeated call: its `idempotency_level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idempotency {
    Unknown,
    Idempotent,
    NoSideEffects,
}

/// Fills in what the caller left to the client.
pub(crate) trait Prepare {
    fn prepare(&mut self, tenant: &str);
}

/// The client's tenant, where the request names none.
pub(crate) fn scope(field: &mut String, tenant: &str) {
    if field.is_empty() {
        tenant.clone_into(field);
    }
}

/// A new identifier, where the caller gave none.
pub(crate) fn identify(field: &mut String) {
    if field.is_empty() {
        *field = Uuid::new_v4().to_string();
    }
}

/// When a call's time is over.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    limit: Duration,
    at: Instant,
}

impl Deadline {
    pub(crate) fn after(limit: Duration) -> Self {
        let now = Instant::now();
        // What is too far away to be counted is a year away.
        let at = now
            .checked_add(limit)
            .unwrap_or_else(|| now + Duration::from_secs(365 * 86_400));
        Self { limit, at }
    }

    pub(crate) fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}

impl Client {
    pub(crate) async fn unary<Q, S>(&self, method: &'static Method, mut request: Q) -> Result<S, Error>
    where
        Q: Message + Prepare + Clone + 'static,
        S: Message + Default + 'static,
    {
        request.prepare(&self.settings().tenant);
        let deadline = Deadline::after(self.timeout());
        self.bounded(
            method,
            deadline,
            Box::pin(self.repeated(method, &request, deadline)),
        )
        .await
    }

    /// Runs a call until its deadline, or until the client is closed.
    pub(crate) async fn bounded<T>(
        &self,
        method: &Method,
        deadline: Deadline,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = self.closed().cancelled() => Err(Error::Closed),
            result = call => result,
            () = tokio::time::sleep_until(deadline.at) => {
                Err(StatusError::deadline(deadline.limit, method.idempotency).into())
            }
        }
    }

    async fn repeated<Q, S>(
        &self,
        method: &'static Method,
        request: &Q,
        deadline: Deadline,
    ) -> Result<S, Error>
    where
        Q: Message + Clone + 'static,
        S: Message + Default + 'static,
    {
        let settings = self.settings();
        let mut tried = 0;
        loop {
            let error = match self.attempt(method, request, deadline).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let delay = error.retry_after().unwrap_or_default() + settings.retry.delay(tried);
            tried += 1;
            if tried >= settings.attempts
                || !may_repeat(&error, method.idempotency, tried)
                || delay >= deadline.left()
            {
                return Err(error);
            }
            tokio::time::sleep(delay).await;
        }
    }

    async fn attempt<Q, S>(
        &self,
        method: &'static Method,
        message: &Q,
        deadline: Deadline,
    ) -> Result<S, Error>
    where
        Q: Message + Clone + 'static,
        S: Message + Default + 'static,
    {
        // A connection may turn out to be gone when it is used. Nothing was sent then, so it is no attempt; but a server that
        // accepts connections only to close them must not keep us here.
        let mut gone = 0;
        loop {
            let connection = self.pick().await?;
            let mut request = self.request(message.clone()).await?;
            request.set_timeout(deadline.left());
            let mut grpc = self.grpc(&connection);
            let answer = async {
                grpc.ready()
                    .await
                    .map_err(|error| Status::from_error(error.into()))?;
                grpc.unary(
                    request,
                    PathAndQuery::from_static(method.path),
                    ProstCodec::<Q, S>::default(),
                )
                .await
            };
            match answer.await {
                Ok(response) => return Ok(response.into_inner()),
                Err(status) => {
                    let error = self.failed(&connection, &status, method);
                    if error.origin() != Origin::Unsent || gone >= 8 {
                        return Err(error);
                    }
                    gone += 1;
                }
            }
        }
    }

    /// A request with the caller's token.
    pub(crate) async fn request<Q>(&self, message: Q) -> Result<Request<Q>, Error> {
        let mut request = Request::new(message);
        if let Some(token) = &self.settings().token {
            token.give(request.metadata_mut()).await?;
        }
        Ok(request)
    }

    pub(crate) fn grpc(&self, connection: &Connection) -> tonic::client::Grpc<tonic::transport::Channel> {
        tonic::client::Grpc::new(connection.channel())
            .max_decoding_message_size(self.settings().message_bytes_max)
    }

    /// The error that a status is, and the end of the connection where it is its fault.
    pub(crate) fn failed(&self, connection: &Connection, status: &Status, method: &Method) -> Error {
        let error = StatusError::read(status, method.idempotency);
        if matches!(error.origin, Origin::Broken | Origin::Unsent) {
            connection.give_up();
        }
        error.into()
    }
}

/// Whether a call that failed so may be made again, after that many attempts.
pub(crate) fn may_repeat(error: &Error, idempotency: Idempotency, attempts: u32) -> bool {
    let Some(status) = error.status() else {
        return false;
    };
    let ours = status.origin == Origin::Chatbridge;
    match status.code {
        Code::Unavailable => ours || idempotency != Idempotency::Unknown,
        Code::DeadlineExceeded => ours && status.reason == "UPSTREAM_TIMEOUT",
        Code::ResourceExhausted => {
            let limited = [
                "CALLER_RATE_LIMITED",
                "UPSTREAM_RATE_LIMITED",
                "UPSTREAM_THROTTLED",
            ];
            ours && status.retry_after.is_some() && limited.contains(&&*status.reason)
        }
        // An attempt before this one was made, and may still be running.
        Code::Aborted => ours && status.reason == "REQUEST_IN_FLIGHT" && attempts > 1,
        _ => false,
    }
}
