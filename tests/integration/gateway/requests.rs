//! What goes over the wire, to the letter. Bodies with everything in them are in `bodies`.

use chatbridge::{
    event::{Assignment, AssignmentKind, AuthorType, TenantId},
    gateway::{
        ConversationPatch, ConversationReplacement, Gateway, NewConversation, PageQuery, UpstreamErrorKind,
    },
};
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::{MockServer, Request, ResponseTemplate};

use super::{
    KEY, Op, answering, gateway, message, new_conversation,
    operation::{replacement, webhook},
    queue, tenant,
};

/// A server whose one answer suits every operation.
pub(super) async fn server() -> (MockServer, Gateway) {
    let answer = json!({"id": "c1", "conversationId": "c1"});
    let server = answering(ResponseTemplate::new(200).set_body_json(answer)).await;
    let gateway = gateway(&server.uri());
    (server, gateway)
}

pub(super) async fn only_request(server: &MockServer) -> Request {
    let mut requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

pub(super) fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers[name].to_str().unwrap()
}

#[tokio::test]
async fn every_operation() {
    for op in Op::ALL {
        let (server, gateway) = server().await;
        op.call(&gateway, "c1").await.unwrap();

        let row = op.row();
        let request = only_request(&server).await;
        assert_eq!(request.method.as_str(), row.method, "{op:?}");
        let path = row.path.replace("{id}", "c1").replace("{inner}", "x1");
        assert_eq!(request.url.path(), path, "{op:?}");
        assert_eq!(request.url.query(), None, "{op:?}");

        assert_eq!(header(&request, "x-api-key"), KEY);
        assert_eq!(header(&request, "x-8x8-tenant"), "tenant01");
        let accepted = "application/hal+json, application/json, application/problem+json";
        assert_eq!(header(&request, "accept"), accepted);
        let agent = concat!("chatbridge/", env!("CARGO_PKG_VERSION"));
        assert_eq!(header(&request, "user-agent"), agent);
        let mut expected = vec!["accept", "host", "user-agent", "x-8x8-tenant", "x-api-key"];
        match row.body {
            Some(sent) => {
                expected.extend(["content-length", "content-type"]);
                assert_eq!(header(&request, "content-type"), "application/json");
                assert_eq!(body(&request), sent, "{op:?}");
            }
            None => assert!(request.body.is_empty(), "{op:?}"),
        }
        expected.sort_unstable();
        let mut names: Vec<&str> = request.headers.keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{op:?}");
    }
}

#[tokio::test]
async fn a_base_url_may_have_a_path() {
    for (op, path) in [
        (Op::Get, "/proxy/8x8/chat-gateway/v1/conversations/c1"),
        (
            Op::SubmitCardAction,
            "/proxy/8x8/api/v1/tenant/tenant01/conversations/c1/cards/x1/action-submit",
        ),
    ] {
        let (server, _) = server().await;
        let gateway = gateway(&format!("{}/proxy/8x8/", server.uri()));
        op.call(&gateway, "c1").await.unwrap();
        assert_eq!(only_request(&server).await.url.path(), path);
    }
}

/// The tenant is part of the path of card actions.
#[tokio::test]
async fn a_hostile_tenant_stays_in_its_segment() {
    let (server, gateway) = server().await;
    let tenant = TenantId::new("../a?b");
    gateway
        .execute_card_action(&tenant, "c1", "k1", "")
        .await
        .unwrap();
    let request = only_request(&server).await;
    assert_eq!(header(&request, "x-8x8-tenant"), "../a?b");
    let path = "/api/v1/tenant/..%2Fa%3Fb/conversations/c1/cards/k1/action-execute";
    assert_eq!((request.url.path(), request.url.query()), (path, None));
}

#[tokio::test]
async fn a_page_is_asked_for_in_the_vendors_terms() {
    let page = &PageQuery {
        size: 100,
        page: 2,
        sort: "createdAt:asc".into(),
        filter: "name==A&B +C,(id==11)".into(),
    };
    let expected = "size=100&page=2&sort=createdAt%3Aasc&filter=name%3D%3DA%26B+%2BC%2C%28id%3D%3D11%29";
    let (server, gateway) = server().await;
    let tenant = &tenant();
    gateway.conversations(tenant, page).await.unwrap();
    gateway.messages(tenant, "c1", page).await.unwrap();
    gateway.cards(tenant, "c1", "m1", page).await.unwrap();
    gateway.attachments(tenant, "c1", page).await.unwrap();
    gateway.webhooks(tenant, page).await.unwrap();
    gateway.channels(tenant, page).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 6);
    for request in requests {
        assert_eq!(request.url.query(), Some(expected), "{}", request.url.path());
    }
}

