//! The edge of the service: what is refused before anything goes upstream, and how the vendor's own refusals leave.

use bytes::Bytes;
use chatbridge::grpc::proto::{
    self, AuthorType, HandOver, HandOverConversationRequest, HandOverFile, MessageInput,
    UploadAttachmentRequest, UploadAttachmentStart, attachment_service_client::AttachmentServiceClient,
    configuration_service_client::ConfigurationServiceClient, hand_over_conversation_request as hand,
    upload_attachment_request as up,
};
use futures_util::stream;
use serde_json::json;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{method, path, query_param},
};

use super::{World, calls::create};

/// The fields that an error names.
fn fields(status: &Status) -> Vec<String> {
    let named = status
        .get_details_bad_request()
        .map(|details| details.field_violations);
    named.into_iter().flatten().map(|v| v.field).collect()
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

#[tokio::test]
async fn what_the_vendor_finds_wrong_is_told_in_the_callers_names() {
    let world = World::new().await;
    let refuse = |validations: serde_json::Value| {
        ResponseTemplate::new(400).set_body_json(json!({ "message": "no", "validations": validations }))
    };
    Mock::given(method("POST"))
        .and(path("/chat-gateway/v1/conversations"))
        .respond_with(refuse(json!([
            { "field": "channelId", "message": "a" },
            { "field": "user.additionalProperties[0].key", "message": "b" },
            { "field": "history.messages[1].text", "message": "c" },
            { "field": "surprise", "message": "d" },
        ])))
        .mount(&world.vendor.server)
        .await;
    Mock::given(method("POST"))
        .and(path("/chat-gateway/v1/conversations/c/messages"))
        .respond_with(refuse(json!([
            "text: May not be blank.",
            "<<authorType>>: May not be null."
        ])))
        .mount(&world.vendor.server)
        .await;
    let service = world.serve().await;
    let mut client = service.conversations().await;

    let status = client.create_conversation(create("x")).await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::InvalidArgument, "UPSTREAM_INVALID")
    );
    assert_eq!(
        fields(&status),
        [
            "channel_id",
            "user.additional_properties[0].key",
            "history[1].text",
            "surprise",
        ]
    );

    let request = proto::SendMessageRequest {
        conversation_id: "c".into(),
        message: Some(MessageInput {
            author_type: AuthorType::Bot.into(),
            text: "hello".into(),
            ..MessageInput::default()
        }),
        ..Default::default()
    };
    let status = client.send_message(request).await.unwrap_err();
    assert_eq!(fields(&status), ["message.text", "message.author_type"]);
}

#[tokio::test]
async fn a_filter_is_passed_on_as_it_is_or_refused_with_its_place() {
    let world = World::new().await;
    let filter = "state==active;(channelId==25,user.name==Ann O'Neil & Søn)";
    let page = json!({ "size": 20, "number": 0, "totalElements": 41, "totalPages": 3 });
    Mock::given(path("/chat-gateway/v1/conversations"))
        .and(query_param("filter", filter))
        .respond_with(
            ResponseTemplate::new(200)
                .set_body_json(json!({ "_embedded": { "conversations": [] }, "page": page })),
        )
        .mount(&world.vendor.server)
        .await;
    let service = world.serve().await;
    let mut client = service.conversations().await;
    let mut request = proto::ListConversationsRequest {
        filter: filter.into(),
        ..Default::default()
    };
    let listed = client
        .list_conversations(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(listed.total_size, 41);
    assert!(!listed.next_page_token.is_empty());

    let asked = world.vendor.server.received_requests().await.unwrap().len();
    request.filter = "state==active;;channelId==25".into();
    request.page_size = 101;
    request.order_by = "id sideways".into();
    request.page_token.clone_from(&listed.next_page_token);
    let status = client.list_conversations(request).await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::InvalidArgument, "INVALID_FIELD")
    );
    let named = status.get_details_bad_request().unwrap().field_violations;
    assert_eq!(fields(&status)[..3], ["order_by", "page_size", "filter"]);
    assert!(
        named[2].description.contains("character 15"),
        "{}",
        named[2].description
    );

    // A token belongs to the request that gave it.
    let status = client
        .list_messages(proto::ListMessagesRequest {
            conversation_id: "c".into(),
            page_token: listed.next_page_token,
            ..Default::default()
        })
        .await
        .unwrap_err();
    assert_eq!(fields(&status), ["page_token"]);
    let asked_then = world.vendor.server.received_requests().await.unwrap().len();
    assert_eq!(asked, asked_then, "nothing of this went upstream");
}

