//! Creating a conversation, once: what is noted before and after.

use std::{collections::BTreeMap, sync::Arc};

use tracing::warn;

use super::{
    Conversations, SessionChange,
    calls::{CreatedConversation, RequestId},
    idempotency::{Guard, Plan, Started, lease, see_to},
    reconcile::{CreateMark, ledger_of_create, ledger_of_sends},
};
use crate::{
    error::Error,
    event::{ConversationKey, TenantId, User},
    gateway::NewConversation,
    store::{CustomerKey, SharedStore},
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

/// What is noted of a conversation once it exists, beside what its creation kept.
pub(super) struct Aftermath {
    tenant: TenantId,
    /// `None`: it is nobody's in particular.
    customer: Option<CustomerKey>,
    /// The attempt for this customer that it ends.
    attempt: Option<String>,
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
        tenant.may_use(&creation.new.channel_id)?;
        let Creation { new, labels, .. } = creation;
        let cursor = self.cursor_before().await?;
        let ledger = ledger_of_create(tenant, new);
        let mark = CreateMark::new(&cursor, new, labels);
        let aftermath = Aftermath {
            tenant: tenant.id.clone(),
            customer: (!new.user.user_id.is_empty()).then(|| customer_of(tenant, new)),
            attempt: creation.attempt.map(str::to_owned),
        };
        let plan = Plan {
            method: creation.method,
            request: creation.request,
            lease: lease(tenant.gateway.timeout()),
            mark: serde_json::to_value(&mark).unwrap_or_default(),
            ledger: Some(ledger.clone()),
            echo: None,
        };
        let mut guard = match Guard::begin(&self.store, tenant, plan).await? {
            Started::New(guard) => guard,
            Started::Done(answer) => return Ok((answer, false)),
            Started::Unknown(doubt) => {
                let answer = self
                    .reconcile_create(tenant, &ledger, &new.user, &aftermath, doubt)
                    .await?;
                return Ok((answer, false));
            }
        };
        let gateway = guard.watched(&tenant.gateway);
        let created = gateway.create_conversation(&tenant.id, new).await;
        let created = guard.watch(created).await?;
        self.continue_trace(tenant, &created.conversation).await;
        let answer = CreatedConversation {
            tenant: tenant.id.to_string(),
            conversation: created.conversation,
            created_ms: created.created_ms,
            cursor: cursor.encode(),
        };
        let (calls, user, kept) = (self.clone(), new.user.clone(), answer.clone());
        // A caller who leaves now must not leave half of it undone: a transcript that nobody noted would be taken for messages.
        let noting = tokio::spawn(async move {
            let id = &kept.conversation;
            tokio::join!(
                guard.done(&kept, id),
                calls.note_made(id, &user, &mark, &aftermath)
            );
        });
        // It fails only where it panics or the service ends.
        let _ = noting.await;
        Ok((answer, true))
    }

    /// Notes all that a new conversation changes here but its record. It exists: failing the call would hide its identifier from
    /// the caller for ever.
    pub(super) async fn note_made(&self, id: &str, user: &User, mark: &CreateMark, after: &Aftermath) {
        let key = ConversationKey::new(after.tenant.clone(), id);
        let change = SessionChange::by_creation(&mark.channel_id, user, &mark.labels);
        tokio::join!(
            self.note_created(&key, change),
            self.note_history(&key, mark),
            self.bind(id, after),
        );
    }

    async fn note_created(&self, key: &ConversationKey, change: SessionChange) {
        let (store, key) = (SharedStore::clone(&self.store), key.clone());
        // What a call tells of a session yields to whatever was told meanwhile.
        see_to("the session of a new conversation", move || {
            let (store, key, change) = (SharedStore::clone(&store), key.clone(), change.clone());
            async move { store.change_session(&key, &change).await }
        })
        .await;
    }

    /// Enters the transcript among what was sent, so that nobody who looks for a message that says the same takes it for theirs.
    async fn note_history(&self, key: &ConversationKey, mark: &CreateMark) {
        let prints = mark.history.iter().enumerate();
        let sent: Vec<_> = prints
            .map(|(i, print)| (ledger_of_sends(key, print.clone()), format!("history-{i}")))
            .collect();
        if sent.is_empty() {
            return;
        }
        let (store, sent, at_ms) = (SharedStore::clone(&self.store), Arc::new(sent), mark.cursor_ms);
        see_to("a transcript", move || {
            let (store, sent) = (SharedStore::clone(&store), Arc::clone(&sent));
            async move { store.note_accepted(at_ms, &sent).await }
        })
        .await;
    }

    /// Notes whose conversation it is; with an attempt only where nobody has noted another meanwhile.
    async fn bind(&self, id: &str, after: &Aftermath) {
        let Some(key) = &after.customer else { return };
        let attempt = after.attempt.as_deref();
        if let Err(error) = self.store.bind_customer(key, id, attempt).await {
            warn!(tenant = %after.tenant, conversation = id, %error,
                "the customer of a new conversation could not be noted: it may not be found by FindOrCreateConversation");
        }
    }
}
