//! The way in: whose token a request has, whether it is good for the operation and the tenant, its body, and what is written down
//! of it.

use std::{collections::HashMap, future::Future, sync::Arc};

use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::Response,
};
use bytes::Bytes;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{debug, info};

use super::{
    ChatV2, REQUESTS,
    operation::{self, Operation},
    page::Query,
    policy::ApiScope,
    problem::{About, Problem, Wrong},
    read::is_identifier,
    token,
};
use crate::{
    access::{Caller, Denied},
    conversation::calls::RequestId,
    error::Error,
    tenant::Tenant,
    webhook::{Refusal, ingress::Coming},
};

/// Where the audit log goes, beside what is written there of other doors.
const AUDIT: &str = "chatbridge::audit";
/// The regions that v2 had. Which one a client names makes no difference.
const REGIONS: [&str; 4] = ["us", "eu", "ca", "ap"];
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A request that was let in.
pub(super) struct Call {
    pub(super) v2: Arc<ChatV2>,
    pub(super) caller: Caller,
    pub(super) tenant: Tenant,
    pub(super) query: Query,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    operation: &'static Operation,
    params: HashMap<String, String>,
}

impl Call {
    /// What stands for `name` in the path. It may be anything that is a text.
    pub(super) fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// The same of an identifier. One that nothing can have is not found, whatever it is.
    pub(super) fn id(&self, name: &str, kind: &'static str) -> Result<About<'_>, Problem> {
        let about = About {
            kind,
            id: self.param(name),
        };
        match is_identifier(about.id) {
            true => Ok(about),
            false => Err(Problem::not_found(about)),
        }
    }

    /// What makes the request idempotent: the header that v2 described for it, if it is a UUID.
    pub(super) fn request_id(&self) -> RequestId {
        let given = self
            .headers
            .get(IDEMPOTENCY_KEY)
            .and_then(|value| value.to_str().ok());
        let uuid = given.and_then(|text| uuid::Uuid::try_parse(text.trim()).ok());
        let parts = [
            self.caller.name().as_bytes(),
            self.operation.name.as_bytes(),
            self.param("conversation").as_bytes(),
            &self.body,
        ];
        let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        for part in parts {
            digest.update(&(part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let mut of_request = [0; 32];
        of_request.copy_from_slice(digest.finish().as_ref());
        RequestId {
            id: uuid.map(|uuid| uuid.to_string()).unwrap_or_default(),
            digest: of_request,
        }
    }

    /// The version that `If-Match` asks for; `None` where any will do.
    pub(super) fn if_match(&self) -> Result<Option<u64>, Problem> {
        let Some(value) = self.headers.get("if-match") else {
            return Ok(None);
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(None);
        }
        let number = text.trim_start_matches("W/").trim_matches('"').parse::<u64>();
        number.map(Some).map_err(|_| {
            let wrong = Wrong::new("If-Match", "invalid_version", "must be a version's number.");
            Problem::wrong(vec![wrong.with(text)])
        })
    }
}

/// What the router calls for an operation that needs a token.
pub(super) async fn guarded<F, A>(
    operation: &'static Operation,
    State(v2): State<Arc<ChatV2>>,
    path: Result<Path<HashMap<String, String>>, PathRejection>,
    request: Request,
    answer: F,
) -> Response
where
    F: FnOnce(Call) -> A,
    A: Future<Output = Result<Response, Problem>>,
{
    let until = Instant::now() + v2.settings.call_time_max;
    let mut noted = Noted::of(operation);
    let answering = async {
        let call = v2.let_in(operation, path, request, until, &mut noted).await?;
        answer(call).await
    };
    let answered = timeout_at(until, Box::pin(answering)).await;
    let answered = answered.unwrap_or_else(|_| Err(Problem::too_long()));
    noted.answered(answered)
}

/// The same for one that needs none.
pub(super) async fn open<F, A>(
    operation: &'static Operation,
    State(v2): State<Arc<ChatV2>>,
    request: Request,
    answer: F,
) -> Response
where
    F: FnOnce(Arc<ChatV2>, Request) -> A,
    A: Future<Output = Result<(Response, String), Problem>>,
{
    let until = Instant::now() + v2.settings.call_time_max;
    let mut noted = Noted::of(operation);
    let answered = timeout_at(until, Box::pin(answer(v2, request))).await;
    let answered = answered.unwrap_or_else(|_| Err(Problem::too_long()));
    let answered = answered.map(|(response, client)| {
        noted.client = client;
        response
    });
    noted.answered(answered)
}

/// What there is not.
pub(super) fn none(problem: Problem) -> Response {
    Noted::of(&operation::NONE).answered(Err(problem))
}

impl ChatV2 {
    async fn let_in(
        self: &Arc<Self>,
        operation: &'static Operation,
        path: Result<Path<HashMap<String, String>>, PathRejection>,
        request: Request,
        until: Instant,
        noted: &mut Noted,
    ) -> Result<Call, Problem> {
        let Ok(Path(params)) = path else {
            return Err(Problem::no_path());
        };
        check_region(&params)?;
        let caller = self.caller(operation.scope, request.headers(), noted)?;
        let named = params.get("tenant").map_or("", String::as_str);
        let denied = || Problem::no_tenant(named, caller.name());
        if named.is_empty() {
            return Err(denied());
        }
        let tenant = self
            .calls
            .tenant(&caller, named, Some(until))
            .map_err(|error| match error {
                Error::UnknownTenant(_) | Error::Denied(Denied::Tenant) => denied(),
                other => Problem::of(other, About::TENANT),
            })?;
        noted.tenant = tenant.id.to_string();
        noted.note(&params);
        let query = Query::read(request.uri().query());
        let headers = request.headers().clone();
        let body = self.body(request, self.settings.max_body_bytes).await?;
        Ok(Call {
            v2: Arc::clone(self),
            caller,
            tenant,
            query,
            headers,
            body,
            operation,
            params,
        })
    }

    /// Whose token it is, if it is good for the operation. The request counts as one of theirs.
    fn caller(
        &self,
        scope: Option<ApiScope>,
        headers: &HeaderMap,
        noted: &mut Noted,
    ) -> Result<Caller, Problem> {
        let policy = self.policy.now();
        let given = bearer(headers).ok_or_else(Problem::no_token)?;
        let now_ms = jiff::Timestamp::now().as_millisecond();
        let known = token::verify(&policy, given, now_ms)?;
        noted.client.clone_from(&known.client.id);
        let caller = self
            .guests
            .admit(known.client.grant())
            .map_err(|denied| Problem::of(denied.into(), About::TENANT))?;
        match scope {
            Some(scope) if !known.scopes.contains(&scope) => Err(Problem::no_scope(scope.as_str())),
            _ => Ok(caller),
        }
    }

    /// The body of a request, within this size and the port's time.
    pub(super) async fn body(&self, request: Request, max_bytes: usize) -> Result<Bytes, Problem> {
        let coming = Coming::of(request).collect(max_bytes);
        let read = timeout(self.settings.body_timeout, coming).await;
        Ok(read.unwrap_or(Err(Refusal::BodyTimeout))?)
    }
}

/// v2 knew four regions and no other path.
pub(super) fn check_region(params: &HashMap<String, String>) -> Result<(), Problem> {
    let region = params.get("region").map_or("", String::as_str);
    match REGIONS.contains(&region) {
        true => Ok(()),
        false => Err(Problem::not_found(About {
            kind: "Region",
            id: region,
        })),
    }
}

/// The token of the one `Authorization: Bearer TOKEN`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let text = given.next()?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    let token = token.trim();
    (given.next().is_none() && scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// What is counted and written down of a request: who did what to what, and what came of it. Never a text of a customer's.
struct Noted {
    operation: &'static Operation,
    client: String,
    tenant: String,
    about: String,
}

impl Noted {
    fn of(operation: &'static Operation) -> Self {
        Self {
            operation,
            client: String::new(),
            tenant: String::new(),
            about: String::new(),
        }
    }

    /// Notes the identifiers in the path.
    fn note(&mut self, params: &HashMap<String, String>) {
        let named = ["webhook", "channel", "conversation"].into_iter();
        let named = named.filter_map(|name| Some((name, params.get(name).filter(|id| is_identifier(id))?)));
        self.about = named
            .map(|(name, id)| format!("{name}={id:?}"))
            .collect::<Vec<_>>()
            .join(" ");
    }

    fn answered(self, answered: Result<Response, Problem>) -> Response {
        let response = match answered {
            Ok(response) => response,
            Err(problem) if self.operation == &operation::TOKEN => {
                problem.at_token_endpoint().answer(self.operation)
            }
            Err(problem) => problem.answer(self.operation),
        };
        let status = response.status();
        let method = self.operation.name;
        metrics::counter!(REQUESTS, "operation" => method, "status" => status.as_u16().to_string())
            .increment(1);
        let Self {
            client,
            tenant,
            about,
            ..
        } = &self;
        let outcome = status.as_u16();
        let is_denied = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        // Who reads is written down only where somebody asks for it: there are too many.
        if self.operation.changes || is_denied {
            info!(target: AUDIT, door = "chat_v2", method, caller = client, tenant, about, outcome, "call");
        } else {
            debug!(target: AUDIT, door = "chat_v2", method, caller = client, tenant, about, outcome, "call");
        }
        response
    }
}
