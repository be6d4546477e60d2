//! `/conversations/{id}/messages/{messageId}/cards`, and what is done with cards.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Body,
    page::{PageRequest, Rules},
    problem::{Fault, Problem},
};
use crate::sandbox::{
    Inner,
    floor::{
        CardError,
        content::{Card, CardAction, Values},
    },
    strict::present,
};

const RULES: Rules = Rules {
    sort: &["createdAt"],
    ascending: false,
    filter: &[],
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActionBody {
    #[serde(default, deserialize_with = "present")]
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Place {
    tenant: String,
    id: String,
    card_id: String,
}

/// Lists the cards of a message. Those were made at one time: the message's order stands for it.
pub(super) async fn list(
    State(inner): State<Arc<Inner>>,
    Path((id, message_id)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, Problem> {
    let page = PageRequest::read(&uri, &RULES)?;
    inner.floor(|floor| {
        let conversation = floor
            .conversation(&id)
            .ok_or_else(|| Problem::no_conversation(&id))?;
        let message = conversation.messages.iter().find(|it| it.id == message_id);
        let message = message.ok_or_else(|| Problem::no_message(&id, &message_id))?;
        let items: Vec<&Card> = message.content.cards.iter().collect();
        Ok(page.answer(&uri, "cards", items, |it| to_json(it)))
    })
}

/// Marks a card as submitted by the customer.
pub(super) async fn submit(
    State(inner): State<Arc<Inner>>,
    Path(place): Path<Place>,
    Body(body): Body<ActionBody>,
) -> Result<StatusCode, Problem> {
    act(&inner, &place, CardAction::Submit, &body)
}

/// Marks a card's action as executed.
pub(super) async fn execute(
    State(inner): State<Arc<Inner>>,
    Path(place): Path<Place>,
    Body(body): Body<ActionBody>,
) -> Result<StatusCode, Problem> {
    act(&inner, &place, CardAction::Execute, &body)
}

fn act(inner: &Inner, place: &Place, action: CardAction, body: &ActionBody) -> Result<StatusCode, Problem> {
    if place.tenant != inner.tenant {
        let why = format!("The tenant {} is not this customer's.", place.tenant);
        return Err(Problem::forbidden(&why));
    }
    let name = body.name.as_deref();
    let acted = inner.floor(|floor| {
        floor.act(&place.id, |scene| {
            // The vendor's body has no place for what was filled in.
            scene.act_on_card(&place.card_id, action, name, &Values::new())
        })
    });
    match acted.ok_or_else(|| Problem::no_conversation(&place.id))? {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(CardError::Unknown | CardError::NoField(_)) => Err(Problem::not_found(&format!(
            "There is no card {} in conversation {}.",
            place.card_id, place.id
        ))),
        Err(CardError::NotAdaptive) => Err(Problem::general(
            StatusCode::BAD_REQUEST,
            &Fault::new("invalid_card_type", "Only adaptive cards have actions."),
        )),
    }
}

pub(super) fn to_json(card: &Card) -> Value {
    json!({
        "id": card.id,
        "contentType": card.content_type,
        "content": card.content,
        "actionSubmitted": card.submitted,
        "actionExecuted": card.executed,
    })
}