#[tokio::test]
async fn a_signing_key_comes_as_json() {
    let world = World::new().await;
    let service = world.serve().await;
    let mut client = ConfigurationServiceClient::new(service.channel().await);
    let request = |id: &str| proto::GetSigningKeyRequest {
        key_id: id.into(),
        ..Default::default()
    };
    let answer = client.get_signing_key(request("test-key-1")).await.unwrap();
    let jwk = answer.into_inner().jwk.unwrap();
    let kind = jwk.fields["kty"].kind.clone().unwrap();
    assert_eq!(kind, prost_types::value::Kind::StringValue("RSA".into()));
    let status = client.get_signing_key(request("..")).await.unwrap_err();
    assert_eq!(fields(&status), ["key_id"]);
}

fn begin(size_bytes: i64) -> UploadAttachmentRequest {
    let start = UploadAttachmentStart {
        conversation_id: "c".into(),
        file_name: "a.txt".into(),
        size_bytes,
        author_type: AuthorType::User.into(),
        ..UploadAttachmentStart::default()
    };
    UploadAttachmentRequest {
        part: Some(up::Part::Start(start)),
    }
}

fn bytes(count: usize) -> UploadAttachmentRequest {
    UploadAttachmentRequest {
        part: Some(up::Part::Chunk(vec![7; count].into())),
    }
}

#[tokio::test]
async fn an_upload_that_cannot_be_meant_is_refused_before_it_is_read() {
    let world = World::new().await;
    let service = world.serve_with(&[("attachment_max_bytes", "1024")]).await;
    let mut client = AttachmentServiceClient::new(service.channel().await);
    for (parts, field) in [
        (vec![], "start"),
        (vec![bytes(1), begin(1)], "start"),
        (vec![begin(1025), bytes(1025)], "start.size_bytes"),
        (vec![begin(0)], "start.size_bytes"),
        (vec![UploadAttachmentRequest { part: None }, begin(1)], "start"),
    ] {
        let status = client.upload_attachment(stream::iter(parts)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert_eq!(fields(&status), [field]);
    }
    // Nobody ends this stream: the answer comes all the same.
    let endless = stream::once(async { begin(1025) });
    let endless = futures_util::StreamExt::chain(endless, stream::pending());
    let status = client.upload_attachment(endless).await.unwrap_err();
    assert_eq!(fields(&status), ["start.size_bytes"]);
    assert!(world.vendor.server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_hand_over_begins_with_its_start_and_names_all_that_is_wrong_with_it() {
    let world = World::new().await;
    let service = world.serve().await;
    let mut client = service.conversations().await;
    let part = |part| HandOverConversationRequest { part: Some(part) };
    for parts in [
        vec![],
        vec![part(hand::Part::File(HandOverFile::default()))],
        vec![part(hand::Part::Chunk(Bytes::from_static(b"x")))],
    ] {
        let status = client
            .hand_over_conversation(stream::iter(parts))
            .await
            .unwrap_err();
        assert_eq!(fields(&status), ["start"]);
    }
    let start = HandOver {
        request_id: "rubbish".into(),
        transcript_policy: 99,
        history: vec![MessageInput::default()],
        ..HandOver::default()
    };
    let status = client
        .hand_over_conversation(stream::iter([part(hand::Part::Start(start))]))
        .await
        .unwrap_err();
    assert_eq!(
        fields(&status),
        [
            "start.request_id",
            "start.channel_id",
            "start.user",
            "start.history[0].author_type",
            "start.history[0]",
            "start.transcript_policy",
        ]
    );
    assert!(world.vendor.server.received_requests().await.unwrap().is_empty());
}
