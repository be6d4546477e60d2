//! The use cases that callers have: what a call does with the store and the vendor, and in which order.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};
use tracing::{debug, info, warn};

use super::{
    Session, echo,
    idempotency::{Guard, Plan, Started, lease},
    reconcile::ledger_of_send,
};
use crate::{
    access::Caller,
    agents::AgentNames,
    error::Error,
    event::{
        Assignment, AssignmentKind, AuthorType, Card, ConversationKey, Message, Participant, UpstreamState,
    },
    gateway::{
        Conversation, ConversationPatch, ConversationReplacement, Interaction, Listed, PageQuery,
        PostAgentAssignment,
    },
    store::{Cursor, SessionMark, SharedStore},
    telemetry::traces,
    tenant::{Tenant, Tenants},
};

/// How far back of the store's time a cursor of a call reaches, in milliseconds: nodes of a cluster have clocks of their
/// own. Reaching back too far is harmless, since the conversation's earlier events are few or none.
const CURSOR_MARGIN_MS: u64 = 1_000;

/// How long a call waits until it is noted in which trace it is.
const TRACE_WAIT: Duration = Duration::from_millis(100);

/// What makes a call idempotent.
#[derive(Debug, Clone)]
pub struct RequestId {
    /// The caller's UUID; empty: the call is not idempotent.
    pub id: String,
    /// SHA-256 of the request.
    pub digest: [u8; 32],
}

/// Answer to creating a conversation. Kept as JSON for repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedConversation {
    /// The tenant.
    pub tenant: String,
    /// The vendor's identifier.
    pub conversation: String,
    /// When the vendor recorded it, Unix milliseconds.
    pub created_ms: Option<i64>,
    /// An encoded cursor from before the call.
    pub cursor: Vec<u8>,
}

/// Answer to sending a message. Kept as JSON for repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMessage {
    /// When the vendor accepted it, Unix milliseconds by our clock.
    pub accepted_ms: i64,
}

/// Answer to changing a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Updated {
    /// From before the call.
    pub cursor: Cursor,
    /// The conversation as the vendor answered, if it did.
    pub conversation: Option<Conversation>,
}

/// The use cases.
#[derive(Clone)]
pub struct Conversations {
    pub(super) store: SharedStore,
    tenants: Tenants,
    names: AgentNames,
}

impl Conversations {
    /// The use cases over a store and the tenants.
    pub fn new(store: SharedStore, tenants: Tenants) -> Self {
        Self {
            store,
            tenants,
            names: AgentNames::none(),
        }
    }

    /// The same with names for agents whom the vendor gives none.
    #[must_use]
    pub fn with_agent_names(self, names: AgentNames) -> Self {
        Self { names, ..self }
    }

    /// The tenant that a caller names, who waits no longer than `deadline`.
    pub fn tenant(&self, caller: &Caller, name: &str, deadline: Option<Instant>) -> Result<Tenant, Error> {
        Ok(self.tenants.of(caller, name)?.within(deadline))
    }

    /// Reads a conversation from the vendor.
    pub async fn get(&self, tenant: &Tenant, id: &str) -> Result<Conversation, Error> {
        Ok(tenant.gateway.conversation(&tenant.id, id).await?)
    }

    /// Lists a tenant's conversations from the vendor.
    pub async fn list(&self, tenant: &Tenant, page: &PageQuery) -> Result<Listed<Conversation>, Error> {
        Ok(tenant.gateway.conversations(&tenant.id, page).await?)
    }

    /// Changes customer or assignment.
    pub async fn update(
        &self,
        tenant: &Tenant,
        id: &str,
        patch: &ConversationPatch,
    ) -> Result<Updated, Error> {
        let cursor = self.cursor_before().await?;
        self.continue_trace(tenant, id).await;
        let conversation = tenant.gateway.patch_conversation(&tenant.id, id, patch).await?;
        Ok(Updated { cursor, conversation })
    }

    /// Replaces channel, customer and assignment.
    pub async fn replace(
        &self,
        tenant: &Tenant,
        id: &str,
        replacement: &ConversationReplacement,
    ) -> Result<Updated, Error> {
        let cursor = self.cursor_before().await?;
        self.continue_trace(tenant, id).await;
        let conversation = tenant
            .gateway
            .replace_conversation(&tenant.id, id, replacement)
            .await?;
        Ok(Updated { cursor, conversation })
    }

