//! The client of the Chat Gateway against an HTTP server that answers by the book, and one that does anything but.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

mod answers;
mod bad_day;
mod observed;
mod raw;
mod refusals;
mod requests;
mod resilience;
mod transfer;

use std::time::Duration;

use chatbridge::{
    event::{Assignment, AssignmentKind, AuthorType, Message, Participant, TenantId, User},
    gateway::{
        ConversationPatch, Gateway, GatewaySettings, NewConversation, PageQuery, UpstreamError, UserPatch,
    },
};
use url::Url;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

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

/// An operation with its smallest request; what it answers does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Create,
    Get,
    List,
    PatchUser,
    PatchAssignment,
    End,
    Send,
    Messages,
    Typing,
    Key,
}

impl Op {
    const ALL: [Self; 10] = [
        Self::Create,
        Self::Get,
        Self::List,
        Self::PatchUser,
        Self::PatchAssignment,
        Self::End,
        Self::Send,
        Self::Messages,
        Self::Typing,
        Self::Key,
    ];

    /// Whether it may be sent twice, as the design has it.
    fn is_safe(self) -> bool {
        matches!(
            self,
            Self::Get | Self::List | Self::PatchUser | Self::End | Self::Messages | Self::Key
        )
    }

    async fn call(self, gateway: &Gateway, id: &str) -> Result<(), UpstreamError> {
        let tenant = &tenant();
        let page = &PageQuery::default();
        let user = Some(UserPatch {
            name: Some("Ada".into()),
            ..UserPatch::default()
        });
        match self {
            Self::Create => gateway
                .create_conversation(tenant, &new_conversation())
                .await
                .map(drop),
            Self::Get => gateway.conversation(tenant, id).await.map(drop),
            Self::List => gateway.conversations(tenant, page).await.map(drop),
            Self::PatchUser => {
                let patch = ConversationPatch {
                    user,
                    assignment: None,
                };
                gateway.patch_conversation(tenant, id, &patch).await.map(drop)
            }
            Self::PatchAssignment => {
                let assignment = Some(queue("100"));
                let patch = ConversationPatch { user, assignment };
                gateway.patch_conversation(tenant, id, &patch).await.map(drop)
            }
            Self::End => gateway.end_conversation(tenant, id).await,
            Self::Send => {
                let message = message(AuthorType::User, "words of a customer");
                gateway.send_message(tenant, id, &message).await
            }
            Self::Messages => gateway.messages(tenant, id, page).await.map(drop),
            Self::Typing => gateway.send_typing(tenant, id, AuthorType::Bot).await,
            Self::Key => gateway.signing_key(tenant, id).await.map(drop),
        }
    }
}
