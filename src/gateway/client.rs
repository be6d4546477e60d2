//! The client.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::{
    Conversation, ConversationPatch, Created, Listed, NewConversation, PageQuery, UpstreamError,
    UpstreamErrorKind,
};
use crate::event::{AuthorType, Message, TenantId};

/// What the client needs to know.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// Base URL, such as `https://api.8x8.com`, without the path prefix of the Chat Gateway.
    pub base_url: Url,
    /// The key, sent as `x-api-key`.
    pub api_key: SecretString,
    /// How long one request may take, answer included.
    pub timeout: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
}

/// A client of the Chat Gateway for one API key.
#[derive(Debug, Clone)]
pub struct Gateway {}

#[allow(unused_variables, missing_docs, clippy::unused_async)]
impl Gateway {
    pub fn new(settings: GatewaySettings) -> Result<Self, UpstreamError> {
        Err(UpstreamError::new(UpstreamErrorKind::Unexpected, "not here yet"))
    }
    pub async fn create_conversation(
        &self,
        tenant: &TenantId,
        new: &NewConversation,
    ) -> Result<Created, UpstreamError> {
        Err(UpstreamError::new(UpstreamErrorKind::Unexpected, "not here yet"))
    }
    pub async fn conversation(&self, tenant: &TenantId, id: &str) -> Result<Conversation, UpstreamError> {
        Err(UpstreamError::new(UpstreamErrorKind::Unexpected, "not here yet"))
    }
    pub async fn conversations(
        &self,
        tenant: &TenantId,
        page: &PageQuery,
    ) -> Result<Listed<Conversation>, UpstreamError> {
        Err(UpstreamError::new(UpstreamErrorKind::Unexpected, "not here yet"))
    }
    pub async fn patch_conversation(
        &self,
        tenant: &TenantId,
        id: &str,
        patch: &ConversationPatch,
    ) -> Result<(), UpstreamError> {
        Err(UpstreamError::new(UpstreamErrorKind::Unexpected, "not here yet"))
    }
    pub async fn end_conversation(&self, tenant: &TenantId, id: &str) -> Result<(), UpstreamError> {
        Err(UpstreamError::new(UpstreamErrorKind::Unexpected, "not here yet"))
    }
    pub async fn send_message(
        &self,
        tenant: &TenantId,
        id: &str,
        message: &Message,
    ) -> Result<(), UpstreamError> {
        Err(UpstreamError::new(UpstreamErrorKind::Unexpected, "not here yet"))
    }
    pub async fn messages(
        &self,
        tenant: &TenantId,
        id: &str,
        page: &PageQuery,
    ) -> Result<Listed<Message>, UpstreamError> {
        Err(UpstreamError::new(UpstreamErrorKind::Unexpected, "not here yet"))
    }
    pub async fn send_typing(
        &self,
        tenant: &TenantId,
        id: &str,
        author: AuthorType,
    ) -> Result<(), UpstreamError> {
        Err(UpstreamError::new(UpstreamErrorKind::Unexpected, "not here yet"))
    }
    /// The public key's JWK as JSON text.
    pub async fn signing_key(&self, tenant: &TenantId, kid: &str) -> Result<String, UpstreamError> {
        Err(UpstreamError::new(UpstreamErrorKind::Unexpected, "not here yet"))
    }
}
