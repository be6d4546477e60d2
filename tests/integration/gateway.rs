//! The client of the Chat Gateway against an HTTP server that answers by the book, and one that does anything but.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

mod answers;
mod bad_day;
mod bodies;
mod observed;
mod operation;
mod raw;
mod refusals;
mod requests;
mod resilience;
mod table;
mod transfer;

use std::time::Duration;

use chatbridge::{
    event::{Assignment, AssignmentKind, AuthorType, Message, Participant, TenantId, User},
    gateway::{Gateway, GatewaySettings, NewConversation},
};
use url::Url;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use operation::Op;

const KEY: &str = "the-key-of-this-test";

fn tenant() -> TenantId {
    TenantId::new("tenant01")
}

fn gateway(base: &str) -> Gateway {
    gateway_within(base, Duration::from_secs(20))
}

fn gateway_within(base: &str, timeout: Duration) -> Gateway {
    Gateway::new(GatewaySettings {
        base_url: Url::parse(base).unwrap(),
        api_key: KEY.to_owned().into(),
        timeout,
        connect_timeout: Duration::from_secs(10),
        transfer_timeout: Duration::from_secs(60),
        resilience: chatbridge::gateway::Resilience::NONE,
    })
    .unwrap()
}

/// A server that gives every request the same answer.
async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn message(author: AuthorType, text: &str) -> Message {
    Message {
        id: String::new(),
        author: Participant::new("", Some(author)),
        text: text.to_owned(),
        created_ms: None,
        attachments: Vec::new(),
        cards: Vec::new(),
        external_provider: None,
        echo: false,
    }
}

fn new_conversation() -> NewConversation {
    NewConversation {
        channel_id: "25".into(),
        user: User::default(),
        assignment: None,
        history: Vec::new(),
    }
}

fn queue(id: &str) -> Assignment {
    Assignment {
        kind: Some(AssignmentKind::Queue),
        id: id.into(),
        resource_id: String::new(),
    }
}
