//! All receivers, each with a port and a path of its own, as those of different customers have.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{any, post},
};
use serde::Deserialize;
use tokio::{
    net::{TcpListener, TcpSocket},
    time::sleep,
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    Result,
    cast::Kind,
    receiver::Receiver,
    signature::{Keys, Signed},
    vendor,
};

/// How long a slow one takes, in milliseconds.
const SLOW_MS: std::ops::Range<u64> = 2000..4000;
/// How far the time of a transmission may be off.
const FRESH_MS: u64 = 60_000;
const BACKLOG: u32 = 1024;

/// An event as v2 has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Event {
    event_type: String,
    message_type: String,
    conversation_id: String,
    #[serde(rename = "timestamp")]
    _timestamp: u64,
    agent_id: String,
    #[serde(rename = "agentName")]
    _agent_name: String,
    message: String,
}

/// Receivers by their number.
pub struct Receivers {
    pub all: Vec<Receiver>,
    keys: Keys,
    troubled: AtomicBool,
    failing: AtomicBool,
    /// How many deliveries a silent one has been kept waiting with.
    pub held: AtomicU64,
}

impl Receivers {
    pub fn new(count: usize, keys: Keys) -> Self {
        Self {
            all: (0..count).map(|number| Receiver::new(Kind::of(number))).collect(),
            keys,
            troubled: AtomicBool::new(false),
            failing: AtomicBool::new(false),
            held: AtomicU64::new(0),
        }
    }

    /// Slow ones begin to be slow, failing ones to fail, and silent ones fall silent.
    pub fn trouble(&self) {
        self.troubled.store(true, Ordering::Relaxed);
        self.failing.store(true, Ordering::Relaxed);
    }

    /// Failing ones are good again.
    pub fn recover(&self) {
        self.failing.store(false, Ordering::Relaxed);
    }

    /// All are good again.
    pub fn calm(&self) {
        self.recover();
        self.troubled.store(false, Ordering::Relaxed);
    }

    fn is(&self, what: &AtomicBool) -> bool {
        what.load(Ordering::Relaxed)
    }

    /// What came, if it is what v2 says; otherwise what is wrong.
    async fn read(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> std::result::Result<(u64, String, Signed), String> {
        let signed = self.keys.check(headers, body).await?;
        if signed.tenant != vendor::TENANT {
            return Err(format!("the tenant is {:?}", signed.tenant));
        }
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = u64::try_from(now_ms.as_millis()).unwrap_or(u64::MAX);
        if now_ms.abs_diff(signed.sent_ms) > FRESH_MS {
            return Err(format!(
                "it says it was sent at {}, and it is {now_ms}",
                signed.sent_ms
            ));
        }
        let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes());
        if kind != Some(b"application/json".as_slice()) {
            return Err(format!("the content type is {kind:?}"));
        }
        let (event, conversation) = parse(body)?;
        Ok((event, conversation, signed))
    }

    async fn answer(&self, number: usize, headers: &HeaderMap, body: &[u8]) -> Response {
        let Some(receiver) = self.all.get(number) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        if receiver.kind.is_dead() && self.is(&self.troubled) {
            self.held.fetch_add(1, Ordering::Relaxed);
            return std::future::pending().await;
        }
        let (event, conversation, signed) = match self.read(headers, body).await {
            Ok(read) => read,
            Err(problem) => {
                receiver.wrong(problem);
                return StatusCode::BAD_REQUEST.into_response();
            }
        };
        let visit = receiver.arrives(event, conversation, signed);
        match receiver.kind {
            Kind::Slow if self.is(&self.troubled) => {
                sleep(Duration::from_millis(rand::random_range(SLOW_MS))).await;
            }
            Kind::Failing(status) if self.is(&self.failing) => return failure(status, number),
            _ => {}
        }
        visit.take();
        StatusCode::NO_CONTENT.into_response()
    }
}

