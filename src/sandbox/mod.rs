//! Plays 8x8 on your own machine: the vendor's REST API, agents who answer by a script, and signed webhooks.
//!
//! It shares no code with the rest of the crate, on purpose: it is what the rest is tried against, so a slip in one must
//! not hide a slip in the other. `docs/sandbox.md` is its manual.
//!
//! - `floor`: conversations, queues and agents, with no HTTP in it. What happens there leaves as events in one place.
//! - `delivery`: the webhooks; signs events and brings them there, in order for each conversation.
//! - `faults`: what is to go wrong, with calls and with webhooks.
//! - `feed`: what happens, as it happens, for whoever looks on.
//! - `files`, `links`: the bytes of attachments, and the addresses at which they can be had.
//! - `rest`: the vendor's API, one file for each resource.
//! - `state`: all of it as one document, to be saved and loaded.
//! - `control`: the API of this sandbox itself, for people and tests.
//! - `pages`: the agent's desk, the customer's page and the wire, which use that API in a browser.
//! - `site`: keeps the web pages of others out.
//! - `translator`: asks a translator, where one is set up.

mod control;
mod delivery;
mod faults;
mod feed;
mod files;
mod floor;
mod links;
mod pace;
mod pages;
mod rest;
mod site;
mod state;
mod strict;
mod translator;

use std::{
    future::IntoFuture as _,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Router, middleware::from_fn};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::{net::TcpListener, sync::Notify, time::Instant};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

pub(crate) use self::delivery::DEFAULT_WEBHOOK;
use self::{
    delivery::{Dispatcher, DispatcherSettings},
    files::Files,
    floor::{Floor, house::House},
    links::Links,
    translator::Translator,
};
pub use self::{
    pace::{Pace, PaceError},
    translator::{TranslatorError, TranslatorSettings},
};

/// How a sandbox is set up. The default is a whole one, without a webhook.
#[derive(Clone)]
pub struct SandboxSettings {
    /// The one tenant that it serves.
    pub tenant: String,
    /// The customer who owns the tenant: signed into each webhook.
    pub customer_id: String,
    /// The key that the REST API asks for.
    pub api_key: String,
    /// Where events go; it can be set later too. It may carry a secret and is never logged.
    pub webhook: Option<Url>,
    /// Where this sandbox is reached, as the addresses of attachments name it. [`serve`] puts its listener's in its place.
    pub base: String,
    /// How long agents take.
    pub pace: Pace,
    /// Makes the agents' choice of words and their delays repeatable, for the same calls in the same order. Identifiers are always random: a receiver that
    /// remembers events would take those of a second run for repeats of the first.
    pub seed: Option<u64>,
    /// A file that [`open`] loads, if it is there, and [`Opened::serve`] saves what it holds into at the end.
    pub state: Option<PathBuf>,
    /// A file, YAML or JSON, with the set-up as `PUT /sandbox/v1/setup` takes it. [`open`] reads it, and puts it in the place of the
    /// one that `state` brought.
    pub setup: Option<PathBuf>,
    /// What translates for agents; without it nothing is translated, and the desk says so.
    pub translator: Option<TranslatorSettings>,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self {
            tenant: "sandbox".to_owned(),
            customer_id: "sandbox-customer".to_owned(),
            api_key: "sandbox-key".to_owned(),
            webhook: None,
            base: "http://127.0.0.1:8088".to_owned(),
            pace: Pace::human(),
            seed: None,
            state: None,
            setup: None,
            translator: None,
        }
    }
}

impl std::fmt::Debug for SandboxSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SandboxSettings")
            .field("tenant", &self.tenant)
            .field("customer_id", &self.customer_id)
            .field("webhook", &self.webhook.as_ref().map(Url::host_str))
            .field("base", &self.base)
            .field("pace", &self.pace)
            .field("seed", &self.seed)
            .field("state", &self.state)
            .field("setup", &self.setup)
            .field("translator", &self.translator)
            .finish_non_exhaustive()
    }
}

