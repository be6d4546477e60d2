//! What a request of `AgentEvents` asks for, checked.

use std::collections::{BTreeSet, HashSet};

use crate::{
    error::{Error, VIOLATIONS_MAX, Violation},
    event::{EventKind, TenantId},
    fanout::{Added, Change, Filter, GapPolicy, Start},
    grpc::{
        check::Check,
        proto::{self, agent_events_request as ask, change_agent_events_request as change_ask},
    },
    store::Cursor,
};

pub(super) const CONVERSATIONS_MAX: usize = crate::store::streams::CONVERSATIONS_MAX;
/// Longer than any name that is given out.
const STREAM_ID_MAX: usize = 64;
/// Far more than there are kinds.
const KINDS_MAX: usize = 100;

/// What a request asks for, checked.
pub(super) fn read(
    request: &proto::AgentEventsRequest,
    tenant: TenantId,
) -> Result<(Filter, Start, GapPolicy), Error> {
    let mut wrong = Vec::new();
    if request.kinds.len() > KINDS_MAX {
        let problem = format!(
            "has {} items; at most {KINDS_MAX} are allowed",
            request.kinds.len()
        );
        wrong.push(Violation::new("kinds", problem));
    }
    identifiers("conversation_ids", &request.conversation_ids, &mut wrong);
    let mut kinds = HashSet::new();
    for (i, kind) in request.kinds.iter().take(KINDS_MAX).enumerate() {
        let known = (EventKind::ConversationUpdated as i32..=EventKind::Unknown as i32).contains(kind);
        if !known {
            wrong.push(Violation::new(format!("kinds[{i}]"), "is not a kind of event"));
        }
        kinds.insert(*kind);
    }
    let policy = match proto::GapPolicy::try_from(request.gap_policy) {
        Ok(proto::GapPolicy::Unspecified | proto::GapPolicy::Fail) => GapPolicy::Fail,
        Ok(proto::GapPolicy::Earliest) => GapPolicy::Earliest,
        Ok(proto::GapPolicy::Latest) => GapPolicy::Latest,
        Err(_) => {
            let known = "is not a policy: FAIL, EARLIEST or LATEST";
            wrong.push(Violation::new("gap_policy", known));
            GapPolicy::Fail
        }
    };
    let start = start(request.start.as_ref(), &mut wrong)?;
    if !wrong.is_empty() {
        wrong.truncate(VIOLATIONS_MAX);
        return Err(Error::Invalid(wrong));
    }
    let filter = Filter {
        tenant,
        conversations: request.conversation_ids.iter().cloned().collect(),
        share: None,
        kinds,
        echoes: request.include_echoes,
    };
    Ok((filter, start, policy))
}

/// Checks a list of conversations.
fn identifiers(field: &str, ids: &[String], wrong: &mut Vec<Violation>) {
    if ids.len() > CONVERSATIONS_MAX {
        let problem = format!("has {} items; at most {CONVERSATIONS_MAX} are allowed", ids.len());
        wrong.push(Violation::new(field, problem));
    }
    // Of a list that is too long, no more is read: the request fails in any case.
    for (i, id) in ids.iter().take(CONVERSATIONS_MAX).enumerate() {
        let mut check = Check::default();
        check.identifier("", id);
        if check.done(()).is_err() {
            let problem = "is not an identifier: 1 to 256 bytes without control characters";
            wrong.push(Violation::new(format!("{field}[{i}]"), problem));
        }
    }
}

