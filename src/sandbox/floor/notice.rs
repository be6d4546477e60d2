//! The one place where what happens on the floor becomes an event.

use serde_json::{Value, json};

use super::{
    conversation::{Author, Conversation, Message, State},
    house::Queue,
};
use crate::sandbox::{
    delivery::{Dispatcher, Event},
    new_id, now_ms,
};

/// Something that the webhook is to hear.
#[derive(Debug)]
pub(crate) enum Notice<'a> {
    /// State, assignment or customer changed: the event shows them as they are now.
    Updated,
    /// It waits in this queue.
    Queued(&'a Queue),
    /// Somebody joined.
    Joined(Author),
    /// Somebody left.
    Left(Author),
    /// The agent passed it on.
    Transferred,
    /// A message.
    Said(&'a Message),
    /// The agent types, or nobody does.
    Typing(Option<&'a str>),
}

impl Notice<'_> {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Updated => "CONVERSATION_UPDATE",
            Self::Queued(_) => "QUEUED",
            Self::Joined(_) | Self::Left(_) => "MEMBERS_CHANGED",
            Self::Transferred => "TRANSFER",
            Self::Said(_) => "MESSAGE",
            Self::Typing(_) => "ACTIVITY",
        }
    }

    fn data(&self, conversation: &Conversation) -> Option<Value> {
        let member =
            |who: &Author, change| json!({"memberType": who.kind(), "change": change, "id": who.id()});
        Some(match self {
            Self::Updated => update(conversation),
            Self::Queued(queue) => json!({"queueId": queue.id, "queueName": queue.name}),
            Self::Joined(who) => member(who, "joined"),
            Self::Left(who) => member(who, "left"),
            Self::Transferred => return None,
            Self::Said(said) => message(said),
            Self::Typing(who) => json!({"name": "typing", "value": {"users": who.as_slice()}}),
        })
    }
}

/// Sends what happened in `conversation` on its way.
pub(crate) fn emit(conversation: &mut Conversation, to: &Dispatcher, notice: &Notice<'_>) {
    // A clock that steps back must not let an event precede the one before it.
    let at_ms = now_ms().max(conversation.last_event_ms);
    conversation.last_event_ms = at_ms;
    let mut body = json!({
        "eventType": notice.event_type(),
        "conversationId": conversation.id,
        "timestamp": at_ms,
    });
    if let Some(data) = notice.data(conversation) {
        body["data"] = data;
    }
    to.send(Event::new(
        new_id(),
        notice.event_type(),
        Some(conversation.id.clone()),
        body.to_string(),
    ));
}

fn update(conversation: &Conversation) -> Value {
    let mut data = json!({
        "state": conversation.state.as_str(),
        "user": conversation.user,
        "channel": conversation.channel_type,
    });
    if let Some(assignment) = &conversation.assignment
        && conversation.state == State::Active
    {
        data["assignment"] = assignment.to_json();
    }
    data
}

fn message(message: &Message) -> Value {
    let cards: Vec<Value> = message
        .content
        .cards
        .iter()
        .map(|card| json!({"contentType": card.content_type, "content": card.content}))
        .collect();
    // Whether the vendor echoes what is sent as the customer is not known. Here it does not: only the bot's own come back.
    json!({
        "isEcho": message.author == Author::Bot,
        "sender": {"id": message.author.id(), "type": message.author.kind()},
        "text": message.content.text,
        "attachments": [],
        "cards": cards,
    })
}