/// Why a sandbox could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// There is no asynchronous runtime to deliver from.
    #[error("a sandbox delivers in the background, so it can only be made inside a Tokio runtime")]
    NoRuntime,
    /// The address of the webhook cannot be posted to.
    #[error("the webhook's URL must begin with http:// or https://, not {0}:")]
    WebhookScheme(String),
    /// The signing key could not be made.
    #[error("the signing key could not be generated")]
    Key,
    /// The HTTP client could not be made.
    #[error("the HTTP client for webhooks could not be made: {0}")]
    Client(#[from] reqwest::Error),
    /// The translator cannot be asked.
    #[error("{0}")]
    Translator(#[from] TranslatorError),
}

/// A running sandbox. Agents and deliveries stop when it and the last of its routers are dropped, or at [`Sandbox::stop`].
pub struct Sandbox(Arc<Inner>);

pub(crate) struct Inner {
    tenant: String,
    api_key: String,
    floor: Mutex<Floor>,
    files: Files,
    links: Arc<Links>,
    wake: Arc<Notify>,
    dispatcher: Dispatcher,
    translator: Option<Translator>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl Sandbox {
    /// Makes a sandbox and starts its agents and deliveries. If a webhook is set, it is verified at once.
    pub fn new(settings: SandboxSettings) -> Result<Self, SandboxError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| SandboxError::NoRuntime)?;
        let stop = CancellationToken::new();
        let translator = settings.translator.map(Translator::new).transpose()?;
        let dispatcher = Dispatcher::new(DispatcherSettings {
            tenant: settings.tenant.clone(),
            customer_id: settings.customer_id,
            webhook: settings.webhook,
            stop: stop.clone(),
        })?;
        let base = settings.base.trim_end_matches('/').to_owned();
        let links = Arc::new(Links::new(base));
        let floor = Floor::new(
            House::new(),
            dispatcher.clone(),
            Arc::clone(&links),
            settings.pace,
            settings.seed,
        );
        let inner = Arc::new(Inner {
            tenant: settings.tenant,
            api_key: settings.api_key,
            floor: Mutex::new(floor),
            files: Files::new(),
            links,
            wake: Arc::new(Notify::new()),
            dispatcher,
            translator,
            _stop_on_drop: stop.clone().drop_guard(),
            stop: stop.clone(),
        });
        runtime.spawn(drive(Arc::downgrade(&inner), Arc::clone(&inner.wake), stop));
        Ok(Self(inner))
    }

    /// Everything it serves: `/chat-gateway/v1`, `/api/v1` and the addresses of attachments as the vendor does,
    /// `/sandbox/v1`, and the pages `/desk`, `/customer` and `/wire`. All of it is reached by an IP address or as
    /// localhost only.
    pub fn router(&self) -> Router {
        rest::router(&self.0)
            .nest("/sandbox/v1", control::router())
            .merge(pages::router())
            .layer(from_fn(site::guard))
            .with_state(Arc::clone(&self.0))
    }

    /// Ends agents and deliveries and waits for them. What was not delivered yet is lost.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.dispatcher.stopped().await;
    }
}

/// How long calls that are under way at the end may still take: an upload can stand still for ever.
const GRACE: Duration = Duration::from_secs(2);

/// A sandbox with a listener, ready to be served.
pub struct Opened {
    sandbox: Sandbox,
    listener: TcpListener,
    state: Option<PathBuf>,
}

/// Makes a sandbox for `listener`, with what its files hold. The control API asks for no credentials, so `listener` must be on
/// loopback: anything else is an error of kind `InvalidInput`, as are settings and files that do not make a sandbox.
pub async fn open(mut settings: SandboxSettings, listener: TcpListener) -> std::io::Result<Opened> {
    let invalid = |why: String| std::io::Error::new(std::io::ErrorKind::InvalidInput, why);
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(invalid(format!(
            "the sandbox serves only on a loopback address such as 127.0.0.1, not on {}",
            address.ip()
        )));
    }
    settings.base = format!("http://{address}");
    let (state, setup) = (settings.state.take(), settings.setup.take());
    let sandbox = Sandbox::new(settings).map_err(|error| invalid(error.to_string()))?;
    if let Some(path) = &state {
        sandbox.0.load_from(path).await?;
    }
    if let Some(path) = &setup {
        sandbox.0.set_up_from(path).await?;
    }
    Ok(Opened {
        sandbox,
        listener,
        state,
    })
}

impl Opened {
    /// Serves until `shutdown`, then saves where the settings named a file for it.
    pub async fn serve(self, shutdown: CancellationToken) -> std::io::Result<()> {
        let late = async {
            shutdown.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        let served = axum::serve(self.listener, self.sandbox.router())
            .with_graceful_shutdown(shutdown.clone().cancelled_owned());
        let served = tokio::select! {
            served = served.into_future() => served,
            () = late => Ok(()),
        };
        self.sandbox.stop().await;
        if let Some(path) = &self.state {
            self.sandbox.0.save_to(path).await?;
        }
        served
    }
}

/// Opens a sandbox and serves it until `shutdown`; errors are those of [`open`] and [`Opened::serve`].
pub async fn serve(
    settings: SandboxSettings,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    open(settings, listener).await?.serve(shutdown).await
}

impl Inner {
    /// Lets `act` act on the floor, and wakes the agents in case it gave them something to do.
    fn floor<T>(&self, act: impl FnOnce(&mut Floor) -> T) -> T {
        let result = act(&mut locked(&self.floor));
        self.wake.notify_one();
        result
    }
}

/// Does what is due on the floor until the sandbox is gone.
async fn drive(inner: Weak<Inner>, wake: Arc<Notify>, stop: CancellationToken) {
    loop {
        let Some(next) = inner.upgrade().map(|i| locked(&i.floor).run_due(Instant::now())) else {
            return;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = wake.notified() => {}
            () = sleep_until(next) => {}
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Locks, also after a holder panicked: each change leaves the data whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Unix milliseconds.
fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A random identifier as the vendor's look: 22 URL-safe characters.
fn new_id() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}

/// ISO 8601 in UTC.
fn iso(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_string()
}