    /// Routes a conversation elsewhere while no agent has it, and answers a cursor from before the call.
    pub async fn transfer(&self, tenant: &Tenant, id: &str, to: &Assignment) -> Result<Cursor, Error> {
        let now = tenant.gateway.conversation(&tenant.id, id).await?;
        let has_agent = now.assignment.and_then(|a| a.kind) == Some(AssignmentKind::Agent);
        match now.state {
            Some(UpstreamState::Idle) => return Err(Error::ConversationEnded),
            _ if has_agent => return Err(Error::ConversationWithAgent),
            _ => {}
        }
        let patch = ConversationPatch {
            assignment: Some(to.clone()),
            user: None,
        };
        Ok(self.update(tenant, id, &patch).await?.cursor)
    }

    /// Lists a conversation's interactions from the vendor.
    pub async fn interactions(&self, tenant: &Tenant, id: &str) -> Result<Listed<Interaction>, Error> {
        Ok(tenant.gateway.interactions(&tenant.id, id).await?)
    }

    /// Hands back to a bot after the agent.
    pub async fn post_agent_assignment(
        &self,
        tenant: &Tenant,
        id: &str,
        assignment: &PostAgentAssignment,
    ) -> Result<(), Error> {
        self.continue_trace(tenant, id).await;
        Ok(tenant
            .gateway
            .post_agent_assignment(&tenant.id, id, assignment)
            .await?)
    }

    /// Ends the current interaction for the customer.
    pub async fn end(&self, tenant: &Tenant, id: &str) -> Result<(), Error> {
        self.continue_trace(tenant, id).await;
        Ok(tenant.gateway.end_conversation(&tenant.id, id).await?)
    }

    /// Sends a message, once for each `request_id`. Where the answer to an earlier call was lost, the message is looked for.
    pub async fn send(
        &self,
        tenant: &Tenant,
        id: &str,
        request: &RequestId,
        message: &Message,
    ) -> Result<SentMessage, Error> {
        let key = ConversationKey::new(tenant.id.clone(), id);
        let ledger = ledger_of_send(&key, message);
        let plan = Plan {
            method: "SendMessage",
            request,
            lease: lease(tenant.gateway.timeout()),
            // Equal requests are of one ledger, which holds all that a later look needs.
            mark: serde_json::Value::Null,
            ledger: Some(ledger.clone()),
            echo: Some(echo::fingerprint(message)),
        };
        let mut guard = match Guard::begin(&self.store, tenant, plan).await? {
            Started::New(guard) => guard,
            Started::Done(answer) => return Ok(answer),
            Started::Unknown(doubt) => return self.reconcile_send(tenant, &ledger, doubt).await,
        };
        self.continue_trace(tenant, id).await;
        let gateway = guard.watched(&tenant.gateway);
        let sent = gateway.send_message(&tenant.id, id, message).await;
        guard.watch(sent).await?;
        let answer = SentMessage {
            accepted_ms: jiff::Timestamp::now().as_millisecond(),
        };
        guard.done(&answer, "").await;
        Ok(answer)
    }

    /// Lists a conversation's messages from the vendor.
    pub async fn messages(
        &self,
        tenant: &Tenant,
        id: &str,
        page: &PageQuery,
    ) -> Result<Listed<Message>, Error> {
        let mut listed = tenant.gateway.messages(&tenant.id, id, page).await?;
        let authors = listed.items.iter_mut().map(|message| &mut message.author);
        self.names.fill(&tenant.id, authors).await;
        Ok(listed)
    }

    /// Reads a message from the vendor.
    pub async fn message(&self, tenant: &Tenant, id: &str, message: &str) -> Result<Message, Error> {
        let mut message = tenant.gateway.message(&tenant.id, id, message).await?;
        self.names.fill(&tenant.id, [&mut message.author]).await;
        Ok(message)
    }

    /// Lists a message's cards from the vendor.
    pub async fn cards(
        &self,
        tenant: &Tenant,
        id: &str,
        message: &str,
        page: &PageQuery,
    ) -> Result<Listed<Card>, Error> {
        Ok(tenant.gateway.cards(&tenant.id, id, message, page).await?)
    }

    /// Tells that the customer submitted a card.
    pub async fn submit_card_action(
        &self,
        tenant: &Tenant,
        id: &str,
        card: &str,
        name: &str,
    ) -> Result<(), Error> {
        self.continue_trace(tenant, id).await;
        Ok(tenant
            .gateway
            .submit_card_action(&tenant.id, id, card, name)
            .await?)
    }

    /// Tells that a card's action was executed.
    pub async fn execute_card_action(
        &self,
        tenant: &Tenant,
        id: &str,
        card: &str,
        name: &str,
    ) -> Result<(), Error> {
        self.continue_trace(tenant, id).await;
        Ok(tenant
            .gateway
            .execute_card_action(&tenant.id, id, card, name)
            .await?)
    }

