//! The conversations of a changeable stream, over its connections.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::{Client, Error, v1};

use super::breaks::passes;

/// Adds conversations to a stream and takes others off, from any task.
#[derive(Clone)]
pub struct Changer {
    client: Client,
    tenant: String,
    changeable: bool,
    changes: Arc<Changes>,
}

/// What a stream was asked to change.
pub(super) struct Changes {
    state: Mutex<State>,
    /// What the server calls the stream; `None`: it is not connected.
    stream_id: watch::Sender<Option<String>>,
}

#[derive(Default)]
struct State {
    /// The conversations as of what the stream told.
    conversation_ids: Vec<String>,
    /// The last change that the stream told of.
    told: u64,
    /// Accepted for this connection and not told of, by revision.
    accepted: BTreeMap<u64, v1::ChangeAgentEventsRequest>,
    /// Accepted for a connection that broke before it told of them.
    lost: Vec<v1::ChangeAgentEventsRequest>,
}

impl Changer {
    pub(super) fn new(client: Client, request: &v1::AgentEventsRequest) -> Self {
        let state = State {
            conversation_ids: request.conversation_ids.clone(),
            ..State::default()
        };
        let changes = Changes {
            state: Mutex::new(state),
            stream_id: watch::Sender::new(None),
        };
        Self {
            client,
            tenant: request.tenant.clone(),
            changeable: request.changeable,
            changes: Arc::new(changes),
        }
    }

    pub(super) fn changes(&self) -> Arc<Changes> {
        Arc::clone(&self.changes)
    }

    /// Makes a change; `tenant` and `stream_id` of the request are filled in.
    ///
    /// Waits until the stream is connected. The response `changed` of the stream tells from where on the change holds. A stream
    /// that connects again has what was changed, and makes anew what it was not told of before the break.
    pub async fn change(&self, mut request: v1::ChangeAgentEventsRequest) -> Result<(), Error> {
        if !self.changeable {
            return Err(Error::Usage(
                "only a stream whose request is `changeable` can be changed".to_owned(),
            ));
        }
        request.tenant.clone_from(&self.tenant);
        let mut ids = self.changes.stream_id.subscribe();
        loop {
            let id = match ids.wait_for(Option::is_some).await {
                Ok(id) => id.clone().unwrap_or_default(),
                Err(_) => return Err(Error::Closed),
            };
            if id.is_empty() {
                return Err(Error::Closed);
            }
            request.stream_id.clone_from(&id);
            match self.client.change_agent_events(request.clone()).await {
                Ok(response) if self.changes.accept(response.revision, &request) => return Ok(()),
                // Accepted for a connection that is over meanwhile.
                Ok(_) => {}
                Err(error) if error.reason() == "STREAM_UNKNOWN" && !self.changes.is_now(&id) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl std::fmt::Debug for Changer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Changer").finish_non_exhaustive()
    }
}

impl Changes {
    /// The conversations to ask for.
    pub(super) fn conversation_ids(&self) -> Vec<String> {
        self.state().conversation_ids.clone()
    }

    /// The stream is connected, under this name.
    pub(super) fn connected(&self, stream_id: &str) {
        self.state().told = 0;
        self.stream_id.send_replace(Some(stream_id.to_owned()));
    }

    /// The connection is over.
    pub(super) fn broke(&self) {
        self.stream_id.send_replace(None);
        let mut state = self.state();
        let accepted = std::mem::take(&mut state.accepted);
        let lost = std::mem::take(&mut state.lost);
        state.lost = accepted.into_values().chain(lost).collect();
    }

    /// There will be no connection any more.
    pub(super) fn over(&self) {
        self.stream_id.send_replace(Some(String::new()));
    }

    /// The stream told that this change and those before it hold.
    pub(super) fn told(&self, revision: u64) {
        let mut state = self.state();
        state.told = revision;
        state.settle();
    }

    pub(super) fn has_lost(&self) -> bool {
        !self.state().lost.is_empty()
    }

    /// Makes anew what was accepted and never told of, as far as this connection lets it.
    pub(super) async fn make_anew(&self, client: &Client) -> Result<(), Error> {
        loop {
            let (first, id) = (
                self.state().lost.first().cloned(),
                self.stream_id.borrow().clone(),
            );
            let (Some(mut request), Some(id)) = (first, id) else {
                return Ok(());
            };
            request.stream_id = id;
            match client.change_agent_events(request.clone()).await {
                Ok(response) => {
                    self.state().lost.remove(0);
                    self.accept(response.revision, &request);
                }
                // This connection may be over; what comes next tries again.
                Err(error) if passes(&error) || error.reason() == "STREAM_UNKNOWN" => {
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the stream that accepted a change is still the stream.
    fn accept(&self, revision: u64, request: &v1::ChangeAgentEventsRequest) -> bool {
        let mut state = self.state();
        if !self.is_now(&request.stream_id) {
            return false;
        }
        state.accepted.insert(revision, request.clone());
        // The stream may have told of it before the call was answered.
        state.settle();
        true
    }

    fn is_now(&self, stream_id: &str) -> bool {
        self.stream_id.borrow().as_deref() == Some(stream_id)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn settle(&mut self) {
        while let Some(first) = self
            .accepted
            .first_entry()
            .filter(|first| *first.key() <= self.told)
        {
            let change = first.remove();
            self.conversation_ids
                .retain(|id| !change.remove_conversation_ids.contains(id));
            for id in change.add_conversation_ids {
                if !self.conversation_ids.contains(&id) {
                    self.conversation_ids.push(id);
                }
            }
        }
    }
}
