//! What is done with the cards of a conversation.

use super::Scene;
use crate::sandbox::floor::{
    content::{ADAPTIVE_CARD, CardAction},
    notice::Notice,
};

/// Why nothing can be done with a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CardError {
    Unknown,
    /// Only adaptive cards have actions.
    NotAdaptive,
}

impl Scene<'_> {
    /// The customer takes an answer that was offered.
    pub(crate) fn quick_reply(&mut self, title: &str, payload: &str) {
        self.tell(&Notice::QuickReplied { title, payload });
    }

    /// Marks a card as submitted or executed and tells so, each time.
    pub(crate) fn act_on_card(
        &mut self,
        card_id: &str,
        action: CardAction,
        name: Option<&str>,
    ) -> Result<(), CardError> {
        let card = self.conversation.card_mut(card_id).ok_or(CardError::Unknown)?;
        if card.content_type != ADAPTIVE_CARD {
            return Err(CardError::NotAdaptive);
        }
        match action {
            CardAction::Submit => card.submitted = true,
            CardAction::Execute => card.executed = true,
        }
        self.tell(&Notice::CardActed {
            action,
            card_id,
            name,
        });
        Ok(())
    }
}
