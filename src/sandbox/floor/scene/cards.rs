//! What is done with the cards of a conversation.

use serde_json::Value;

use super::Scene;
use crate::sandbox::floor::{
    content::{ADAPTIVE_CARD, CardAction, Values},
    notice::Notice,
};

/// Why nothing can be done with a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CardError {
    Unknown,
    /// Only adaptive cards have actions.
    NotAdaptive,
    /// The card has no field of this id.
    NoField(String),
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
        values: &Values,
    ) -> Result<(), CardError> {
        let card = self.conversation.card_mut(card_id).ok_or(CardError::Unknown)?;
        if card.content_type != ADAPTIVE_CARD {
            return Err(CardError::NotAdaptive);
        }
        if let Some(stray) = values.keys().find(|id| !has_field(&card.content, id)) {
            return Err(CardError::NoField(stray.clone()));
        }
        match action {
            CardAction::Submit => card.submitted = true,
            CardAction::Execute => card.executed = true,
        }
        self.tell(&Notice::CardActed {
            action,
            card_id,
            name,
            values,
        });
        Ok(())
    }
}

/// Whether there is an `Input.…` of this id anywhere in a card.
fn has_field(content: &Value, id: &str) -> bool {
    match content {
        Value::Object(members) => {
            let is = |member: &str, fits: &dyn Fn(&str) -> bool| {
                members.get(member).and_then(Value::as_str).is_some_and(fits)
            };
            (is("type", &|it| it.starts_with("Input.")) && is("id", &|it| it == id))
                || members.values().any(|it| has_field(it, id))
        }
        Value::Array(items) => items.iter().any(|it| has_field(it, id)),
        _ => false,
    }
}
