//! The stream of what agents do, which goes on over breaks.

mod breaks;
mod changes;
mod hooks;
mod options;
mod reader;

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::{Stream, future::BoxFuture};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    Client, Error,
    call::scope,
    v1::{self, agent_events_response::Payload},
};

use breaks::fails_at_gaps;
pub use changes::Changer;
pub use hooks::CursorHooks;
use hooks::Hooks;
pub use options::StreamOptions;
use reader::Reader;

/// Responses of `AgentEvents`, each once and in order: events, heartbeats, gaps and endings.
///
/// It reads from when it is made, and ends when it is dropped. After a break it connects again by itself, from the last response that
/// it received, for as long as it takes; `tracing` tells of each break. What connecting again cannot mend is its last item, an
/// error. At most 64 responses ([`StreamOptions::buffer`]) that were not asked for are held, besides 256 KiB that HTTP/2 reads ahead.
pub struct AgentEvents {
    responses: mpsc::Receiver<Result<v1::AgentEventsResponse, Error>>,
    stop: CancellationToken,
    /// What reads; `None`: it is known to be over.
    task: Option<JoinHandle<()>>,
    changer: Changer,
    cursor: Bytes,
    hooks: Option<Arc<dyn Hooks>>,
    /// The cursor of the response that was given last, which the application is working on.
    unsaved: Option<Bytes>,
    fails_at_gaps: bool,
    /// No cursor is saved from a gap on that fails the stream: who starts again is to see it again.
    failing: bool,
    saving: Option<BoxFuture<'static, Result<(), Error>>>,
    ended: bool,
}

impl Client {
    /// Streams what happens, from the start that the request names: see [`AgentEvents`].
    pub fn agent_events(&self, request: v1::AgentEventsRequest) -> AgentEvents {
        self.agent_events_with(request, StreamOptions::default())
    }

    /// [`agent_events`](Self::agent_events), told more of how to go on and where the cursor is kept.
    pub fn agent_events_with(
        &self,
        mut request: v1::AgentEventsRequest,
        options: StreamOptions,
    ) -> AgentEvents {
        scope(&mut request.tenant, &self.settings().tenant);
        let (given, responses) = mpsc::channel(options.buffer);
        let stop = self.closed().child_token();
        let changer = Changer::new(self.clone(), &request);
        let cursor = match &request.start {
            Some(v1::agent_events_request::Start::Cursor(cursor)) => cursor.clone(),
            _ => Bytes::new(),
        };
        let (hooks, fails_at_gaps) = (options.hooks.clone(), fails_at_gaps(&request));
        let reader = Reader::new(self.clone(), request, options, changer.changes(), given);
        let stopped = stop.clone();
        let task = self.tasks().spawn(async move {
            tokio::select! {
                biased;
                () = stopped.cancelled() => {}
                () = reader.run() => {}
            }
        });
        AgentEvents {
            responses,
            stop,
            task: Some(task),
            changer,
            cursor,
            hooks,
            unsaved: None,
            fails_at_gaps,
            failing: false,
            saving: None,
            ended: false,
        }
    }

    /// Streams the events of a named subscription from its committed place on; [`commit_cursor`](Self::commit_cursor) moves it. After a
    /// break it goes on behind what was committed by then. For more than the name, set `subscription` in the request of
    /// [`agent_events`](Self::agent_events).
    pub fn subscription_events(&self, subscription: impl Into<String>) -> AgentEvents {
        self.agent_events(v1::AgentEventsRequest {
            subscription: subscription.into(),
            ..Default::default()
        })
    }
}

impl AgentEvents {
    /// The place behind the response that was given last: store it with what came of that response. Empty: there is none yet.
    pub fn cursor(&self) -> &Bytes {
        &self.cursor
    }

    /// What changes the conversations of the stream, which must be `changeable`.
    pub fn changer(&self) -> Changer {
        self.changer.clone()
    }

    /// Ends the stream. Where there are hooks, the cursor of the response that was given last is saved: come back from it first.
    pub async fn close(&mut self) -> Result<(), Error> {
        self.stop.cancel();
        std::future::poll_fn(|context| self.poll_task(context)).await;
        std::future::poll_fn(|context| self.poll_save(context)).await
    }

    /// Waits until the task is over, and goes on with its panic, which may be one of the application's own functions.
    fn poll_task(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(task) = &mut self.task else {
            return Poll::Ready(());
        };
        let over = ready!(Pin::new(task).poll(context));
        self.task = None;
        match over {
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            _ => Poll::Ready(()),
        }
    }

    /// Saves what is behind the application.
    fn poll_save(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            if let Some(saving) = &mut self.saving {
                let saved = ready!(saving.as_mut().poll(context));
                self.saving = None;
                return Poll::Ready(saved);
            }
            match (self.unsaved.take(), &self.hooks) {
                (Some(cursor), Some(hooks)) => self.saving = Some(Arc::clone(hooks).save(cursor)),
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl Stream for AgentEvents {
    type Item = Result<v1::AgentEventsResponse, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if let Err(error) = ready!(self.poll_save(context)) {
            self.ended = true;
            self.stop.cancel();
            return Poll::Ready(Some(Err(error)));
        }
        // What is still held when the client is closed is not given any more.
        let next = if self.stop.is_cancelled() {
            None
        } else {
            ready!(self.responses.poll_recv(context))
        };
        match &next {
            Some(Ok(response)) if !response.cursor.is_empty() => {
                self.cursor = response.cursor.clone();
                self.failing |= self.fails_at_gaps && matches!(response.payload, Some(Payload::Gap(_)));
                self.unsaved = (!self.failing).then(|| response.cursor.clone());
            }
            Some(Ok(_)) => {}
            Some(Err(_)) => self.ended = true,
            None => {
                ready!(self.poll_task(context));
                self.ended = true;
            }
        }
        Poll::Ready(next)
    }
}

impl Drop for AgentEvents {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl fmt::Debug for AgentEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentEvents")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
