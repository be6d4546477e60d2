//! Failures in v2's words.

use super::{failures::in_v2s_names, *};
use crate::{
    access::Denied,
    chat_v2::operation::{CREATE_CHANNEL, GET_CHANNEL},
    error::{Error, Violation},
    gateway::{UpstreamError, UpstreamErrorKind},
};

/// Words of other doors that no client of v2 may hear.
const FOREIGN: [&str; 12] = [
    "gRPC",
    "rpc",
    "INVALID_",
    "UPSTREAM_",
    "request_id",
    "page_token",
    "CHATBRIDGE_",
    "Chat Gateway",
    "GetConversation",
    "cursor",
    "proto",
    "session store",
];

fn every_error() -> Vec<Error> {
    let upstream = UpstreamErrorKind::ALL.map(|kind| Error::Upstream(UpstreamError::new(kind, "")));
    let mut all = vec![
        Error::invalid("user.name", "is too long"),
        Error::Denied(Denied::Missing),
        Error::Denied(Denied::Tenant),
        Error::Denied(Denied::TooManyCalls {
            retry_after: Duration::from_millis(10),
        }),
        Error::ChannelDenied("c".into()),
        Error::UnknownTenant("t".into()),
        Error::UnknownSession("s".into()),
        Error::REQUEST_ID_REUSED,
        Error::RequestInFlight,
        Error::CursorGap,
        Error::TooManySubscriptions,
        Error::ConversationWithAgent,
        Error::ConversationEnded,
        Error::WaitTimedOut,
        Error::CallerGone,
        Error::StoreUnavailable,
        Error::StoreCorrupt,
        Error::KeyMissing("k".into()),
        Error::UnknownStream,
        Error::Draining,
    ];
    all.extend(upstream);
    all
}

#[test]
fn no_failure_speaks_in_the_words_of_another_door() {
    let about = About {
        kind: "Channel",
        id: "25",
    };
    for error in every_error() {
        let name = format!("{error:?}");
        let problem = Problem::of(error, about);
        let status = problem.status();
        assert!(status.is_client_error() || status.is_server_error(), "{name}");
        for shape in [Shape::Sentences, Shape::Objects] {
            let body = problem.body(shape).to_string();
            for word in FOREIGN {
                assert!(!body.contains(word), "{name} says {word}: {body}");
            }
            assert!(!body.contains(r#""message":"""#), "{name}: {body}");
        }
    }
}

#[test]
fn the_vendors_names_of_fields_become_v2s() {
    let cases = [
        ("user", "customer"),
        ("user.userId", "customer.customerId"),
        ("user.email", "customer.email"),
        ("user.additionalProperties[3].key", "customer"),
        ("history.messages[2].authorType", "history.messages[2].type"),
        ("users", "users"),
        ("channelId", "channelId"),
    ];
    for (theirs, ours) in cases {
        assert_eq!(in_v2s_names(&Violation::new(theirs, "x")).field, ours);
    }
}

#[test]
fn wrong_fields_have_the_shape_of_their_operation() {
    let wrong = Wrong::new("name", "missing_field", "is required.").with("x");
    let problem = Problem::wrong(vec![wrong]);
    let sentences = problem.body(GET_CHANNEL.shape);
    assert_eq!(sentences["errors"][0], "name: is required.");
    let objects = problem.body(CREATE_CHANNEL.shape);
    assert_eq!(objects["validations"][0]["field"], "name");
    assert_eq!(objects["validations"][0]["value"], "x");
    assert_eq!(objects["errors"][0]["code"], "missing_field");
}

#[test]
fn a_failure_of_the_servers_has_a_reference_and_a_pause_is_whole_seconds() {
    let error = UpstreamError {
        reference_id: Some("ref-1".into()),
        retry_after: Some(Duration::from_millis(1200)),
        ..UpstreamError::new(UpstreamErrorKind::Unavailable, "")
    };
    let problem = Problem::of(error.into(), About::TENANT);
    assert_eq!(problem.reference.as_deref(), Some("ref-1"));
    let answer = problem.answer(&GET_CHANNEL);
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "2");
    assert_eq!(answer.headers()["content-type"], MEDIA_TYPE);
}
