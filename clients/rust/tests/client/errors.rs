use std::time::Duration;

use chatbridge_client::{Error, v1};
use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::fake::{failure, quick, serve};

async fn failed(status: impl Fn() -> Status + Send + Sync + 'static) -> Error {
    let target = serve(move |_| {
        let status = status();
        async move { failure(status) }
    })
    .await;
    let client = quick(&target).connect().await.unwrap();
    client
        .get_conversation(v1::GetConversationRequest::default())
        .await
        .unwrap_err()
}

#[tokio::test]
async fn an_error_has_what_the_details_say() {
    let error = failed(|| {
        let mut details = ErrorDetails::with_error_info(
            "UPSTREAM_INVALID",
            "chatbridge",
            [
                ("reference_id".into(), "ref-7".into()),
                ("http_status".into(), "400".into()),
            ],
        );
        details.add_bad_request_violation("user.name", "is too long");
        details.set_retry_info(Some(Duration::from_millis(1500)));
        Status::with_error_details(Code::InvalidArgument, "two\nlines", details)
    })
    .await;

    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(error.reason(), "UPSTREAM_INVALID");
    assert_eq!(error.reference_id(), "ref-7");
    assert_eq!(error.metadata().unwrap()["http_status"], "400");
    assert_eq!(error.field_violations()[0].field, "user.name");
    assert_eq!(error.field_violations()[0].description, "is too long");
    assert_eq!(error.retry_after(), Some(Duration::from_millis(1500)));
    assert!(!error.outcome_unknown());
    assert_eq!(
        error.to_string(),
        "INVALID_ARGUMENT (UPSTREAM_INVALID): two lines [reference ref-7]"
    );
}

#[tokio::test]
async fn details_that_cannot_be_read_are_left_out() {
    let error = failed(|| Status::with_details(Code::NotFound, "no", b"\xff\xff".to_vec().into())).await;
    assert_eq!(error.to_string(), "NOT_FOUND: no");

    let error = failed(|| {
        let broken = prost_types::Any {
            type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
            value: vec![0xff],
        };
        let retry = prost_types::Any {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
            value: tonic_types::pb::RetryInfo {
                retry_delay: Some(prost_types::Duration { seconds: 2, nanos: 0 }),
            }
            .encode_to_vec(),
        };
        let status = tonic_types::Status {
            code: 5,
            message: "no".to_owned(),
            details: vec![broken, retry],
        };
        Status::with_details(Code::NotFound, "no", status.encode_to_vec().into())
    })
    .await;
    assert_eq!(
        (error.reason(), error.retry_after()),
        ("", Some(Duration::from_secs(2)))
    );
}

#[tokio::test]
async fn an_unknown_outcome_is_told() {
    let error = failed(|| crate::fake::status(Code::Unknown, "UPSTREAM_OUTCOME_UNKNOWN", None)).await;
    assert!(error.outcome_unknown());
}
