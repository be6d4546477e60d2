//! Hands a customer over to an agent, waits until one has joined, answers the agent's first message and leaves.
#![allow(clippy::print_stdout)]

use std::env;

use chatbridge_client::{Client, Error, v1};
use futures_util::TryStreamExt as _;
use v1::{
    Assignment, AuthorType, ConversationState, MemberChange, MessageInput, Participant, agent_event::Body,
    agent_events_request::Start, agent_events_response::Payload,
};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let target = env::var("CHATBRIDGE_TARGET").unwrap_or_else(|_| "127.0.0.1:50051".to_owned());
    let mut builder = Client::builder(target).cleartext();
    if let Ok(token) = env::var("CHATBRIDGE_TOKEN") {
        builder = builder.token(token);
    }
    let client = builder.connect().await?;

    let start = v1::HandOver {
        channel_id: "sandbox-chat".to_owned(),
        user: Some(v1::User {
            name: "Ada".to_owned(),
            ..Default::default()
        }),
        assignment: Some(Assignment::to_queue("100")),
        history: vec![
            MessageInput::from_user("Where is my parcel?"),
            MessageInput::from_bot("I will find somebody who knows."),
        ],
        ..Default::default()
    };
    let chat = client.hand_over_conversation(start, Vec::new()).await?;

    // From the answer's cursor on, so that nothing is missed which happened meanwhile.
    let mut events = client.agent_events(v1::AgentEventsRequest {
        conversation_ids: vec![chat.conversation_id.clone()],
        start: Some(Start::Cursor(chat.cursor)),
        ..Default::default()
    });
    let mut answered = false;
    while let Some(response) = events.try_next().await? {
        let Some(Payload::Event(event)) = response.payload else {
            continue;
        };
        match event.body {
            Some(Body::MemberChanged(changed)) if changed.change() == MemberChange::Joined => {
                if let Some(agent) = changed.member.filter(is_agent) {
                    // The vendor names agents only where the operator set that up.
                    println!(
                        "agent joined: {}",
                        if agent.name.is_empty() {
                            agent.id
                        } else {
                            agent.name
                        }
                    );
                }
            }
            Some(Body::Message(message)) if message.sender.as_ref().is_some_and(is_agent) => {
                println!("agent: {}", message.text);
                if !answered {
                    answered = true;
                    let message = Some(MessageInput::from_user("Thank you, bye"));
                    let conversation_id = chat.conversation_id.clone();
                    let request = v1::SendMessageRequest {
                        conversation_id,
                        message,
                        ..Default::default()
                    };
                    client.send_message(request).await?;
                }
            }
            Some(Body::ConversationUpdated(updated)) if updated.state() == ConversationState::Idle => {
                println!("ended");
                break;
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_agent(participant: &Participant) -> bool {
    participant.r#type() == AuthorType::Agent
}
