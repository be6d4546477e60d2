//! The one place where what happens on the floor becomes an event.

use serde_json::{Value, json};

use super::{
    content::{Attachment, CardAction, Message, Values},
    conversation::{Author, Conversation, State},
    house::House,
    setup::Queue,
};
use crate::sandbox::{
    delivery::{DEFAULT_WEBHOOK, Dispatcher, Event},
    feed::Feed,
    links::Links,
    new_id, now_ms,
};

/// The way out of the floor.
#[derive(Clone, Copy)]
pub(crate) struct Outlet<'a> {
    pub(crate) house: &'a House,
    pub(crate) dispatcher: &'a Dispatcher,
    pub(crate) links: &'a Links,
    pub(crate) feed: &'a Feed,
}

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
    /// A card was submitted or executed.
    CardActed {
        action: CardAction,
        card_id: &'a str,
        name: Option<&'a str>,
        /// What was filled in.
        values: &'a Values,
    },
    /// The customer took an answer that was offered for a quick reply.
    QuickReplied { title: &'a str, payload: &'a str },
}

impl Notice<'_> {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Updated => "CONVERSATION_UPDATE",
            Self::Queued(_) => "QUEUED",
            Self::Joined(_) | Self::Left(_) => "MEMBERS_CHANGED",
            Self::Transferred => "TRANSFER",
            Self::Said(_) => "MESSAGE",
            Self::Typing(_) | Self::CardActed { .. } | Self::QuickReplied { .. } => "ACTIVITY",
        }
    }

    fn data(&self, conversation: &Conversation, links: &Links) -> Option<Value> {
        let member =
            |who: &Author, change| json!({"memberType": who.kind(), "change": change, "id": who.id()});
        Some(match self {
            Self::Updated => update(conversation),
            Self::Queued(queue) => json!({"queueId": queue.id, "queueName": queue.name}),
            Self::Joined(who) => member(who, "joined"),
            Self::Left(who) => member(who, "left"),
            Self::Transferred => return None,
            Self::Said(said) => message(said, conversation, links),
            Self::Typing(who) => json!({"name": "typing", "value": {"users": who.as_slice()}}),
            Self::QuickReplied { title, payload } => {
                let data = json!({"title": title, "payload": payload});
                json!({"name": "quickReply/action", "value": {"type": "postback", "data": data}})
            }
            Self::CardActed {
                action,
                card_id,
                name,
                values,
            } => {
                // As adaptive cards have it: beside what the action itself says, each by the id of its field.
                let mut data = json!(values);
                data["cardId"] = Value::from(*card_id);
                if let Some(name) = name {
                    data["name"] = Value::from(*name);
                }
                json!({"name": "adaptiveCard/action", "value": {"type": action.as_str(), "data": data}})
            }
        })
    }
}

/// Sends what happened in `conversation` on its way to all who are to hear it.
pub(crate) fn emit(conversation: &mut Conversation, out: Outlet<'_>, notice: &Notice<'_>) {
    // A clock that steps back must not let an event precede the one before it.
    let at_ms = now_ms().max(conversation.last_event_ms);
    conversation.last_event_ms = at_ms;
    let mut body = json!({
        "eventType": notice.event_type(),
        "conversationId": conversation.id,
        "timestamp": at_ms,
    });
    if let Some(data) = notice.data(conversation, out.links) {
        body["data"] = data;
    }
    out.feed.push("event", || body.clone());
    let body = body.to_string();
    for webhook_id in hearers(conversation, out.house) {
        out.dispatcher.send(Event::new(
            new_id(),
            notice.event_type(),
            Some(conversation.id.clone()),
            webhook_id,
            body.clone(),
        ));
    }
}

/// The webhook of the channel; while the bot has it after the agent, the one that was asked for.
fn hearers(conversation: &Conversation, house: &House) -> Vec<String> {
    let channel = house.channel(&conversation.channel_id);
    let own = channel.map_or(DEFAULT_WEBHOOK, |it| &it.webhook_id).to_owned();
    match &conversation.post_agent {
        Some(after) if after.with_bot.is_some() => {
            let mut all = vec![after.webhook_id.clone()];
            all.extend(Some(own).filter(|own| after.notify_channel && *own != after.webhook_id));
            all
        }
        _ => vec![own],
    }
}

fn update(conversation: &Conversation) -> Value {
    let mut data = json!({
        "state": conversation.state.as_str(),
        "user": conversation.user,
        "channel": conversation.channel_type.as_str(),
    });
    if let Some(assignment) = &conversation.assignment
        && conversation.state == State::Active
    {
        data["assignment"] = assignment.to_json();
    }
    data
}

fn message(message: &Message, conversation: &Conversation, links: &Links) -> Value {
    let attachment = |it: &Attachment| {
        json!({
            "id": it.id,
            "type": it.media_type,
            "preSignedUrl": links.to(&conversation.id, &it.id, now_ms()),
            "fileName": it.name,
        })
    };
    let attachments: Vec<Value> = message
        .content
        .attachments
        .iter()
        .map(|it| attachment(it))
        .collect();
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
        "attachments": attachments,
        "cards": cards,
    })
}
