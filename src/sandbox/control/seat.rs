//! What a person who is signed in as an agent does in a conversation.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Input, Refusal, agents};
use crate::sandbox::{
    Inner,
    floor::{SeatError, To, content::Content},
    rest::validate::{self, CardBody, Findings},
    strict::objects,
};

/// The longest note, in bytes.
const NOTE_BYTES: usize = 10_000;

#[derive(Debug, Deserialize)]
#[serde(
    tag = "action",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum Action {
    Accept,
    Decline,
    Say {
        #[serde(default)]
        text: String,
        /// The prepared response to say, in place of `text`.
        #[serde(default)]
        prepared: Option<String>,
        /// Files of the conversation that go with it.
        #[serde(default)]
        attachments: Vec<String>,
        #[serde(default, deserialize_with = "objects")]
        cards: Option<Vec<CardBody>>,
    },
    Typing {
        /// Left out: true.
        #[serde(default)]
        stopped: bool,
    },
    Read,
    Transfer {
        #[serde(default)]
        queue_id: Option<String>,
        #[serde(default)]
        agent_id: Option<String>,
    },
    Leave,
    WrapUp {
        #[serde(default)]
        code: Option<String>,
        #[serde(default)]
        note: String,
    },
}

/// Does it, or says why not.
pub(super) async fn act(
    State(inner): State<Arc<Inner>>,
    Path((agent, id)): Path<(String, String)>,
    Input(action): Input<Action>,
) -> Result<StatusCode, Refusal> {
    inner.floor(|floor| {
        if floor.roster.get(&agent).is_none() {
            return Err(agents::unknown());
        }
        let done = floor.act(&id, |scene| {
            let done = match action {
                Action::Accept => scene.seat_accept(&agent),
                Action::Decline => scene.seat_decline(&agent),
                Action::Say {
                    mut text,
                    prepared,
                    attachments,
                    cards,
                } => {
                    if let Some(response) = prepared {
                        only_one(text.is_empty(), "Give text or prepared, not both.")?;
                        text = scene.prepared(&agent, &response).map_err(refusal)?;
                    }
                    let mut content = super::content(scene.conversation, text, &attachments)?;
                    add_cards(&mut content, cards.unwrap_or_default())?;
                    let bare = content.text.is_empty() && content.attachments.is_empty();
                    only_one(!bare || !content.cards.is_empty(), "There is nothing to say.")?;
                    scene.seat_say(&agent, content)
                }
                Action::Typing { stopped } => scene.seat_type(&agent, !stopped),
                Action::Read => scene.seat_read(&agent),
                Action::Transfer { queue_id, agent_id } => {
                    let to = match (queue_id, agent_id) {
                        (Some(queue), None) => To::Queue(queue),
                        (None, Some(agent)) => To::Agent(agent),
                        _ => return Err(bad("Give queueId or agentId, one of them.")),
                    };
                    scene.seat_transfer(&agent, &to)
                }
                Action::Leave => scene.seat_leave(&agent),
                Action::WrapUp { code, note } => {
                    only_one(note.len() <= NOTE_BYTES, "A note may have at most 10000 bytes.")?;
                    scene.seat_wrap_up(&agent, code, note)
                }
            };
            done.map_err(refusal)
        });
        done.ok_or_else(Refusal::no_conversation)?
    })?;
    Ok(StatusCode::ACCEPTED)
}

/// Lists the prepared responses as they would be said in a conversation.
pub(super) async fn prepared(
    State(inner): State<Arc<Inner>>,
    Path((agent, id)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    let all = inner.floor(|floor| {
        let responses = floor.house.setup.prepared_responses.clone();
        floor.act(&id, |scene| {
            let said = |response: &str| scene.prepared(&agent, response).unwrap_or_default();
            let all = responses.iter();
            all.map(|it| json!({"id": it.id, "title": it.title, "text": said(&it.id)}))
                .collect::<Vec<Value>>()
        })
    });
    let all = all.ok_or_else(Refusal::no_conversation)?;
    Ok(Json(json!({"preparedResponses": all})))
}

fn add_cards(content: &mut Content, cards: Vec<CardBody>) -> Result<(), Refusal> {
    let mut findings = Findings::default();
    for (n, card) in cards.into_iter().enumerate() {
        let card = validate::card(card, &format!("cards[{n}]"), &mut findings);
        content.cards.push(card);
    }
    match findings.0.first() {
        Some(first) => Err(bad(first.fault.message())),
        None => Ok(()),
    }
}

fn only_one(holds: bool, why: &str) -> Result<(), Refusal> {
    holds.then_some(()).ok_or_else(|| bad(why))
}

fn bad(why: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, why)
}

fn refusal(why: SeatError) -> Refusal {
    let status = match why {
        SeatError::NotSignedIn
        | SeatError::NotOffered
        | SeatError::NotThere
        | SeatError::NothingToWriteUp => StatusCode::CONFLICT,
        SeatError::UnknownQueue
        | SeatError::UnknownAgent
        | SeatError::UnknownCode
        | SeatError::UnknownResponse => StatusCode::BAD_REQUEST,
    };
    Refusal::new(status, why.to_string())
}
