//! How failures that arrive as an answer are told apart, and that nothing is ever sent again.

use std::time::Duration;

use chatbridge::{
    error::Violation,
    gateway::UpstreamErrorKind::{
        self, Conflict, Credentials, Invalid, NotFound, OutcomeUnknown, RateLimited, Timeout, Unavailable,
        Unexpected,
    },
};
use rstest::rstest;
use serde_json::json;
use wiremock::ResponseTemplate;

use super::{Op, answering, gateway};

#[rstest]
#[case(301, Unexpected, Unexpected)]
#[case(302, Unexpected, Unexpected)]
#[case(303, Unexpected, OutcomeUnknown)]
#[case(304, Unexpected, Unexpected)]
#[case(307, Unexpected, Unexpected)]
#[case(308, Unexpected, Unexpected)]
#[case(400, Invalid, Invalid)]
#[case(401, Credentials, Credentials)]
#[case(402, Unexpected, Unexpected)]
#[case(403, Credentials, Credentials)]
#[case(404, NotFound, NotFound)]
#[case(405, Unexpected, Unexpected)]
#[case(406, Unexpected, Unexpected)]
#[case(408, Timeout, OutcomeUnknown)]
#[case(409, Conflict, Conflict)]
#[case(410, Unexpected, Unexpected)]
#[case(413, Invalid, Invalid)]
#[case(415, Invalid, Invalid)]
#[case(418, Unexpected, Unexpected)]
#[case(422, Invalid, Invalid)]
#[case(429, RateLimited, RateLimited)]
#[case(499, Unexpected, Unexpected)]
#[case(500, Unavailable, OutcomeUnknown)]
#[case(501, Unavailable, OutcomeUnknown)]
#[case(502, Unavailable, OutcomeUnknown)]
#[case(503, Unavailable, OutcomeUnknown)]
#[case(504, Unavailable, OutcomeUnknown)]
#[tokio::test]
async fn each_status_has_its_kind_and_costs_one_request(
    #[case] status: u16,
    #[case] if_safe: UpstreamErrorKind,
    #[case] if_unsafe: UpstreamErrorKind,
) {
    // A redirect that was followed would come back here and be counted.
    let answer = ResponseTemplate::new(status).insert_header("location", "/elsewhere");
    let server = answering(answer).await;
    let gateway = gateway(&server.uri());
    for (n, op) in Op::ALL.into_iter().enumerate() {
        let error = op.call(&gateway, "c1").await.unwrap_err();
        let expected = if op.is_safe() { if_safe } else { if_unsafe };
        assert_eq!((error.kind, error.status), (expected, Some(status)), "{op:?}");
        assert_eq!(server.received_requests().await.unwrap().len(), n + 1, "{op:?}");
    }
}

#[tokio::test]
async fn the_vendors_explanation_is_carried() {
    let body = json!({
        "message": "Validation failed.",
        "errors": [{"code": "invalid_queue", "message": "Queue ID 112 is invalid."}],
        "validations": [{"field": "assignment.id", "value": "112", "code": "invalid_queue", "message": "No such queue."}],
        "referenceId": "dacd0dd252723a2"
    });
    let answer = ResponseTemplate::new(400).set_body_raw(body.to_string(), "application/problem+json");
    let server = answering(answer).await;
    let error = Op::Create.call(&gateway(&server.uri()), "").await.unwrap_err();
    assert_eq!(error.message, "Validation failed.; Queue ID 112 is invalid.");
    assert_eq!(error.reference_id.as_deref(), Some("dacd0dd252723a2"));
    assert_eq!(
        error.violations,
        [Violation::new("assignment.id", "No such queue.")]
    );
    assert_eq!(error.retry_after, None);
    assert_eq!(
        error.to_string(),
        "8x8 finds the request wrong (Validation failed.; Queue ID 112 is invalid.)"
    );
}

