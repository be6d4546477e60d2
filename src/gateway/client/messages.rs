//! Messages.

use super::{Gateway, json, nothing};
use crate::{
    event::{Message, TenantId},
    gateway::{
        Listed, PageQuery, UpstreamError, operation,
        wire::{received, sent},
    },
};

impl Gateway {
    /// Sends a message: `POST /conversations/{id}/messages`, 202 without a body. Not safe to repeat. Of the message, author
    /// type, text, attachment identifiers, cards and external provider are sent.
    pub async fn send_message(
        &self,
        tenant: &TenantId,
        id: &str,
        message: &Message,
    ) -> Result<(), UpstreamError> {
        let body = json(&sent::Message::new(message)?)?;
        let call = self
            .prepare(&operation::SEND, tenant, &["conversations", id, "messages"])?
            .body(body);
        self.send(call, nothing).await
    }

    /// Reads a message: `GET /conversations/{id}/messages/{messageId}`, 200.
    pub async fn message(
        &self,
        tenant: &TenantId,
        id: &str,
        message: &str,
    ) -> Result<Message, UpstreamError> {
        let path = ["conversations", id, "messages", message];
        let call = self.prepare(&operation::MESSAGE, tenant, &path)?;
        self.send(call, received::message).await
    }

    /// Lists a conversation's messages: `GET /conversations/{id}/messages`, 200; the newest first unless `page` says otherwise.
    pub async fn messages(
        &self,
        tenant: &TenantId,
        id: &str,
        page: &PageQuery,
    ) -> Result<Listed<Message>, UpstreamError> {
        let call = self
            .prepare(&operation::MESSAGES, tenant, &["conversations", id, "messages"])?
            .page(page);
        self.send(call, received::messages).await
    }
}
