//! Creating a conversation, once: what is noted before and after.

use std::collections::BTreeMap;

use tracing::warn;

use super::{
    Conversations, SessionChange,
    calls::{CreatedConversation, RequestId},
    idempotency::{Guard, LEASE, Plan, Started},
    reconcile::{CreateMark, ledger_of_create, ledger_of_send},
};
use crate::{
    error::Error,
    event::{ConversationKey, Message},
    gateway::NewConversation,
    store::CustomerKey,
    tenant::Tenant,
};

/// A conversation to create, once.
pub(super) struct Creation<'a> {
    pub(super) method: &'static str,
    pub(super) request: &'a RequestId,
    pub(super) new: &'a NewConversation,
    pub(super) labels: &'a BTreeMap<String, String>,
    /// The attempt for this customer that it ends.
    pub(super) attempt: Option<&'a str>,
}

/// The customer of a conversation.
pub(super) fn customer_of(tenant: &Tenant, new: &NewConversation) -> CustomerKey {
    CustomerKey {
        tenant: tenant.id.clone(),
        channel_id: new.channel_id.clone(),
        user_id: new.user.user_id.clone(),
    }
}

impl Conversations {
    /// Creates a conversation and its session, once for each `request_id`. Where the answer to an earlier call was lost, the
    /// conversation is looked for.
    pub async fn create(
        &self,
        tenant: &Tenant,
        request: &RequestId,
        new: &NewConversation,
        labels: &BTreeMap<String, String>,
    ) -> Result<CreatedConversation, Error> {
        let creation = Creation {
            method: "CreateConversation",
            request,
            new,
            labels,
            attempt: None,
        };
        Ok(self.create_once(tenant, creation).await?.0)
    }

    /// Creates a conversation, and tells whether this very call did.
    pub(super) async fn create_once(
        &self,
        tenant: &Tenant,
        creation: Creation<'_>,
    ) -> Result<(CreatedConversation, bool), Error> {
        let Creation { new, labels, .. } = creation;
        let cursor = self.cursor_before().await?;
        let ledger = ledger_of_create(tenant, new);
        let plan = Plan {
            method: creation.method,
            request: creation.request,
            lease: LEASE,
            mark: serde_json::to_value(CreateMark::new(&cursor, new, labels)).unwrap_or_default(),
            ledger: Some(ledger.clone()),
            echo: None,
        };
        let mut guard = match Guard::begin(&self.store, tenant, plan).await? {
            Started::New(guard) => guard,
            Started::Done(answer) => return Ok((answer, false)),
            Started::Unknown(doubt) => {
                let answer = self.reconcile_create(tenant, &ledger, doubt).await?;
                self.bind(tenant, new, &answer.conversation, creation.attempt)
                    .await;
                return Ok((answer, false));
            }
        };
        guard.sending();
        let created = tenant.gateway.create_conversation(&tenant.id, new).await;
        let created = guard.watch(created).await?;
        let answer = CreatedConversation {
            tenant: tenant.id.to_string(),
            conversation: created.conversation,
            created_ms: created.created_ms,
            cursor: cursor.encode(),
        };
        let change = SessionChange::by_creation(&new.channel_id, &new.user, labels);
        tokio::join!(
            guard.done(&answer, &answer.conversation),
            self.note_created(tenant, &answer.conversation, &change),
            self.note_history(tenant, &answer.conversation, &new.history, cursor.time_ms),
            self.bind(tenant, new, &answer.conversation, creation.attempt),
        );
        Ok((answer, true))
    }

    /// Begins the session of a conversation that was created. It exists: failing the call would hide its identifier from the
    /// caller for ever.
    pub(super) async fn note_created(&self, tenant: &Tenant, id: &str, change: &SessionChange) {
        let key = ConversationKey::new(tenant.id.clone(), id);
        if let Err(error) = self.store.change_session(&key, change).await {
            warn!(tenant = %tenant.id, conversation = id, %error,
                "the session of a new conversation could not be stored; its events will begin it, without labels");
        }
    }

    /// Enters the transcript among what was sent, so that nobody who looks for a message that says the same takes it for theirs.
    async fn note_history(&self, tenant: &Tenant, id: &str, history: &[Message], at_ms: u64) {
        let key = ConversationKey::new(tenant.id.clone(), id);
        let messages = history.iter().enumerate();
        let sent: Vec<_> = messages
            .map(|(i, message)| (ledger_of_send(&key, message), format!("history-{i}")))
            .collect();
        if sent.is_empty() {
            return;
        }
        if let Err(error) = self.store.note_accepted(at_ms, &sent).await {
            warn!(tenant = %tenant.id, conversation = id, %error, "a transcript could not be noted among what was sent");
        }
    }

    /// Notes whose conversation it is; with `attempt` only where nobody has noted another meanwhile.
    async fn bind(&self, tenant: &Tenant, new: &NewConversation, id: &str, attempt: Option<&str>) {
        if new.user.user_id.is_empty() {
            return;
        }
        let key = customer_of(tenant, new);
        if let Err(error) = self.store.bind_customer(&key, id, attempt).await {
            warn!(tenant = %tenant.id, conversation = id, %error,
                "the customer of a new conversation could not be noted: it may not be found by FindOrCreateConversation");
        }
    }
}