#[rstest]
#[case(429, "7", Op::Send, Some(7))]
#[case(429, "7", Op::Get, Some(7))]
#[case(429, "86400", Op::Get, Some(3600))]
#[case(429, "Tue, 31 Dec 2999 23:59:59 GMT", Op::Get, Some(3600))]
#[case(429, "Sun, 06 Nov 1994 08:49:37 GMT", Op::Get, Some(0))]
#[case(429, "whenever", Op::Get, None)]
#[case(503, "7", Op::Get, Some(7))]
// Nobody is asked to come back with what may have happened.
#[case(503, "7", Op::Send, None)]
#[case(400, "7", Op::Get, None)]
#[tokio::test]
async fn retry_after_is_honoured(
    #[case] status: u16,
    #[case] header: &str,
    #[case] op: Op,
    #[case] seconds: Option<u64>,
) {
    let answer = ResponseTemplate::new(status).insert_header("retry-after", header);
    let server = answering(answer).await;
    let error = op.call(&gateway(&server.uri()), "c1").await.unwrap_err();
    assert_eq!(error.retry_after, seconds.map(Duration::from_secs));
}

#[tokio::test]
async fn an_endless_explanation_is_cut() {
    let body = format!("no {}", "o".repeat(10 * 1024 * 1024));
    let server = answering(ResponseTemplate::new(400).set_body_string(body)).await;
    let error = Op::Get.call(&gateway(&server.uri()), "c1").await.unwrap_err();
    assert_eq!(error.kind, Invalid);
    assert_eq!(error.message.len(), 1024);
}

#[rstest]
#[case("")]
#[case("<html>secret</html>")]
#[case("[]")]
#[case("secret")]
#[case("{\"id\": \"secret")]
#[case("{\"id\": null, \"_embedded\": \"secret\", \"conversationId\": {}}")]
#[tokio::test]
async fn a_success_that_is_not_as_documented(#[case] body: &str) {
    let server = answering(ResponseTemplate::new(200).set_body_string(body)).await;
    let gateway = gateway(&server.uri());
    for op in Op::ALL.into_iter().filter(|op| op.is_answered()) {
        // Any object is a key here; whoever reads it judges it.
        if op == Op::Key && body.ends_with('}') {
            continue;
        }
        let error = op.call(&gateway, "c1").await.unwrap_err();
        let expected = if op.is_safe() { Unexpected } else { OutcomeUnknown };
        assert_eq!((error.kind, error.status), (expected, Some(200)), "{op:?}");
        assert!(!error.message.is_empty());
        assert!(!error.message.contains("secret"), "{}", error.message);
    }
}

#[tokio::test]
async fn an_empty_success_where_an_answer_is_needed() {
    let server = answering(ResponseTemplate::new(204)).await;
    let gateway = gateway(&server.uri());
    for op in Op::ALL.into_iter().filter(|op| op.is_answered()) {
        let error = op.call(&gateway, "c1").await.unwrap_err();
        let expected = if op.is_safe() { Unexpected } else { OutcomeUnknown };
        assert_eq!((error.kind, error.status), (expected, Some(204)), "{op:?}");
    }
}

#[rstest]
#[case(Op::List, "conversations")]
#[case(Op::Interactions, "interactions")]
#[case(Op::Attachments, "attachments")]
#[case(Op::Webhooks, "webhooks")]
#[case(Op::Channels, "channels")]
#[tokio::test]
async fn an_item_that_cannot_be_asked_for(#[case] op: Op, #[case] list: &str) {
    let body = json!({"_embedded": {list: [{"id": "1"}, {"name": "secret"}]}});
    let server = answering(ResponseTemplate::new(200).set_body_json(body)).await;
    let error = op.call(&gateway(&server.uri()), "c1").await.unwrap_err();
    assert_eq!((error.kind, error.status), (Unexpected, Some(200)));
    assert!(
        error.message.contains("without an identifier"),
        "{}",
        error.message
    );
    assert!(!error.message.contains("secret"));
}
