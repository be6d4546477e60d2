//! Where a stream of `AgentEvents` gets its responses from: the log, or a named subscription.

use std::task::{Context, Poll};

use bytes::Bytes;

use super::{
    check::Check,
    proto::{self, EndingReason, ReconnectAdvice},
};
pub(super) use crate::subscription::Told;
use crate::{
    error::Error,
    event::TenantId,
    fanout::{Delivery, GapPolicy, Subscriber},
    store::Entry,
    subscription::{Ended, OWN_PREFIX, Reading, SubscriptionStream, Subscriptions},
};

const NAME_MAX: usize = 64;
const MEMBER_NAME_BYTES_MAX: usize = 128;
const UNCOMMITTED_DEFAULT: usize = 1000;
const UNCOMMITTED_MAX: i32 = 10_000;

/// Where a stream gets its responses from.
pub(super) enum Source {
    /// The log, from where the client says.
    Plain(Box<Subscriber>),
    /// A named subscription.
    Named(SubscriptionStream),
}

impl Source {
    /// What comes next, when it comes.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Told, Error>> {
        match self {
            Self::Plain(subscriber) => subscriber.poll_next(context).map_ok(Told::Delivery),
            Self::Named(stream) => stream.poll_next(context),
        }
    }

    /// Moves over what did not match. Returns what was waiting after all.
    pub(super) fn skip_unmatched(&mut self) -> Option<Delivery> {
        match self {
            Self::Plain(subscriber) => subscriber.skip_unmatched(),
            Self::Named(stream) => stream.skip_unmatched(),
        }
    }

    /// An entry that came last as a response, with its cursor, where others get the very same; `frame` makes it of the
    /// cursor if nobody has.
    pub(super) fn shared_frame(
        &self,
        entry: &Entry,
        with_raw: bool,
        frame: impl FnOnce(&[u8]) -> Bytes,
    ) -> Option<&Bytes> {
        match self {
            Self::Plain(subscriber) => subscriber.shared_frame(entry, with_raw, frame),
            Self::Named(_) => None,
        }
    }

    /// The encoded place behind what came last.
    pub(super) fn cursor(&mut self) -> Bytes {
        match self {
            Self::Plain(subscriber) => subscriber.encoded_cursor(),
            Self::Named(stream) => stream.cursor().into(),
        }
    }

    /// What comes next belongs to no share.
    pub(super) fn rest(&mut self) {
        if let Self::Named(stream) = self {
            stream.rest();
        }
    }

    /// The share that it belongs to, from 1; 0: none.
    pub(super) fn share(&self) -> i32 {
        match self {
            Self::Plain(_) => 0,
            Self::Named(stream) => stream.share().map_or(0, |share| i32::from(share) + 1),
        }
    }
}

/// What the stream says when it is over.
pub(super) fn ending(ended: Ended) -> (EndingReason, ReconnectAdvice) {
    match ended {
        Ended::TakenOver => (EndingReason::TakenOver, ReconnectAdvice::Never),
        Ended::Deleted => (EndingReason::SubscriptionDeleted, ReconnectAdvice::Never),
        // Workers create it when they start.
        Ended::Lost => (EndingReason::SubscriptionDeleted, ReconnectAdvice::Now),
        Ended::TooSlow => (EndingReason::TooSlow, ReconnectAdvice::Now),
    }
}

/// How to read the subscription that a request names; `None` where it names none.
pub(super) fn named(
    request: &proto::AgentEventsRequest,
    policy: GapPolicy,
) -> Result<Option<Reading>, Error> {
    let mut check = Check::default();
    let is_named = !request.subscription.is_empty();
    if is_named {
        callers_name(&mut check, "subscription", &request.subscription);
        let start = match &request.start {
            None => None,
            Some(proto::agent_events_request::Start::Cursor(_)) => Some("cursor"),
            Some(proto::agent_events_request::Start::Position(_)) => Some("position"),
            Some(proto::agent_events_request::Start::Time(_)) => Some("time"),
        };
        for field in [
            (!request.conversation_ids.is_empty()).then_some("conversation_ids"),
            (!request.kinds.is_empty()).then_some("kinds"),
            request.include_echoes.then_some("include_echoes"),
            request.changeable.then_some("changeable"),
            start,
        ]
        .into_iter()
        .flatten()
        {
            check.fail(field, "must not be set with `subscription`, which says it");
        }
    } else {
        for (field, is_set) in [
            ("member_name", !request.member_name.is_empty()),
            ("max_uncommitted", request.max_uncommitted != 0),
        ] {
            if is_set {
                check.fail(field, "has a meaning with `subscription` only");
            }
        }
    }
    check.max("member_name", &request.member_name, MEMBER_NAME_BYTES_MAX);
    if request.member_name.chars().any(char::is_control) {
        check.fail("member_name", "has control characters");
    }
    let window = match request.max_uncommitted {
        0 => UNCOMMITTED_DEFAULT,
        window if (1..=UNCOMMITTED_MAX).contains(&window) => usize::try_from(window).unwrap_or(1),
        window => {
            let range = format!("is {window}; it must lie between 1 and {UNCOMMITTED_MAX}, or be 0");
            check.fail("max_uncommitted", range);
            UNCOMMITTED_DEFAULT
        }
    };
    check.done(is_named.then(|| Reading {
        member_name: request.member_name.clone(),
        policy,
        window,
    }))
}

