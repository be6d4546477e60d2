//! Two dialects at once: what a client of v2 begins is heard by gRPC, and what gRPC begins is seen by clients of v2.

use chatbridge::grpc::proto::{
    AgentEventsRequest, AuthorType, CreateConversationRequest, GetSessionRequest, SendMessageRequest, User,
    agent_event::Body, agent_events_request::Start,
};
use serde_json::json;

use super::{Facade, schemas};
use crate::support::stage::CHANNEL;

#[tokio::test]
async fn a_conversation_of_v2_is_followed_on_the_stream_of_events() {
    let facade = Facade::new().await;
    let mut events = facade.stage.service.events(AgentEventsRequest::default()).await;
    let id = facade.started().await;
    let session = GetSessionRequest {
        tenant: String::new(),
        conversation_id: id.clone(),
    };
    let session = facade.stage.service.sessions().await.get_session(session).await;
    let session = session.unwrap().into_inner().session.unwrap();
    assert_eq!(
        (session.channel_id.as_str(), session.user.unwrap().name),
        (CHANNEL, "Ada".into())
    );

    facade.agent_says(&id, "Hello, Ada.").await;
    let heard = loop {
        let event = events.event().await;
        if event.conversation_id == id
            && let Some(Body::Message(message)) = event.body
        {
            break message;
        }
    };
    assert_eq!(heard.text, "Hello, Ada.");
    assert_eq!(heard.sender.unwrap().r#type(), AuthorType::Agent);

    // And both may write: the agent sees one conversation.
    let by_grpc = SendMessageRequest {
        conversation_id: id.clone(),
        message: Some(chatbridge::grpc::proto::MessageInput {
            author_type: AuthorType::Bot.into(),
            text: "By gRPC.".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    facade.stage.conversations().send_message(by_grpc).await.unwrap();
    let path = format!("/conversations/{id}/messages");
    facade
        .post(&path, &json!({ "text": "By v2." }), 202, schemas::nothing)
        .await;
    let all = facade.get(&path, schemas::messages).await;
    let texts: Vec<_> = all["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["originalText"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["Hello, Ada.", "By gRPC.", "By v2."]);
}

#[tokio::test]
async fn a_conversation_of_grpc_is_in_the_lists_of_v2() {
    let facade = Facade::new().await;
    let request = CreateConversationRequest {
        channel_id: CHANNEL.into(),
        user: Some(User {
            name: "Ben".into(),
            user_id: "u-2".into(),
            ..User::default()
        }),
        ..CreateConversationRequest::default()
    };
    let created = facade.stage.conversations().create_conversation(request).await;
    let created = created.unwrap().into_inner();
    let id = created.conversation_id;
    let listed = facade
        .get("/conversations?userId=u-2", schemas::conversations)
        .await;
    assert_eq!(listed["data"][0]["id"], id.as_str());
    assert_eq!(
        listed["data"][0]["customer"],
        json!({ "name": "Ben", "customerId": "u-2" })
    );
    facade
        .get(&format!("/conversations/{id}"), schemas::conversation)
        .await;

    // A client of v2 ends it, and gRPC hears of that.
    facade
        .stage
        .until(&id, "it waits in its queue", |it| it["state"] == "active")
        .await;
    let from_its_beginning = AgentEventsRequest {
        conversation_ids: vec![id.clone()],
        start: Some(Start::Cursor(created.cursor)),
        ..AgentEventsRequest::default()
    };
    let mut events = facade.stage.service.events(from_its_beginning).await;
    let path = format!("/conversations/{id}/participants/customer");
    facade.delete(&path, 204, schemas::nothing).await;
    loop {
        let event = events.event().await;
        if event.state() == chatbridge::grpc::proto::SessionState::Idle {
            break;
        }
    }
}
