//! Cards.

use super::{Gateway, json, nothing};
use crate::{
    event::{Card, TenantId},
    gateway::{
        Listed, PageQuery, UpstreamError,
        operation::{self, Operation},
        wire::{received, sent},
    },
};

impl Gateway {
    /// Lists the cards of a message: `GET /conversations/{id}/messages/{messageId}/cards`, 200; the newest first unless `page`
    /// says otherwise.
    pub async fn cards(
        &self,
        tenant: &TenantId,
        id: &str,
        message: &str,
        page: &PageQuery,
    ) -> Result<Listed<Card>, UpstreamError> {
        let path = ["conversations", id, "messages", message, "cards"];
        let call = self.prepare(&operation::CARDS, tenant, &path)?.page(page);
        self.send(call, received::cards).await
    }

    /// Tells that the customer submitted a card:
    /// `PUT /api/v1/tenant/{tenantId}/conversations/{id}/cards/{cardId}/action-submit`, 204. Not safe to repeat. An empty `name`
    /// is not sent.
    pub async fn submit_card_action(
        &self,
        tenant: &TenantId,
        id: &str,
        card: &str,
        name: &str,
    ) -> Result<(), UpstreamError> {
        let operation = &operation::SUBMIT_CARD_ACTION;
        self.card_action(operation, tenant, [id, card, "action-submit"], name)
            .await
    }

    /// Tells that a card's action was executed: as [`Gateway::submit_card_action`], with `action-execute`.
    pub async fn execute_card_action(
        &self,
        tenant: &TenantId,
        id: &str,
        card: &str,
        name: &str,
    ) -> Result<(), UpstreamError> {
        let operation = &operation::EXECUTE_CARD_ACTION;
        self.card_action(operation, tenant, [id, card, "action-execute"], name)
            .await
    }

    /// Card actions have a place of their own, outside of the Chat Gateway's path.
    async fn card_action(
        &self,
        operation: &'static Operation,
        tenant: &TenantId,
        [id, card, action]: [&str; 3],
        name: &str,
    ) -> Result<(), UpstreamError> {
        let body = json(&sent::CardAction { name })?;
        let owner = tenant.as_str();
        let path = [
            "api",
            "v1",
            "tenant",
            owner,
            "conversations",
            id,
            "cards",
            card,
            action,
        ];
        let call = self.prepare_at_base(operation, tenant, &path)?.body(body);
        self.send(call, nothing).await
    }
}
