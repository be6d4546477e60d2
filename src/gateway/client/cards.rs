//! Cards.

use super::{Gateway, unbuilt};
use crate::{
    event::{Card, TenantId},
    gateway::{Listed, PageQuery, UpstreamError},
};

impl Gateway {
    /// Lists the cards of a message: `GET /conversations/{id}/messages/{messageId}/cards`, 200; the newest first unless `page`
    /// says otherwise.
    pub async fn cards(
        &self,
        _tenant: &TenantId,
        _id: &str,
        _message: &str,
        _page: &PageQuery,
    ) -> Result<Listed<Card>, UpstreamError> {
        unbuilt()
    }

    /// Tells that the customer submitted a card:
    /// `PUT /api/v1/tenant/{tenantId}/conversations/{id}/cards/{cardId}/action-submit`, 204. Not safe to repeat. An empty `name`
    /// is not sent.
    pub async fn submit_card_action(
        &self,
        _tenant: &TenantId,
        _id: &str,
        _card: &str,
        _name: &str,
    ) -> Result<(), UpstreamError> {
        unbuilt()
    }

    /// Tells that a card's action was executed: as [`Gateway::submit_card_action`], with `action-execute`.
    pub async fn execute_card_action(
        &self,
        _tenant: &TenantId,
        _id: &str,
        _card: &str,
        _name: &str,
    ) -> Result<(), UpstreamError> {
        unbuilt()
    }
}
