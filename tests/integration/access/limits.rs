//! How long a call may take, and what is told to whom.

use std::time::{Duration, Instant};

use chatbridge::grpc::proto::{conversation_service_client::ConversationServiceClient, *};
use tonic::{Code, Request};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest,
};
use wiremock::{Mock, ResponseTemplate, matchers::path};

use super::{ACME, World, by, caller};

#[tokio::test]
async fn a_call_is_over_after_the_longest_that_it_may_take() {
    let world = World::new().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(30));
    Mock::given(path("/chat-gateway/v1/conversations/c"))
        .respond_with(slow)
        .mount(&world.vendor.server)
        .await;
    world.write(&(world.tenants() + &caller("a", "reader", ACME)));
    let service = world
        .replica(&[("call_time_max_ms", "1000"), ("gateway_timeout_ms", "20000")])
        .await;
    let mut client = ConversationServiceClient::new(service.channel().await);
    // Neither whoever sets no deadline, nor whoever sets a long one, gets more.
    for deadline in [None, Some(Duration::from_secs(60))] {
        let mut request = by(
            "a",
            GetConversationRequest {
                conversation_id: "c".into(),
                ..GetConversationRequest::default()
            },
        );
        if let Some(deadline) = deadline {
            request.set_timeout(deadline);
        }
        let begun = Instant::now();
        let late = client.get_conversation(request).await.unwrap_err();
        assert_eq!(late.code(), Code::DeadlineExceeded, "{late}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn reflection_can_be_switched_off() {
    let world = World::new().await;
    world.write(&(world.tenants() + &caller("a", "reader", ACME)));
    for (setting, expected) in [("true", None), ("false", Some(Code::Unimplemented))] {
        let service = world.replica(&[("reflection", setting)]).await;
        let asked = ServerReflectionRequest {
            message_request: Some(MessageRequest::ListServices(String::new())),
            ..ServerReflectionRequest::default()
        };
        let mut request = Request::new(futures_util::stream::iter([asked]));
        let token = "Bearer a".parse().unwrap();
        request.metadata_mut().insert("authorization", token);
        let mut client = ServerReflectionClient::new(service.channel().await);
        let answer = client.server_reflection_info(request).await;
        assert_eq!(answer.err().map(|status| status.code()), expected, "{setting}");
    }
}
