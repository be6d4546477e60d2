//! Conversations whose agent left and of which nothing more was heard: the vendor is asked, and a synthetic event records
//! the answer, because no webhook says that an interaction ended for certain.

use std::{ops::ControlFlow, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{Session, SessionChange, SessionState};
use crate::{
    event::{AssignmentKind, ConversationKey, ConversationUpdated, Event, EventBody, UpstreamState, User},
    gateway::{Conversation, UpstreamErrorKind},
    grpc::convert::encode_event,
    store::{Append, Appended, SharedStore, entry::encode_content},
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
            let asking = settle(&store, &tenants, &key, lease_ms);
            match shutdown.run_until_cancelled(asking).await {
                Some(ControlFlow::Continue(())) => {}
                // The others would fare alike. Their leases bring them back.
                Some(ControlFlow::Break(())) => break,
                None => return,
            }
        }
    }
}

/// Asks after one conversation, and says whether there is any use in asking after others now.
async fn settle(
    store: &SharedStore,
    tenants: &Tenants,
    key: &ConversationKey,
    lease_ms: u64,
) -> ControlFlow<()> {
    let Some(tenant) = tenants.get(key.tenant.as_str()) else {
        return ControlFlow::Continue(());
    };
    let session = match store.session(key).await {
        Ok(Some(session)) if session.state == SessionState::WrappingUp => session,
        _ => return ControlFlow::Continue(()),
    };
    // A failure is not final: the lease brings the conversation back.
    let answer = match tenant.gateway.conversation(&key.tenant, &key.conversation).await {
        Ok(answer) => answer,
        // It is over for certain, and nobody needs to ask again.
        Err(error) if error.kind == UpstreamErrorKind::NotFound => gone(key),
        Err(error) => {
            warn!(tenant = %key.tenant, conversation = %key.conversation, reason = error.kind.reason(),
                "8x8 could not be asked how a conversation went on");
            return after(error.kind);
        }
    };
    let Some(event) = synthetic(&session, &answer, jiff::Timestamp::now().as_millisecond()) else {
        return ControlFlow::Continue(());
    };
    match store.append(&append(&event, lease_ms)).await {
        Ok(Appended::New {
            passage: Some(passage),
            ..
        }) => passage.measure(event.occurred_ms),
        Ok(_) => {}
        Err(error) => {
            debug!(tenant = %key.tenant, conversation = %key.conversation, %error, "a synthetic event could not be stored");
        }
    }
    ControlFlow::Continue(())
}

/// Whether a failure is of this conversation alone.
fn after(failure: UpstreamErrorKind) -> ControlFlow<()> {
    match failure {
        UpstreamErrorKind::Throttled
        | UpstreamErrorKind::CircuitOpen
        | UpstreamErrorKind::RateLimited
        | UpstreamErrorKind::Credentials => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rstest::rstest;
    use tokio::net::TcpListener;

    use super::*;
    use crate::{
        event::{AuthorType, MemberChange, Participant, TenantId},
        gateway::{Gateway, GatewaySettings, Resilience},
        store::{Retention, memory::MemoryStore},
        tenant::Tenant,
    };

    #[rstest]
    #[case(UpstreamErrorKind::Throttled, true)]
    #[case(UpstreamErrorKind::CircuitOpen, true)]
    #[case(UpstreamErrorKind::RateLimited, true)]
    #[case(UpstreamErrorKind::Credentials, true)]
    #[case(UpstreamErrorKind::Timeout, false)]
    #[case(UpstreamErrorKind::Unavailable, false)]
    #[case(UpstreamErrorKind::Unexpected, false)]
    fn nobody_is_asked_after_where_all_would_be_turned_away(
        #[case] failure: UpstreamErrorKind,
        #[case] is_of_all: bool,
    ) {
        assert_eq!(after(failure).is_break(), is_of_all);
    }

    /// An agent came and left.
    async fn left(store: &SharedStore, conversation: &str) {
        for (n, change) in [MemberChange::Joined, MemberChange::Left].into_iter().enumerate() {
            let event = Event {
                key: ConversationKey::new(TenantId::new("acme"), conversation),
                id: format!("{conversation}-{n}"),
                occurred_ms: 1_000 + i64::try_from(n).unwrap(),
                received_ms: 2_000,
                vendor_type: String::new(),
                synthetic: false,
                body: EventBody::MemberChanged {
                    member: Participant::new("maria", Some(AuthorType::Agent)),
                    change,
                },
                traceparent: None,
            };
            store.append(&append(&event, 0)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_stop_does_not_wait_for_a_vendor_who_is_silent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let gateway = Gateway::new(GatewaySettings {
            base_url: base.parse().unwrap(),
            api_key: "key".to_owned().into(),
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            transfer_timeout: Duration::from_secs(60),
            resilience: Resilience::NONE,
        });
        let tenants = Tenants::new([Tenant {
            id: TenantId::new("acme"),
            gateway: gateway.unwrap(),
            attachment_max_bytes: 1,
            channels: std::sync::Arc::default(),
        }]);
        let store: SharedStore = Arc::new(MemoryStore::new(4, Retention::default()));
        left(&store, "c1").await;
        let stop = CancellationToken::new();
        let running = run(store, tenants, Duration::from_millis(10), stop.clone());
        let stopping = async {
            // It is being asked.
            let _asked = listener.accept().await.unwrap();
            stop.cancel();
            std::future::pending::<()>().await;
        };
        let both = async {
            tokio::select! {
                () = running => {}
                () = stopping => {}
            }
        };
        tokio::time::timeout(Duration::from_secs(10), both)
            .await
            .expect("it stops");
    }
}