#[rstest]
#[case("../x", "..%2Fx")]
#[case("a/b", "a%2Fb")]
#[case("a\\b", "a%5Cb")]
#[case("?size=1", "%3Fsize=1")]
#[case("#", "%23")]
#[case("%2f", "%252f")]
#[case("%2e%2e", "%252e%252e")]
#[case("ünï✓", "%C3%BCn%C3%AF%E2%9C%93")]
#[tokio::test]
async fn a_hostile_identifier_stays_in_its_segment(#[case] id: &str, #[case] segment: &str) {
    for op in Op::ALL.into_iter().filter(|op| op.has_id()) {
        let (server, gateway) = server().await;
        op.call_with(&gateway, id, &format!("{id}{id}")).await.unwrap();
        let request = only_request(&server).await;
        let path = op.row().path.replace("{id}", segment);
        let path = path.replace("{inner}", &format!("{segment}{segment}"));
        assert_eq!(
            (request.url.path(), request.url.query()),
            (path.as_str(), None),
            "{op:?}"
        );
        if let Some(sent) = op.row().body {
            assert_eq!(
                body(&request),
                sent,
                "{op:?}: an identifier belongs in the path alone"
            );
        }
    }
}

#[tokio::test]
async fn an_identifier_may_be_long() {
    let (server, gateway) = server().await;
    let (id, too_long) = ("a".repeat(1024), "a".repeat(1025));
    for op in Op::ALL.into_iter().filter(|op| op.has_inner_id()) {
        op.call_with(&gateway, "c1", &id).await.unwrap();
        let error = op.call_with(&gateway, "c1", &too_long).await.unwrap_err();
        assert_eq!(
            (error.kind, error.status),
            (UpstreamErrorKind::Invalid, None),
            "{op:?}"
        );
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 5);
}

#[rstest]
#[case("")]
#[case(".")]
#[case("..")]
#[case(".\t.")]
#[case("a\r\nb")]
#[tokio::test]
async fn an_identifier_that_cannot_be_sent_is_refused(#[case] id: &str) {
    let (server, gateway) = server().await;
    for op in Op::ALL {
        let outer = op.has_id().then_some((id, "x1"));
        let inner = op.has_inner_id().then_some(("c1", id));
        for (id, inner) in outer.into_iter().chain(inner) {
            let error = op.call_with(&gateway, id, inner).await.unwrap_err();
            assert_eq!(
                (error.kind, error.status),
                (UpstreamErrorKind::Invalid, None),
                "{op:?}"
            );
        }
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_the_vendor_cannot_take_is_refused_before_it_is_sent() {
    let (server, gateway) = server().await;
    let tenant = tenant();
    let mut refused = Vec::new();
    for kind in [None, Some(AssignmentKind::Agent)] {
        let assignment = Some(Assignment { kind, ..queue("1") });
        let new = NewConversation {
            assignment: assignment.clone(),
            ..new_conversation()
        };
        refused.push(gateway.create_conversation(&tenant, &new).await.map(drop));
        let patch = ConversationPatch {
            user: None,
            assignment,
        };
        refused.push(gateway.patch_conversation(&tenant, "c1", &patch).await.map(drop));
        let new = ConversationReplacement {
            assignment: patch.assignment,
            ..replacement(false)
        };
        refused.push(gateway.replace_conversation(&tenant, "c1", &new).await.map(drop));
    }
    for author in [AuthorType::Agent, AuthorType::System] {
        let message = message(author, "Hello");
        refused.push(gateway.send_message(&tenant, "c1", &message).await);
        refused.push(gateway.send_typing(&tenant, "c1", author).await);
        refused.push(gateway.send_read_receipt(&tenant, "c1", author, 1).await);
        let new = NewConversation {
            history: vec![message],
            ..new_conversation()
        };
        refused.push(gateway.create_conversation(&tenant, &new).await.map(drop));
    }
    let nothing = ConversationPatch::default();
    refused.push(
        gateway
            .patch_conversation(&tenant, "c1", &nothing)
            .await
            .map(drop),
    );
    for tenant in ["", "a\nb", "ü"] {
        let tenant = TenantId::new(tenant);
        refused.push(gateway.conversation(&tenant, "c1").await.map(drop));
        refused.push(gateway.create_webhook(&tenant, &webhook("")).await.map(drop));
        refused.push(gateway.submit_card_action(&tenant, "c1", "k1", "").await);
    }
    // A header can carry these, a path cannot.
    for tenant in [".", ".."] {
        let tenant = TenantId::new(tenant);
        refused.push(gateway.submit_card_action(&tenant, "c1", "k1", "").await);
    }
    for result in refused {
        let error = result.unwrap_err();
        assert_eq!((error.kind, error.status), (UpstreamErrorKind::Invalid, None));
        assert!(!error.message.is_empty());
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}
