//! The two journeys: what is sent, and what must come. Pure.

use serde_json::{Value, json};
use uuid::Uuid;

use super::expect::{Act, Detail, Step, Topic};
use crate::grpc::proto::{
    Assignment, AssignmentType, AuthorType, CreateConversationRequest, MessageInput, Property, User,
};

/// The sandbox's channel for conversations that a caller creates, and the queue for orders.
const CHANNEL: &str = "sandbox-chat";
const ORDERS: &str = "100";

const FIRST_WORDS: &str = "Hello, does the kettle come in red?";
const SECOND_WORDS: &str = "I would rather ask a person.";

/// A shop's bot hands over a customer with a damaged kettle: transcript, order and all.
pub(super) fn retail_request(tenant: &str) -> CreateConversationRequest {
    let transcript = [
        (
            AuthorType::Bot,
            "Hello, I am the shop's bot. What can I do for you?",
        ),
        (AuthorType::User, "My kettle arrived with a dent."),
        (AuthorType::Bot, "I am sorry to hear that. Which order is it?"),
        (AuthorType::User, "A-1042, from last week."),
        (
            AuthorType::Bot,
            "Thank you, I have found it: one kettle, delivered on Tuesday.",
        ),
        (AuthorType::User, "Can I talk to somebody about it?"),
    ];
    let history = transcript
        .into_iter()
        .map(|(author, text)| message(author, text))
        .collect();
    let context = [
        ("orderId", "A-1042"),
        ("product", "Kettle, 1.7 l"),
        ("problem", "damaged on arrival"),
    ];
    let context = context.map(|(key, value)| Property {
        key: key.to_owned(),
        value: value.to_owned(),
    });
    CreateConversationRequest {
        tenant: tenant.to_owned(),
        request_id: Uuid::new_v4().to_string(),
        channel_id: CHANNEL.to_owned(),
        user: Some(User {
            name: "Ada Example".to_owned(),
            user_id: "customer-7".to_owned(),
            email: "ada@example.com".to_owned(),
            language: "en".to_owned(),
            additional_properties: context.to_vec(),
            ..User::default()
        }),
        assignment: Some(queue(ORDERS)),
        history,
        labels: [("journey".to_owned(), "retail".to_owned())].into(),
    }
}

/// What must come of it.
pub(super) fn retail_steps() -> Vec<Step> {
    let joins = |label, who| Step::new(label, Topic::AgentJoined, Detail::Who(who));
    let writes = |label, who| Step::new(label, Topic::AgentMessage, Detail::Who(who));
    vec![
        Step::new("the conversation exists", Topic::Created, Detail::Any),
        Step::new("it becomes active", Topic::Active, Detail::Any),
        Step::new("it waits in Orders", Topic::Queued, Detail::Queue("Orders")),
        joins("maria joins", "maria"),
        Step::new("maria types", Topic::Typing, Detail::Who("maria")),
        writes("maria writes", "maria").then(Act::Answer("I would like to return it")),
        writes("maria says that she passes it on", "maria"),
        Step::new("it is passed on", Topic::Transferred, Detail::Any),
        Step::new("maria leaves", Topic::AgentLeft, Detail::Who("maria")),
        Step::new("it waits in Returns", Topic::Queued, Detail::Queue("Returns")),
        joins("ivan joins", "ivan"),
        writes("ivan writes", "ivan").then(Act::End),
        Step::new("it is idle", Topic::Idle, Detail::Any)
            .tolerating(&[Topic::AgentLeft, Topic::AgentMessage]),
    ]
}

/// A customer begins in the vendor's own widget: the body that the widget sends.
pub(super) fn widget_request() -> Value {
    json!({
        "text": FIRST_WORDS,
        "user": {"name": "Grace Example", "userId": "visitor-3", "language": "en"},
    })
}

/// What the bot must hear of it, and what it does.
pub(super) fn widget_steps() -> Vec<Step> {
    let request_id = Uuid::new_v4().to_string();
    let answer = Act::BotAnswers {
        text: "It does: in red, blue and black. Shall I put one aside for you?",
        request_id: request_id.clone(),
    };
    vec![
        Step::new(
            "the customer writes",
            Topic::UserMessage,
            Detail::Text(FIRST_WORDS),
        )
        .then(answer),
        Step::new(
            "the bot's answer is echoed under its request_id",
            Topic::Echo,
            Detail::Request(request_id),
        )
        .then(Act::WidgetSays(SECOND_WORDS)),
        Step::new(
            "the customer writes again",
            Topic::UserMessage,
            Detail::Text(SECOND_WORDS),
        )
        .then(Act::HandOver(ORDERS)),
        Step::new("it waits in Orders", Topic::Queued, Detail::Queue("Orders")),
        Step::new("an agent joins", Topic::AgentJoined, Detail::Any),
        Step::new("the agent writes", Topic::AgentMessage, Detail::Any).then(Act::End),
        Step::new("it is idle", Topic::Idle, Detail::Any).tolerating(&[Topic::AgentMessage]),
    ]
}

/// A message as the contract has it.
pub(super) fn message(author: AuthorType, text: &str) -> MessageInput {
    MessageInput {
        author_type: author.into(),
        text: text.to_owned(),
        ..MessageInput::default()
    }
}

/// A queue as the contract has it.
pub(super) fn queue(id: &str) -> Assignment {
    Assignment {
        r#type: AssignmentType::Queue.into(),
        id: id.to_owned(),
        resource_id: String::new(),
    }
}
