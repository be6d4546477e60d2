//! `AgentEventService`: one subscriber as a stream of responses.

mod body;
mod changing;
mod drain;
mod packed;
mod request;
mod rights;
mod server;
mod stream;
mod watchdog;

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use prost::Message as _;
use tonic::{Request, Response, Status};

pub use self::{
    changing::Bells,
    drain::Drain,
    server::Server,
    stream::StreamSettings,
    watchdog::{About, OpenStream, Reads, Watchdog},
};
use self::{changing::Changeable, rights::Rights, stream::EventStream};
use super::{
    asker::Asker,
    gate::{Admitted, Gate, Refused},
    line::Line,
    proto::{
        self, ChangeAgentEventsRequest, ChangeAgentEventsResponse,
        change_agent_events_request::Start as ChangeStart,
        unary::agent_event_service_server::AgentEventService,
    },
    source::{self, Source},
    traced::Delivering,
};
use crate::{
    access::{Access, Denied},
    error::Error,
    event::TenantId,
    fanout::{Hub, Start, Subscriber},
    grpc::convert,
    store::{StreamChange, StreamChanged, StreamKey},
    subscription::Subscriptions,
    tenant::Tenants,
};

/// How long a new stream waits for the live feed before it is refused.
const JOIN_WAIT: Duration = Duration::from_secs(1);
/// When whoever was one stream too many may try again.
const FULL_RETRY: Duration = Duration::from_secs(10);

/// The service.
pub struct Service {
    /// Where entries come from.
    pub hub: Arc<Hub>,
    /// Named subscriptions.
    pub subscriptions: Subscriptions,
    /// Whose they may be.
    pub tenants: Tenants,
    /// Who may read them.
    pub access: Access,
    /// How streams live and end.
    pub settings: Arc<StreamSettings>,
    /// How many streams there may be.
    pub gate: Arc<Gate>,
    /// The streams that may be changed.
    pub bells: Arc<Bells>,
    /// Sees to it that streams are read.
    pub watchdog: Arc<Watchdog>,
    /// Begins when the service stops.
    pub drain: Arc<Drain>,
}

#[tonic::async_trait]
impl AgentEventService for Service {
    async fn change_agent_events(
        &self,
        request: Request<ChangeAgentEventsRequest>,
    ) -> Result<Response<ChangeAgentEventsResponse>, Status> {
        let asker = Asker::of(&request);
        let mut request = request.into_inner();
        let tenant = asker.tenant_of(&self.tenants, &request.tenant)?;
        let change = request::change(&request, 0)?;
        if let Some(Start::Time(ms)) = change.add.front().map(|added| &added.start) {
            let now_ms = self.hub.store().now_ms().await.map_err(Error::from)?;
            let time = convert::timestamp(now_ms.min(*ms).cast_signed());
            request.start = Some(ChangeStart::Time(time));
        }
        let stream = StreamKey {
            tenant: tenant.id.clone(),
            id: request.stream_id.clone(),
        };
        let put = StreamChange {
            add: change.add.into_iter().map(|added| added.conversation).collect(),
            remove: change.remove,
            record: request.encode_to_vec().into(),
        };
        let changed = self.hub.store().streams().change(&stream, &put).await;
        let revision = match changed.map_err(Error::from)? {
            StreamChanged::Taken(revision) => revision,
            StreamChanged::Unknown => return Err(Error::UnknownStream.into()),
            StreamChanged::TooManyConversations => {
                return Err(full(
                    "the stream would have more than 1000 conversations: open another",
                    None,
                ));
            }
            StreamChanged::TooManyChanges => {
                let problem =
                    "the stream has taken up none of the last 1000 changes: read it, or open another";
                return Err(full(problem, Some(FULL_RETRY)));
            }
        };
        self.bells.ring(&stream.id);
        Ok(Response::new(ChangeAgentEventsResponse { revision }))
    }

    async fn commit_cursor(
        &self,
        request: Request<proto::CommitCursorRequest>,
    ) -> Result<Response<proto::CommitCursorResponse>, Status> {
        let asker = Asker::of(&request);
        let request = request.into_inner();
        let tenant = asker.tenant_of(&self.tenants, &request.tenant)?;
        let moved = source::commit(&self.subscriptions, &tenant.id, &request).await?;
        Ok(Response::new(proto::CommitCursorResponse { moved }))
    }
}