    /// Shows that the bot is working on an answer.
    pub async fn thinking(&self, tenant: &Tenant, id: &str, max_seconds: Option<u32>) -> Result<(), Error> {
        Ok(tenant.gateway.send_thinking(&tenant.id, id, max_seconds).await?)
    }

    /// Tells up to when somebody has read; `None`: now.
    pub async fn read_receipt(
        &self,
        tenant: &Tenant,
        id: &str,
        author: AuthorType,
        read_ms: Option<i64>,
    ) -> Result<(), Error> {
        let read_ms = read_ms.unwrap_or_else(|| jiff::Timestamp::now().as_millisecond());
        Ok(tenant
            .gateway
            .send_read_receipt(&tenant.id, id, author, read_ms)
            .await?)
    }

    /// Lists who took part, from the vendor.
    pub async fn participants(&self, tenant: &Tenant, id: &str) -> Result<Listed<Participant>, Error> {
        let mut listed = tenant.gateway.participants(&tenant.id, id).await?;
        self.names.fill(&tenant.id, &mut listed.items).await;
        Ok(listed)
    }

    /// Shows that somebody types.
    pub async fn typing(&self, tenant: &Tenant, id: &str, author: AuthorType) -> Result<(), Error> {
        Ok(tenant.gateway.send_typing(&tenant.id, id, author).await?)
    }

    /// Reads a session.
    pub async fn session(&self, tenant: &Tenant, id: &str) -> Result<Session, Error> {
        let key = ConversationKey::new(tenant.id.clone(), id);
        self.store
            .session(&key)
            .await?
            .ok_or_else(|| Error::UnknownSession(id.to_owned()))
    }

    /// Lists sessions that `wanted` accepts, the last active first, and says where to go on.
    pub async fn sessions(
        &self,
        tenant: &Tenant,
        after: Option<SessionMark>,
        limit: usize,
        wanted: impl Fn(&Session) -> bool + Send,
    ) -> Result<(Vec<Session>, Option<SessionMark>), Error> {
        // Reading on until a page is full would let a rare filter read everything; a short page is allowed.
        const READS_MAX: usize = 10;
        let mut after = after;
        let mut found = Vec::new();
        for _ in 0..READS_MAX {
            let page = self.store.sessions(&tenant.id, after.as_ref(), limit).await?;
            if page.is_empty() {
                return Ok((found, None));
            }
            for (mark, session) in page {
                after = Some(mark);
                found.extend(session.filter(&wanted));
                if found.len() == limit {
                    return Ok((found, after));
                }
            }
        }
        Ok((found, after))
    }

    /// Erases what is kept here of a conversation, and answers how many events that were. The vendor is not asked.
    pub async fn erase(&self, tenant: &Tenant, id: &str) -> Result<u64, Error> {
        let (store, key) = (
            SharedStore::clone(&self.store),
            ConversationKey::new(tenant.id.clone(), id),
        );
        // In a task of its own, so that a caller who leaves now does not stop it half-way.
        let erasing = tokio::spawn(async move {
            let erased = store.erase(&key).await;
            match &erased {
                Ok(erased) => {
                    info!(tenant = %key.tenant, conversation = %key.conversation, events = erased.entries,
                    "a conversation was erased")
                }
                Err(error) => warn!(tenant = %key.tenant, conversation = %key.conversation, %error,
                    "a conversation was not erased, or not as a whole"),
            }
            erased
        });
        // It fails only where it panics or the service ends.
        let erased = erasing.await.map_err(|_| Error::StoreUnavailable)?;
        Ok(erased?.entries)
    }

    /// What the vendor tells of a conversation from now on belongs to the trace that this call is in, if it is kept. That is noted
    /// before the vendor can tell anything, unless the store is slow: for the sake of a trace no call is held up.
    pub(super) async fn continue_trace(&self, tenant: &Tenant, id: &str) {
        let Some(traceparent) = traces::current_traceparent() else {
            return;
        };
        let store = SharedStore::clone(&self.store);
        let key = ConversationKey::new(tenant.id.clone(), id);
        let noting = tokio::spawn(async move {
            if let Err(error) = store.note_trace(&key, &traceparent).await {
                debug!(tenant = %key.tenant, conversation = %key.conversation, %error,
                    "the trace of a call could not be noted: the events that follow begin traces of their own");
            }
        });
        // It goes on behind our back where it takes longer.
        let _ = timeout(TRACE_WAIT, noting).await;
    }

    /// A cursor from before whatever comes next. It also proves that the store is there: with the store down nothing is
    /// sent.
    pub(super) async fn cursor_before(&self) -> Result<Cursor, Error> {
        let now_ms = self.store.now_ms().await?;
        Ok(Cursor::at_time(
            now_ms.saturating_sub(CURSOR_MARGIN_MS),
            self.store.partitions(),
        ))
    }
}
