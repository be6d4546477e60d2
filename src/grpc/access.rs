//! The door of the gRPC port: every call goes through it, and one that has no rule does not get further.

use std::{
    net::IpAddr,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, header::AUTHORIZATION};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status, body::Body, codegen::BoxFuture};
use tower::{Layer, Service};
use tracing::{debug, info};

use super::{
    asker::{Admission, Record},
    line::Line,
    traced,
};
use crate::{
    access::{
        Access, Caller, Denied, Presented, Role,
        rule::{self, Length, Rpc, Rule},
    },
    error::Error,
    telemetry::traces,
};

/// Counter of calls that were not let in, by `reason`.
const DENIED: &str = "chatbridge_calls_denied_total";
/// Where the audit log goes.
const AUDIT: &str = "chatbridge::audit";
/// The field of requests that names a conversation.
pub(super) const CONVERSATION: &str = "conversation_id";
const SCHEME: &str = "bearer ";

/// Lets calls in.
#[derive(Debug, Clone)]
pub struct AccessLayer {
    /// Who may call.
    pub access: Access,
    /// How long a call that is no stream may take, whatever its caller says.
    pub call_time_max: Duration,
}

impl<S> Layer<S> for AccessLayer {
    type Service = Door<S>;

    fn layer(&self, inner: S) -> Door<S> {
        Door {
            inner,
            layer: self.clone(),
        }
    }
}

/// What is behind the door.
#[derive(Debug, Clone)]
pub struct Door<S> {
    inner: S,
    layer: AccessLayer,
}

impl<S> Service<http::Request<Body>> for Door<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<Self::Response, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let Some(rpc) = rule::of(request.uri().path()) else {
            let unknown =
                Status::unimplemented("there is no such call; the contract is in proto/chatbridge/v1");
            return Box::pin(async move { Ok(unknown.into_http()) });
        };
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        let layer = self.layer.clone();
        Box::pin(async move {
            let since = traces::now();
            let line = request.extensions().get::<Line>().cloned();
            let address = line.as_ref().and_then(Line::address);
            let token = bearer(request.headers()).map(|token| token.map(str::to_owned));
            let caller = match layer.let_in(rpc, token, line.as_ref()).await {
                Ok(caller) => caller,
                Err((denied, caller)) => {
                    let reason = denied.reason();
                    metrics::counter!(DENIED, "reason" => reason).increment(1);
                    let status = Status::from(Error::from(denied));
                    let span = traced::denied(rpc, since, reason, status.code());
                    let audit = Audit {
                        rpc,
                        caller: caller.as_ref(),
                        address,
                    };
                    traces::during(span.as_ref(), || audit.denied(reason));
                    return Ok(status.into_http());
                }
            };
            let until = (rpc.length == Length::Call).then(|| Instant::now() + layer.call_time_max);
            let record = Record::default();
            let span = traced::begin(rpc, since, &caller, request.headers());
            request.extensions_mut().insert(Admission {
                caller: caller.clone(),
                until,
                record: record.clone(),
            });
            let answering = async {
                match until {
                    Some(until) => match timeout_at(until, inner.call(request)).await {
                        Ok(answered) => answered,
                        Err(_) => Ok(too_long().into_http()),
                    },
                    None => inner.call(request).await,
                }
            };
            let answered = traces::within(span.as_ref(), answering).await?;
            let audit = Audit {
                rpc,
                caller: Some(&caller),
                address,
            };
            let code = code(answered.headers());
            if let Some(span) = &span {
                record.with(|noted| traced::about(span, noted));
            }
            traces::during(span.as_ref(), || audit.answered(&record, code));
            Ok(match span {
                Some(span) => traced::answered(span, rpc, code, answered),
                None => answered,
            })
        })
    }
}

impl AccessLayer {
    /// Who calls, if they may; else why not, and who it was if that is known.
    async fn let_in(
        &self,
        rpc: &Rpc,
        token: Result<Option<String>, Denied>,
        line: Option<&Line>,
    ) -> Result<Caller, (Denied, Option<Caller>)> {
        let Rule::Role(needed) = rpc.rule else {
            return Ok(Caller::nobody());
        };
        let token = token.map_err(|denied| (denied, None))?;
        let certificate = line.and_then(Line::certificate);
        let presented = Presented {
            bearer: token.as_deref(),
            certificate: certificate.map(|it| (&*it.identities, it.not_after)),
        };
        let identified = self.access.identify(presented).await;
        let caller = identified.map_err(|denied| (denied, None))?;
        match may(&caller, needed).and_then(|()| self.access.count(&caller)) {
            Ok(()) => Ok(caller),
            Err(denied) => Err((denied, Some(caller))),
        }
    }
}