/// The number of a text event and its conversation.
fn parse(body: &[u8]) -> std::result::Result<(u64, String), String> {
    let shown = || String::from_utf8_lossy(body).into_owned();
    let event: Event = serde_json::from_slice(body).map_err(|error| format!("{error}: {}", shown()))?;
    let number = event
        .message
        .strip_prefix("Message ")
        .and_then(|rest| rest.strip_suffix(" of a customer's conversation with an agent."))
        .and_then(|number| number.parse().ok());
    let is_text = (event.event_type.as_str(), event.message_type.as_str()) == ("TEXT", "AGENT");
    match number {
        Some(number) if is_text && event.agent_id == "maria" => Ok((number, event.conversation_id)),
        _ => Err(format!("it is no event of the load: {}", shown())),
    }
}

fn failure(status: StatusCode, number: usize) -> Response {
    match status {
        StatusCode::TOO_MANY_REQUESTS => (status, [(header::RETRY_AFTER, "2")]).into_response(),
        StatusCode::FOUND => (status, [(header::LOCATION, format!("/elsewhere/{number}"))]).into_response(),
        _ => status.into_response(),
    }
}

async fn hook(
    State(receivers): State<Arc<Receivers>>,
    Path(number): Path<usize>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    receivers.answer(number, &headers, &body).await
}

/// Where redirects lead, which nobody is to follow.
async fn elsewhere(State(receivers): State<Arc<Receivers>>, Path(number): Path<usize>) -> StatusCode {
    if let Some(receiver) = receivers.all.get(number) {
        receiver.wrong("a redirect was followed".to_owned());
    }
    StatusCode::NO_CONTENT
}

/// A port that serves receivers, or refuses connections for a while.
struct Door {
    address: SocketAddr,
    state: DoorState,
}

enum DoorState {
    Open(AbortOnDropHandle<()>),
    /// Bound, so that nobody else gets the port, and not listened at.
    Shut(TcpSocket),
    Moving,
}

impl Door {
    fn open(listener: TcpListener, routes: Router) -> Result<Self> {
        let address = listener.local_addr()?;
        let served = tokio::spawn(async move {
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self {
            address,
            state: DoorState::Open(AbortOnDropHandle::new(served)),
        })
    }

    async fn shut(&mut self) -> Result<()> {
        if let DoorState::Open(served) = std::mem::replace(&mut self.state, DoorState::Moving) {
            served.abort();
            let _ = served.await;
        }
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        self.state = DoorState::Shut(socket);
        Ok(())
    }

    fn reopen(&mut self, routes: Router) -> Result<()> {
        if let DoorState::Shut(socket) = std::mem::replace(&mut self.state, DoorState::Moving) {
            *self = Self::open(socket.listen(BACKLOG)?, routes)?;
        }
        Ok(())
    }
}

/// The ports of all receivers, by their number.
pub struct Doors {
    routes: Router,
    doors: Vec<Door>,
    refusing: Vec<usize>,
}

impl Doors {
    /// Opens them on free loopback ports.
    pub async fn open(receivers: &Arc<Receivers>) -> Result<Self> {
        let routes = Router::new()
            .route("/hook/{number}", post(hook))
            .route("/elsewhere/{number}", any(elsewhere))
            .with_state(Arc::clone(receivers));
        let (mut doors, mut refusing) = (Vec::new(), Vec::new());
        for (number, receiver) in receivers.all.iter().enumerate() {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            doors.push(Door::open(listener, routes.clone())?);
            if receiver.kind == Kind::Refusing {
                refusing.push(number);
            }
        }
        Ok(Self {
            routes,
            doors,
            refusing,
        })
    }

    /// The address of a receiver.
    pub fn uri(&self, number: usize) -> String {
        format!("http://{}/hook/{number}", self.doors[number].address)
    }

    /// Lets those refuse connections that are to.
    pub async fn shut(&mut self) -> Result<()> {
        for number in &self.refusing {
            self.doors[*number].shut().await?;
        }
        Ok(())
    }

    /// Nobody refuses connections any more.
    pub fn reopen(&mut self) -> Result<()> {
        for number in &self.refusing {
            self.doors[*number].reopen(self.routes.clone())?;
        }
        Ok(())
    }
}