/// Checks the name of a subscription.
pub(super) fn name(check: &mut Check, field: &str, name: &str) {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    if name.is_empty() {
        check.fail(field, "is required");
    } else if name.len() > NAME_MAX || !name.bytes().all(is_plain) {
        let wanted = "is not a name: 1 to 64 of the characters a-z, 0-9, `-`, `_` and `.`";
        check.fail(field, wanted);
    }
}

/// Checks the name of a subscription that callers may create, read and commit.
pub(super) fn callers_name(check: &mut Check, field: &str, name: &str) {
    self::name(check, field, name);
    if name.starts_with(OWN_PREFIX) {
        let problem =
            format!("begins with `{OWN_PREFIX}`, as the names of Chatbridge's own subscriptions do");
        check.fail(field, problem);
    }
}

/// Commits what a request says.
pub(super) async fn commit(
    subscriptions: &Subscriptions,
    tenant: &TenantId,
    request: &proto::CommitCursorRequest,
) -> Result<bool, Error> {
    let mut check = Check::default();
    callers_name(&mut check, "subscription", &request.subscription);
    if request.cursor.is_empty() {
        check.fail("cursor", "is required");
    }
    check.done(())?;
    subscriptions
        .commit(tenant, &request.subscription, &request.cursor)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::proto::{AgentEventsRequest, StartPosition, agent_events_request::Start};

    fn fields(request: &AgentEventsRequest) -> Vec<String> {
        match named(request, GapPolicy::Fail) {
            Ok(_) => Vec::new(),
            Err(Error::Invalid(violations)) => violations.into_iter().map(|v| v.field).collect(),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn workers_come_back_where_the_store_lost_their_subscription_and_not_where_it_was_deleted() {
        let deleted = EndingReason::SubscriptionDeleted;
        assert_eq!(ending(Ended::Lost), (deleted, ReconnectAdvice::Now));
        assert_eq!(ending(Ended::Deleted), (deleted, ReconnectAdvice::Never));
    }

    #[test]
    fn what_a_subscription_says_may_not_be_said_again() {
        let mut request = AgentEventsRequest {
            subscription: "orders.v1".into(),
            member_name: "a".into(),
            max_uncommitted: 10,
            include_raw: true,
            gap_policy: 2,
            ..AgentEventsRequest::default()
        };
        assert!(fields(&request).is_empty());
        request.conversation_ids = vec!["c".into()];
        request.kinds = vec![1];
        request.include_echoes = true;
        request.changeable = true;
        request.start = Some(Start::Position(StartPosition::Latest as i32));
        let all = [
            "conversation_ids",
            "kinds",
            "include_echoes",
            "changeable",
            "position",
        ];
        assert_eq!(fields(&request), all);
    }

    #[test]
    fn what_is_a_subscriptions_own_needs_one() {
        let request = AgentEventsRequest {
            member_name: "a".into(),
            max_uncommitted: 10,
            ..AgentEventsRequest::default()
        };
        assert_eq!(fields(&request), ["member_name", "max_uncommitted"]);
    }

    #[test]
    fn chatbridges_own_names_are_not_for_callers() {
        let request = AgentEventsRequest {
            subscription: crate::subscription::CHAT_V2.to_owned(),
            ..AgentEventsRequest::default()
        };
        assert_eq!(fields(&request), ["subscription"]);
        let named = |name: &str, check: fn(&mut Check, &str, &str)| {
            let mut found = Check::default();
            check(&mut found, "name", name);
            found.done(()).is_ok()
        };
        assert!(!named("chatbridge.orders", callers_name));
        assert!(named("chatbridge-orders", callers_name));
        // To look at one, and to delete it.
        assert!(named("chatbridge.orders", name));
    }

    #[test]
    fn names_and_numbers_are_checked() {
        for name in ["A", "a b", "a/b", "ä", &"a".repeat(65)] {
            let request = AgentEventsRequest {
                subscription: name.to_owned(),
                member_name: "\n".into(),
                max_uncommitted: 10_001,
                ..AgentEventsRequest::default()
            };
            assert_eq!(
                fields(&request),
                ["subscription", "member_name", "max_uncommitted"],
                "{name}"
            );
        }
    }
}