fn may(caller: &Caller, needed: Role) -> Result<(), Denied> {
    let has = caller.role();
    if has < needed {
        return Err(Denied::Role { needed, has });
    }
    Ok(())
}

/// The token of `authorization: Bearer TOKEN` (RFC 6750); `None`: there is no such header.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Denied> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = given.next() else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| Denied::Malformed)?;
    let is_bearer = text
        .get(..SCHEME.len())
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME));
    if !is_bearer || given.next().is_some() {
        return Err(Denied::Malformed);
    }
    match text[SCHEME.len()..].trim() {
        "" => Err(Denied::Malformed),
        token => Ok(Some(token)),
    }
}

fn too_long() -> Status {
    Status::deadline_exceeded(
        "the call took longer than any may here: an operator may raise call_time_max_ms",
    )
}

/// How a call ended that is no stream, or how a stream began.
fn code(headers: &HeaderMap) -> Code {
    headers
        .get("grpc-status")
        .map_or(Code::Ok, |status| Code::from_bytes(status.as_bytes()))
}

/// What is written down of a call: who did what to what, from where, and what came of it. Never a text of a customer's, or what
/// was presented.
struct Audit<'a> {
    rpc: &'static Rpc,
    caller: Option<&'a Caller>,
    address: Option<IpAddr>,
}

impl Audit<'_> {
    fn method(&self) -> &'static str {
        self.rpc.path.trim_start_matches('/')
    }

    fn denied(&self, reason: &'static str) {
        let caller = self.caller.map(Caller::name).unwrap_or_default();
        let address = self.address.map(tracing::field::display);
        info!(target: AUDIT, method = self.method(), caller, address, outcome = "denied", reason, "call");
    }

    fn answered(&self, record: &Record, code: Code) {
        let Some(caller) = self.caller.filter(|_| self.rpc.rule != Rule::Anybody) else {
            return;
        };
        let (tenant, about) = record.with(|noted| {
            (
                std::mem::take(&mut noted.tenant),
                std::mem::take(&mut noted.about),
            )
        });
        let conversation = about.iter().find(|(name, _)| *name == CONVERSATION);
        let conversation = conversation.map(|(_, id)| id.clone());
        let about = about
            .iter()
            .filter(|(name, _)| *name != CONVERSATION)
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect::<Vec<_>>()
            .join(" ");
        let (method, name, role) = (self.method(), caller.name(), caller.role().as_str());
        let outcome = format!("{code:?}");
        let address = self.address.map(tracing::field::display);
        // Who reads is written down only where somebody asks for it: there are too many.
        if self.rpc.changes || self.rpc.length == Length::Stream || code == Code::PermissionDenied {
            info!(target: AUDIT, method, caller = name, role, tenant, conversation, about, address, outcome, "call");
        } else {
            debug!(target: AUDIT, method, caller = name, role, tenant, conversation, about, address, outcome, "call");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::none(&[], Ok(None))]
    #[case::a_token(&["Bearer abc"], Ok(Some("abc")))]
    #[case::in_lower_case(&["bearer abc"], Ok(Some("abc")))]
    #[case::with_more_spaces(&["Bearer   abc "], Ok(Some("abc")))]
    #[case::nothing_behind(&["Bearer "], Err(Denied::Malformed))]
    #[case::no_space(&["Bearer"], Err(Denied::Malformed))]
    #[case::another_scheme(&["Basic abc"], Err(Denied::Malformed))]
    #[case::empty(&[""], Err(Denied::Malformed))]
    #[case::two(&["Bearer a", "Bearer b"], Err(Denied::Malformed))]
    #[case::not_text(&["Bearer \u{e9}"], Err(Denied::Malformed))]
    fn tokens_are_read(#[case] values: &[&str], #[case] expected: Result<Option<&str>, Denied>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        assert_eq!(bearer(&headers), expected);
    }
}
