//! Conversations whose agent left and of which nothing more was heard: the vendor is asked, and a synthetic event records
//! the answer, because no webhook says that an interaction ended for certain.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{Session, SessionChange, SessionState};
use crate::{
    event::{AssignmentKind, ConversationKey, ConversationUpdated, Event, EventBody, UpstreamState, User},
    gateway::{Conversation, UpstreamErrorKind},
    grpc::convert::encode_event,
    store::{Append, SharedStore, entry::encode_content},
    tenant::Tenants,
};

const LOOK_EVERY: Duration = Duration::from_secs(5);
const BATCH: usize = 50;

/// Asks after unsettled conversations until `shutdown`.
pub async fn run(store: SharedStore, tenants: Tenants, settle_after: Duration, shutdown: CancellationToken) {
    let look_every = LOOK_EVERY.min(settle_after);
    while shutdown
        .run_until_cancelled(tokio::time::sleep(look_every))
        .await
        .is_some()
    {
        let lease_ms = millis(settle_after);
        let unsettled = match store.unsettled(lease_ms, BATCH).await {
            Ok(unsettled) => unsettled,
            Err(error) => {
                debug!(%error, "unsettled conversations could not be read");
                continue;
            }
        };
        for key in unsettled {
            settle(&store, &tenants, &key, lease_ms).await;
        }
    }
}

async fn settle(store: &SharedStore, tenants: &Tenants, key: &ConversationKey, lease_ms: u64) {
    let Ok(tenant) = tenants.resolve(key.tenant.as_str()) else {
        return;
    };
    let session = match store.session(key).await {
        Ok(Some(session)) if session.state == SessionState::WrappingUp => session,
        _ => return,
    };
    // A failure is not final: the lease brings the conversation back.
    let answer = match tenant.gateway.conversation(&key.tenant, &key.conversation).await {
        Ok(answer) => answer,
        // It is over for certain, and nobody needs to ask again.
        Err(error) if error.kind == UpstreamErrorKind::NotFound => gone(key),
        Err(error) => {
            warn!(tenant = %key.tenant, conversation = %key.conversation, reason = error.kind.reason(),
                "8x8 could not be asked how a conversation went on");
            return;
        }
    };
    let Some(event) = synthetic(&session, &answer, jiff::Timestamp::now().as_millisecond()) else {
        return;
    };
    if let Err(error) = store.append(&append(&event, lease_ms)).await {
        debug!(tenant = %key.tenant, conversation = %key.conversation, %error, "a synthetic event could not be stored");
    }
}

/// A conversation that the vendor no longer has.
fn gone(key: &ConversationKey) -> Conversation {
    Conversation {
        id: key.conversation.clone(),
        channel_id: String::new(),
        state: Some(UpstreamState::Idle),
        assignment: None,
        user: User::default(),
    }
}

/// The event that the vendor's answer stands for; `None` where it tells nothing new.
fn synthetic(session: &Session, answer: &Conversation, now_ms: i64) -> Option<Event> {
    let assigned = answer.assignment.as_ref().and_then(|a| a.kind);
    let news = match answer.state? {
        UpstreamState::Idle => true,
        UpstreamState::Created | UpstreamState::Active => {
            matches!(assigned, Some(AssignmentKind::Queue | AssignmentKind::Script))
        }
    };
    news.then(|| Event {
        key: session.key.clone(),
        // Two replicas that ask at the same time make the same event.
        id: format!(
            "chatbridge:settle:{}:{}:{}",
            session.key.conversation, session.epoch, session.sequence
        ),
        // Not our clock: whatever the vendor reports later must count as later.
        occurred_ms: session.state_ms,
        received_ms: now_ms,
        vendor_type: String::new(),
        synthetic: true,
        body: EventBody::ConversationUpdated(ConversationUpdated {
            state: answer.state,
            assignment: answer.assignment.clone(),
            ..ConversationUpdated::default()
        }),
        traceparent: None,
    })
}

fn append(event: &Event, settle_after_ms: u64) -> Append {
    let (head, body) = encode_event(event);
    let mut id_digest = [0; 32];
    id_digest.copy_from_slice(digest(&SHA256, event.id.as_bytes()).as_ref());
    Append {
        key: event.key.clone(),
        event_id: event.id.clone(),
        digest: id_digest,
        head,
        content: encode_content(body, Bytes::new()),
        change: SessionChange::by_event(event),
        echo: None,
        settle_after_ms,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
