//! Conversations, their participants, indicators and interactions.

use super::{Gateway, json, nothing};
use crate::{
    event::{AuthorType, Participant, TenantId},
    gateway::{
        Conversation, ConversationPatch, ConversationReplacement, Created, Interaction, Listed,
        NewConversation, PageQuery, PostAgentAssignment, UpstreamError, operation,
        wire::{received, sent},
    },
};

impl Gateway {
    /// Creates a conversation: `POST /conversations`, 202. Not safe to repeat: where the answer is cut or unreadable, the
    /// conversation may exist and its identifier is lost, which is [`UpstreamErrorKind::OutcomeUnknown`].
    pub async fn create_conversation(
        &self,
        tenant: &TenantId,
        new: &NewConversation,
    ) -> Result<Created, UpstreamError> {
        let body = json(&sent::NewConversation::new(new)?)?;
        let call = self
            .prepare(&operation::CREATE, tenant, &["conversations"])?
            .body(body);
        self.send(call, received::created).await
    }

    /// Reads a conversation: `GET /conversations/{id}`, 200.
    pub async fn conversation(&self, tenant: &TenantId, id: &str) -> Result<Conversation, UpstreamError> {
        let call = self.prepare(&operation::GET, tenant, &["conversations", id])?;
        self.send(call, received::conversation).await
    }

    /// Lists conversations: `GET /conversations`, 200.
    pub async fn conversations(
        &self,
        tenant: &TenantId,
        page: &PageQuery,
    ) -> Result<Listed<Conversation>, UpstreamError> {
        let call = self
            .prepare(&operation::LIST, tenant, &["conversations"])?
            .page(page);
        self.send(call, received::conversations).await
    }

    /// Changes the customer's data or the assignment: `PATCH /conversations/{id}`, 202. Safe to repeat unless it holds an
    /// assignment. The vendor acts later; an event tells the outcome. Answers the conversation where the vendor did, which may
    /// still be as it was before.
    pub async fn patch_conversation(
        &self,
        tenant: &TenantId,
        id: &str,
        patch: &ConversationPatch,
    ) -> Result<Option<Conversation>, UpstreamError> {
        let operation = match patch.assignment {
            Some(_) => &operation::PATCH_ASSIGNMENT,
            None => &operation::PATCH_USER,
        };
        let body = json(&sent::Patch::new(patch)?)?;
        let call = self
            .prepare(operation, tenant, &["conversations", id])?
            .body(body);
        self.send(call, received::conversation_if_any).await
    }

    /// Replaces channel, customer and assignment: `PUT /conversations/{id}`, 202. Safe to repeat unless it holds an assignment.
    /// Fields of the customer that are empty are not sent. The vendor acts later, and answers as with
    /// [`Gateway::patch_conversation`].
    pub async fn replace_conversation(
        &self,
        tenant: &TenantId,
        id: &str,
        replacement: &ConversationReplacement,
    ) -> Result<Option<Conversation>, UpstreamError> {
        let operation = match replacement.assignment {
            Some(_) => &operation::REPLACE_ASSIGNMENT,
            None => &operation::REPLACE_USER,
        };
        let body = json(&sent::Replacement::new(replacement)?)?;
        let call = self
            .prepare(operation, tenant, &["conversations", id])?
            .body(body);
        self.send(call, received::conversation_if_any).await
    }

    /// Lists interactions: `GET /conversations/{id}/interactions`, 200. The vendor documents no pages.
    pub async fn interactions(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Listed<Interaction>, UpstreamError> {
        let path = ["conversations", id, "interactions"];
        let call = self.prepare(&operation::INTERACTIONS, tenant, &path)?;
        self.send(call, received::interactions).await
    }

    /// Hands back to a bot after the agent: `POST /conversations/{id}/post-agent-assignment`, 201. Not safe to repeat.
    pub async fn post_agent_assignment(
        &self,
        tenant: &TenantId,
        id: &str,
        assignment: &PostAgentAssignment,
    ) -> Result<(), UpstreamError> {
        let body = json(&sent::PostAgentAssignment::new(assignment))?;
        let path = ["conversations", id, "post-agent-assignment"];
        let call = self
            .prepare(&operation::POST_AGENT_ASSIGNMENT, tenant, &path)?
            .body(body);
        self.send(call, nothing).await
    }

    /// Ends the current interaction: `PATCH /conversations/{id}/participants/user`, 204. Safe to repeat promptly.
    pub async fn end_conversation(&self, tenant: &TenantId, id: &str) -> Result<(), UpstreamError> {
        let body = json(&sent::UserLeaves { removed: true })?;
        let path = ["conversations", id, "participants", "user"];
        self.send(self.prepare(&operation::END, tenant, &path)?.body(body), nothing)
            .await
    }

    /// Lists participants: `GET /conversations/{id}/participants`, 200. The vendor documents no pages.
    pub async fn participants(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Listed<Participant>, UpstreamError> {
        let path = ["conversations", id, "participants"];
        let call = self.prepare(&operation::PARTICIPANTS, tenant, &path)?;
        self.send(call, received::participants).await
    }

    /// Shows that the user or the bot is typing: `POST /conversations/{id}/typing`, 204. Not safe to repeat, as a POST.
    pub async fn send_typing(
        &self,
        tenant: &TenantId,
        id: &str,
        author: AuthorType,
    ) -> Result<(), UpstreamError> {
        let body = json(&sent::Typing::new(author)?)?;
        let call = self
            .prepare(&operation::TYPING, tenant, &["conversations", id, "typing"])?
            .body(body);
        self.send(call, nothing).await
    }

    /// Shows that the bot is working on an answer: `POST /conversations/{id}/thinking`, 204. Not safe to repeat, as a POST.
    /// `max_seconds` is 1 to 600; `None`: the vendor's default.
    pub async fn send_thinking(
        &self,
        tenant: &TenantId,
        id: &str,
        max_seconds: Option<u32>,
    ) -> Result<(), UpstreamError> {
        let body = json(&sent::Thinking::new(max_seconds))?;
        let call = self
            .prepare(&operation::THINKING, tenant, &["conversations", id, "thinking"])?
            .body(body);
        self.send(call, nothing).await
    }

    /// Tells up to when the user or the bot has read: `POST /conversations/{id}/read-receipt`, 204. Not safe to repeat, as a
    /// POST. `read_ms` is in Unix milliseconds.
    pub async fn send_read_receipt(
        &self,
        tenant: &TenantId,
        id: &str,
        author: AuthorType,
        read_ms: i64,
    ) -> Result<(), UpstreamError> {
        let body = json(&sent::ReadReceipt::new(author, read_ms)?)?;
        let path = ["conversations", id, "read-receipt"];
        let call = self.prepare(&operation::READ_RECEIPT, tenant, &path)?.body(body);
        self.send(call, nothing).await
    }
}
