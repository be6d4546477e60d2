//! Plays the customer in the vendor's own widget.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Input, Refusal};
use crate::sandbox::{
    Inner,
    floor::{
        CardError, Floor, Via,
        content::{CardAction, Values},
        conversation::Author,
        house::{Channel, ChannelType},
        user::User,
    },
    now_ms,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BeginBody {
    #[serde(default)]
    user: User,
    text: String,
    #[serde(default)]
    channel_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextBody {
    text: String,
    /// Files of the conversation that go with it.
    #[serde(default)]
    attachments: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(
    tag = "action",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum Action {
    SubmitCard {
        card_id: String,
        #[serde(default)]
        name: Option<String>,
        /// What the customer filled in, by the ids of the card's fields.
        #[serde(default)]
        values: Values,
    },
    ExecuteCard {
        card_id: String,
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        values: Values,
    },
    QuickReply {
        title: String,
        payload: String,
    },
}

/// Begins a conversation with a first message.
pub(super) async fn begin(
    State(inner): State<Arc<Inner>>,
    Input(body): Input<BeginBody>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let text = some_text(body.text)?;
    let id = inner.floor(|floor| {
        let channel = widget(floor, body.channel_id.as_deref().unwrap_or("sandbox-widget"))?;
        floor
            .create_in_widget(&channel, body.user, text)
            .map_err(|full| Refusal::new(StatusCode::TOO_MANY_REQUESTS, full.to_string()))
    })?;
    Ok((StatusCode::CREATED, Json(json!({"conversationId": id}))))
}

fn widget(floor: &Floor, channel_id: &str) -> Result<Channel, Refusal> {
    match floor.house.channel(channel_id) {
        Some(channel) if channel.kind == ChannelType::WebChat => Ok(channel.clone()),
        _ => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "The channelId must be that of a WebChat channel.",
        )),
    }
}

/// Lets the customer write.
pub(super) async fn write(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Input(body): Input<TextBody>,
) -> Result<StatusCode, Refusal> {
    let text = some_text(body.text)?;
    inner.floor(|floor| {
        in_widget(floor, &id)?;
        let written = floor.act(&id, |scene| {
            let content = super::content(scene.conversation, text, &body.attachments)?;
            scene.customer_writes(content, Via::Widget);
            Ok(StatusCode::ACCEPTED)
        });
        written.ok_or_else(Refusal::no_conversation)?
    })
}

/// Shows the agent that the customer types.
pub(super) async fn typing(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    inner.floor(|floor| {
        in_widget(floor, &id)?;
        floor.act(&id, |scene| scene.conversation.indicators.types(Author::User));
        Ok(StatusCode::ACCEPTED)
    })
}

/// Shows the agent that the customer has read all that was said.
pub(super) async fn read(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    inner.floor(|floor| {
        in_widget(floor, &id)?;
        floor.act(&id, |scene| {
            scene.conversation.indicators.has_read(Author::User, now_ms())
        });
        Ok(StatusCode::ACCEPTED)
    })
}

/// Lets the customer use what the bot or the agent sent.
pub(super) async fn act(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Input(action): Input<Action>,
) -> Result<StatusCode, Refusal> {
    let acted = inner.floor(|floor| {
        in_widget(floor, &id)?;
        let acted = floor.act(&id, |scene| match &action {
            Action::SubmitCard {
                card_id,
                name,
                values,
            } => scene.act_on_card(card_id, CardAction::Submit, name.as_deref(), values),
            Action::ExecuteCard {
                card_id,
                name,
                values,
            } => scene.act_on_card(card_id, CardAction::Execute, name.as_deref(), values),
            Action::QuickReply { title, payload } => {
                scene.quick_reply(title, payload);
                Ok(())
            }
        });
        acted.ok_or_else(Refusal::no_conversation)
    })?;
    let refuse = |status, why: &str| Err(Refusal::new(status, why));
    match acted {
        Ok(()) => Ok(StatusCode::ACCEPTED),
        Err(CardError::Unknown) => refuse(
            StatusCode::NOT_FOUND,
            "There is no such card in this conversation.",
        ),
        Err(CardError::NotAdaptive) => refuse(StatusCode::CONFLICT, "Only adaptive cards have actions."),
        Err(CardError::NoField(id)) => refuse(
            StatusCode::BAD_REQUEST,
            &format!("The card has no field with the id {id}."),
        ),
    }
}

/// Lets the customer leave.
pub(super) async fn leave(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    inner.floor(|floor| {
        in_widget(floor, &id)?;
        floor.act(&id, |scene| scene.customer_leaves());
        Ok(StatusCode::ACCEPTED)
    })
}

fn some_text(text: String) -> Result<String, Refusal> {
    if text.is_empty() {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "The text must not be empty.",
        ));
    }
    Ok(text)
}

pub(super) fn in_widget(floor: &Floor, id: &str) -> Result<(), Refusal> {
    let conversation = floor.conversation(id).ok_or_else(Refusal::no_conversation)?;
    if conversation.channel_type == ChannelType::WebChat {
        return Ok(());
    }
    let why = "This conversation is not the widget's: its customer writes through the REST API, as authorType user.";
    Err(Refusal::new(StatusCode::CONFLICT, why))
}