impl Service {
    /// Opens a stream for whoever calls over a connection.
    async fn open(
        &self,
        request: Request<proto::AgentEventsRequest>,
        line: Option<Line>,
    ) -> Result<EventStream, Status> {
        let asker = Asker::of(&request);
        let request = request.into_inner();
        if self.drain.has_begun() {
            return Err(Error::Draining.into());
        }
        let tenant = asker.tenant_of(&self.tenants, &request.tenant)?;
        let (filter, start, policy) = request::read(&request, tenant.id.clone())?;
        let named = source::named(&request, policy)?;
        let admitted = self.admit(line.as_ref().and_then(Line::address))?;
        let rights = self.rights(&asker, &tenant.id)?;
        let about = About {
            caller: asker.caller().name().into(),
            tenant: tenant.id.clone(),
            reads: reads(&request),
        };
        let settings = Arc::clone(&self.settings);
        let drain = Arc::clone(&self.drain);
        if let Some(reading) = named {
            // In a box, so that the others, of which there are many, do not have its size.
            let opened = Box::pin(
                self.subscriptions
                    .open(&tenant.id, &request.subscription, reading),
            );
            let source = Source::Named(opened.await?);
            let events = EventStream::new(source, request.include_raw, settings, drain, rights, admitted);
            let events = events.traced(Delivering::to(asker.caller()));
            return Ok(self.watched(events, line, about));
        }
        let hub = Arc::clone(&self.hub);
        let subscriber = if request.changeable {
            Subscriber::changeable(hub, filter, start, policy)
        } else {
            Subscriber::new(hub, filter, start, policy)
        };
        let mut subscriber = subscriber.with_lag_max(self.settings.lag_max);
        subscriber.join(JOIN_WAIT).await?;
        let changeable = if request.changeable {
            let store = Arc::clone(self.hub.store());
            let conversations = subscriber.conversations();
            let opened = Changeable::open(tenant.id.clone(), store, &self.bells, &conversations).await;
            Some(opened.map_err(Error::from)?)
        } else {
            None
        };
        let source = Source::Plain(Box::new(subscriber));
        let events = EventStream::new(source, request.include_raw, settings, drain, rights, admitted);
        let events = events.traced(Delivering::to(asker.caller()));
        let events = self.watched(events, line, about);
        Ok(match changeable {
            Some(changeable) => events.with_changes(changeable),
            None => events,
        })
    }

    /// The rights of a caller who opens a stream.
    fn rights(&self, asker: &Asker, tenant: &TenantId) -> Result<Rights, Error> {
        let caller = asker.caller();
        if caller.until().is_some_and(|until| until <= SystemTime::now()) {
            return Err(Denied::Expired.into());
        }
        let Some(place) = self.access.open_stream(caller) else {
            metrics::counter!("chatbridge_streams_refused_total", "limit" => "caller").increment(1);
            return Err(Error::StreamLimit {
                problem: "the caller has as many streams on this replica as it may: close one first",
                retry_after: Some(FULL_RETRY),
            });
        };
        Ok(Rights::new(&self.access, &self.tenants, caller, tenant, place))
    }

    fn watched(&self, events: EventStream, line: Option<Line>, about: About) -> EventStream {
        match line {
            Some(line) => events.watched(&self.watchdog, line, about),
            None => events,
        }
    }

    fn admit(&self, address: Option<IpAddr>) -> Result<Admitted, Status> {
        self.gate.admit(address).map_err(|refused| {
            let (limit, problem) = match refused {
                Refused::Total => (
                    "total",
                    "this replica has as many streams as it may: try again, or another one",
                ),
                Refused::Address => (
                    "address",
                    "this address has as many streams here as it may: close one first",
                ),
            };
            metrics::counter!("chatbridge_streams_refused_total", "limit" => limit).increment(1);
            full(problem, Some(FULL_RETRY))
        })
    }
}

fn reads(request: &proto::AgentEventsRequest) -> Reads {
    if !request.subscription.is_empty() {
        return Reads::Subscription(request.subscription.as_str().into());
    }
    match request.conversation_ids.len() {
        0 if !request.changeable => Reads::All,
        count => Reads::Conversations(count),
    }
}

fn full(problem: &'static str, retry_after: Option<Duration>) -> Status {
    Error::StreamLimit { problem, retry_after }.into()
}