/// What a request of `ChangeAgentEvents` asks for, checked.
pub(super) fn change(request: &proto::ChangeAgentEventsRequest, revision: u64) -> Result<Change, Error> {
    let mut wrong = Vec::new();
    let id = &request.stream_id;
    if id.is_empty() || id.len() > STREAM_ID_MAX || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        wrong.push(Violation::new(
            "stream_id",
            "is not what the first heartbeat of a changeable stream tells",
        ));
    }
    identifiers("add_conversation_ids", &request.add_conversation_ids, &mut wrong);
    identifiers(
        "remove_conversation_ids",
        &request.remove_conversation_ids,
        &mut wrong,
    );
    if request.add_conversation_ids.is_empty() && request.remove_conversation_ids.is_empty() {
        let problem =
            "names no conversation, and neither does remove_conversation_ids: name what is to change";
        wrong.push(Violation::new("add_conversation_ids", problem));
    }
    let of_change = request.start.as_ref().map(|start| match start {
        change_ask::Start::Cursor(cursor) => ask::Start::Cursor(cursor.clone()),
        change_ask::Start::Position(position) => ask::Start::Position(*position),
        change_ask::Start::Time(time) => ask::Start::Time(*time),
    });
    let start = start(of_change.as_ref(), &mut wrong)?;
    if !wrong.is_empty() {
        wrong.truncate(VIOLATIONS_MAX);
        return Err(Error::Invalid(wrong));
    }
    let added = |conversation: &String| Added {
        conversation: conversation.clone(),
        start: start.clone(),
    };
    let distinct = |ids: &[String]| -> BTreeSet<String> { ids.iter().cloned().collect() };
    Ok(Change {
        revision,
        remove: distinct(&request.remove_conversation_ids).into_iter().collect(),
        add: distinct(&request.add_conversation_ids)
            .iter()
            .map(added)
            .collect(),
    })
}

fn start(start: Option<&ask::Start>, wrong: &mut Vec<Violation>) -> Result<Start, Error> {
    Ok(match start {
        None => Start::Latest,
        Some(ask::Start::Cursor(bytes)) => Start::Cursor(Cursor::decode(bytes)?),
        Some(ask::Start::Position(number)) => match proto::StartPosition::try_from(*number) {
            Ok(proto::StartPosition::Earliest) => Start::Earliest,
            Ok(_) => Start::Latest,
            Err(_) => {
                wrong.push(Violation::new(
                    "position",
                    "is not a position: LATEST or EARLIEST",
                ));
                Start::Latest
            }
        },
        Some(ask::Start::Time(time)) => {
            let ms = time
                .seconds
                .checked_mul(1000)
                .and_then(|ms| ms.checked_add(i64::from(time.nanos) / 1_000_000));
            // Before 1970 there is nothing, and the log's times stay below 2^53 ms.
            match ms
                .and_then(|ms| u64::try_from(ms).ok())
                .filter(|ms| *ms < 1 << 53)
            {
                Some(ms) => Start::Time(ms),
                None => {
                    wrong.push(Violation::new("time", "lies before 1970 or too far ahead"));
                    Start::Latest
                }
            }
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    #[test]
    fn a_request_of_nothing_but_mistakes_makes_a_short_list() {
        let request = proto::AgentEventsRequest {
            kinds: vec![99; 100_000],
            conversation_ids: vec![String::new(); 100_000],
            ..Default::default()
        };
        let Err(Error::Invalid(violations)) = read(&request, TenantId::new("t")) else {
            panic!("it is taken");
        };
        assert_eq!(violations.len(), VIOLATIONS_MAX);
    }

    #[test]
    fn a_policy_that_is_not_known_is_not_taken_for_another() {
        let read = |gap_policy: i32| {
            let request = proto::AgentEventsRequest {
                gap_policy,
                ..proto::AgentEventsRequest::default()
            };
            read(&request, TenantId::new("t"))
        };
        for known in 0..=3 {
            assert!(read(known).is_ok(), "{known}");
        }
        for unknown in [-1, 4, 99] {
            let Err(Error::Invalid(named)) = read(unknown) else {
                panic!("{unknown} is taken");
            };
            assert_eq!(named[0].field, "gap_policy");
        }
    }

    #[test]
    fn no_time_is_too_far_away_to_be_refused() {
        for (seconds, nanos) in [
            (i64::MAX / 1000, i32::MAX),
            (i64::MIN / 1000, i32::MIN),
            (i64::MAX, 0),
            (i64::MIN, -1),
        ] {
            let request = proto::AgentEventsRequest {
                start: Some(ask::Start::Time(prost_types::Timestamp { seconds, nanos })),
                ..proto::AgentEventsRequest::default()
            };
            let refused = read(&request, TenantId::new("t"));
            assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        }
    }
}
