//! The client.

use std::{fmt, time::Duration};

use reqwest::{Client, header::CONTENT_TYPE};
use secrecy::SecretString;
use serde::Serialize;
use url::Url;

use super::{
    Conversation, ConversationPatch, Created, Listed, NewConversation, PageQuery, UpstreamError,
    UpstreamErrorKind, connection,
    exchange::{exchange, undecodable},
    operation::Operation,
    path,
    record::{self, Record},
    wire::{received, sent},
};
use crate::event::{AuthorType, Message, TenantId};

const TENANT_HEADER: &str = "x-8x8-tenant";

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
}

/// A client of the Chat Gateway for one API key. Clones share its connections.
///
/// Each call sends one request and never repeats it. A call ends when its future is dropped: the request is abandoned where
/// it is, and as with a time-out nobody knows whether the vendor acted on it.
///
/// Errors are those of [`UpstreamErrorKind`]; identifiers, authors and assignments that the vendor could not take are refused
/// as [`UpstreamErrorKind::Invalid`] before anything is sent. Loopback addresses are reached directly, others through the
/// proxy that the environment names (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
#[derive(Clone)]
pub struct Gateway {
    client: Client,
    root: Url,
    timeout: Duration,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("root", &self.root.as_str())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// A client with these settings. It connects when it is first used.
    ///
    /// # Errors
    /// [`UpstreamErrorKind::Invalid`] with a sentence in `message`: the base URL is not an http or https URL, or holds
    /// credentials, a query or a fragment; the key is empty or cannot be a header; a time limit is zero or over an hour;
    /// with https, the system has no CA certificates.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "the settings hold the key, which ends here"
    )]
    pub fn new(settings: GatewaySettings) -> Result<Self, UpstreamError> {
        let root = path::root(&settings.base_url)?;
        let client = connection::client(&settings).map_err(refuse)?;
        record::describe();
        Ok(Self {
            client,
            root,
            timeout: settings.timeout,
        })
    }

    /// Creates a conversation: `POST /conversations`, 202. Not safe to repeat: where the answer is cut or unreadable, the
    /// conversation may exist and its identifier is lost, which is [`UpstreamErrorKind::OutcomeUnknown`].
    pub async fn create_conversation(
        &self,
        tenant: &TenantId,
        new: &NewConversation,
    ) -> Result<Created, UpstreamError> {
        let body = json(&sent::NewConversation::new(new)?)?;
        let call = Call::new(Operation::CREATE, tenant, ["conversations"]).body(body);
        self.send(call, received::created).await
    }

    /// Reads a conversation: `GET /conversations/{id}`, 200.
    pub async fn conversation(&self, tenant: &TenantId, id: &str) -> Result<Conversation, UpstreamError> {
        let call = Call::new(Operation::GET, tenant, ["conversations", id]);
        self.send(call, received::conversation).await
    }

    /// Lists conversations: `GET /conversations`, 200.
    pub async fn conversations(
        &self,
        tenant: &TenantId,
        page: &PageQuery,
    ) -> Result<Listed<Conversation>, UpstreamError> {
        let call = Call::new(Operation::LIST, tenant, ["conversations"]).page(page);
        self.send(call, received::conversations).await
    }

    /// Changes the customer's data or the assignment: `PATCH /conversations/{id}`, 202. Safe to repeat unless it holds an
    /// assignment. The vendor acts later; an event tells the outcome.
    pub async fn patch_conversation(
        &self,
        tenant: &TenantId,
        id: &str,
        patch: &ConversationPatch,
    ) -> Result<(), UpstreamError> {
        let operation = match patch.assignment {
            Some(_) => Operation::PATCH_ASSIGNMENT,
            None => Operation::PATCH_USER,
        };
        let body = json(&sent::Patch::new(patch)?)?;
        let call = Call::new(operation, tenant, ["conversations", id]).body(body);
        self.send(call, nothing).await
    }

    /// Ends the current interaction: `PATCH /conversations/{id}/participants/user`, 204. Safe to repeat promptly.
    pub async fn end_conversation(&self, tenant: &TenantId, id: &str) -> Result<(), UpstreamError> {
        let body = json(&sent::UserLeaves { removed: true })?;
        let path = ["conversations", id, "participants", "user"];
        self.send(Call::new(Operation::END, tenant, path).body(body), nothing)
            .await
    }

    /// Sends a message: `POST /conversations/{id}/messages`, 202 without a body. Not safe to repeat. Of the message, author
    /// type, text, attachment identifiers, cards and external provider are sent.
    pub async fn send_message(
        &self,
        tenant: &TenantId,
        id: &str,
        message: &Message,
    ) -> Result<(), UpstreamError> {
        let body = json(&sent::Message::new(message)?)?;
        let call = Call::new(Operation::SEND, tenant, ["conversations", id, "messages"]).body(body);
        self.send(call, nothing).await
    }

    /// Lists a conversation's messages: `GET /conversations/{id}/messages`, 200; the newest first unless `page` says otherwise.
    pub async fn messages(
        &self,
        tenant: &TenantId,
        id: &str,
        page: &PageQuery,
    ) -> Result<Listed<Message>, UpstreamError> {
        let call = Call::new(Operation::MESSAGES, tenant, ["conversations", id, "messages"]).page(page);
        self.send(call, received::messages).await
    }

    /// Shows that the user or the bot is typing: `POST /conversations/{id}/typing`, 204. Not safe to repeat, as a POST.
    pub async fn send_typing(
        &self,
        tenant: &TenantId,
        id: &str,
        author: AuthorType,
    ) -> Result<(), UpstreamError> {
        let body = json(&sent::Typing::new(author)?)?;
        let call = Call::new(Operation::TYPING, tenant, ["conversations", id, "typing"]).body(body);
        self.send(call, nothing).await
    }

    /// The JWK of a public key, as the text of a JSON object: `GET /jwk/{kid}/public`, 200. The vendor's answer is that object, or
    /// a JSON string that holds it.
    pub async fn signing_key(&self, tenant: &TenantId, kid: &str) -> Result<String, UpstreamError> {
        let call = Call::new(Operation::SIGNING_KEY, tenant, ["jwk", kid, "public"]);
        self.send(call, received::signing_key).await
    }

    /// Sends a call once and reads its answer with `read`.
    async fn send<T>(
        &self,
        call: Call<'_>,
        read: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Result<T, UpstreamError> {
        let operation = &call.operation;
        let request = self.request(&call)?;
        let record = Record::start(operation.name);
        let result = match exchange(&self.client, operation, request, self.timeout).await {
            Ok(answer) => match read(&answer.body) {
                Ok(value) => {
                    record.succeeded(answer.status);
                    return Ok(value);
                }
                Err(problem) => undecodable(operation, answer.status, problem),
            },
            Err(error) => error,
        };
        record.failed(&result);
        Err(result)
    }

    fn request(&self, call: &Call<'_>) -> Result<reqwest::Request, UpstreamError> {
        let url = path::address(&self.root, &call.path)?;
        let tenant = connection::header(call.tenant.as_str())
            .ok_or_else(|| refuse("the tenant must be one or more visible ASCII characters"))?;
        let mut request = self
            .client
            .request(call.operation.method.clone(), url)
            .header(TENANT_HEADER, tenant);
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        if let Some(body) = &call.body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        request
            .build()
            .map_err(|_| refuse("the request could not be built"))
    }
}

/// What is to be sent.
struct Call<'a> {
    operation: Operation,
    tenant: &'a TenantId,
    path: Vec<&'a str>,
    query: Vec<(&'static str, String)>,
    body: Option<bytes::Bytes>,
}

impl<'a> Call<'a> {
    fn new<const N: usize>(operation: Operation, tenant: &'a TenantId, path: [&'a str; N]) -> Self {
        Self {
            operation,
            tenant,
            path: path.to_vec(),
            query: Vec::new(),
            body: None,
        }
    }

    fn body(mut self, body: Vec<u8>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// What is at its default is left out: the vendor's own default holds.
    fn page(mut self, page: &PageQuery) -> Self {
        let number = |n: u32| if n == 0 { String::new() } else { n.to_string() };
        let all = [
            ("size", number(page.size)),
            ("page", number(page.page)),
            ("sort", page.sort.clone()),
            ("filter", page.filter.clone()),
        ];
        self.query = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        self
    }
}

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
