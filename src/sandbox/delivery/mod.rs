//! Brings events to webhooks: signed, in order for each conversation, again until the answer is 2xx.

mod event;
mod lane;
mod log;
mod parcel;
mod signer;
mod verify;
mod webhooks;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{runtime::Handle, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

pub(crate) use self::{
    event::Event,
    log::{Call, DeliveryLog, Record},
    webhooks::{Address, DEFAULT_WEBHOOK, Webhook, Webhooks, is_loopback},
};
use self::{log::Outcome, signer::Keys};
use super::{SandboxError, faults::Faults, feed::Feed, locked};

/// Attempts for an event; with the delays between them about a minute and a half.
const ATTEMPTS: u32 = 20;
/// Attempts for a verification, which nobody waits for.
const VERIFY_ATTEMPTS: u32 = 5;
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many deliveries are under way at once.
const IN_FLIGHT: usize = 64;
/// How many events may wait, over all conversations, and how many bytes of bodies.
const WAITING: usize = 50_000;
const WAITING_BYTES: usize = 256 << 20;

/// What deliveries need to know.
pub(crate) struct DispatcherSettings {
    pub(crate) tenant: String,
    pub(crate) customer_id: String,
    pub(crate) webhook: Option<Url>,
    pub(crate) stop: CancellationToken,
}

/// Brings events to the webhook. Clones share one.
#[derive(Clone)]
pub(crate) struct Dispatcher(Arc<Shared>);

struct Shared {
    tenant: String,
    customer_id: String,
    keys: Mutex<Keys>,
    client: reqwest::Client,
    webhooks: Mutex<Webhooks>,
    lanes: Mutex<Lanes>,
    log: Mutex<DeliveryLog>,
    feed: Arc<Feed>,
    faults: Faults,
    in_flight: Semaphore,
    tasks: TaskTracker,
    runtime: Handle,
    stop: CancellationToken,
}

/// Events that wait.
#[derive(Default)]
struct Lanes {
    /// A lane is there as long as a task works on it.
    events: HashMap<LaneId, VecDeque<Event>>,
    /// How many events there are in all lanes.
    waiting: usize,
    /// How many bytes they have, those under way included.
    bytes: usize,
}

/// Conversation (empty: none) and webhook: what one webhook does not take holds back no other.
type LaneId = (String, String);

impl Dispatcher {
    /// Generates a key and verifies the webhook if there is one. Must be called inside a runtime.
    pub(crate) fn new(settings: DispatcherSettings) -> Result<Self, SandboxError> {
        let it = Self(Arc::new(Shared {
            tenant: settings.tenant,
            customer_id: settings.customer_id,
            keys: Mutex::new(Keys::generate()?),
            // The webhook is near; a proxy of the environment is not meant for it. A redirect is not a 2xx.
            client: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(TIMEOUT)
                .build()?,
            webhooks: Mutex::default(),
            lanes: Mutex::default(),
            log: Mutex::default(),
            feed: Arc::default(),
            faults: Faults::default(),
            in_flight: Semaphore::new(IN_FLIGHT),
            tasks: TaskTracker::new(),
            runtime: Handle::try_current().map_err(|_| SandboxError::NoRuntime)?,
            stop: settings.stop,
        }));
        it.set_webhook(settings.webhook)?;
        Ok(it)
    }

    /// The public key under `kid`, as a JWK.
    pub(crate) fn jwk(&self, kid: &str) -> Option<serde_json::Value> {
        locked(&self.0.keys).jwk(kid).cloned()
    }

    /// Signs with a new key from now on, and says its `kid`. Without `keep_old`, the old public keys can be had no longer.
    pub(crate) fn rotate_key(&self, keep_old: bool) -> Result<String, SandboxError> {
        // Made before the lock is taken, because it takes long.
        let new = signer::generate()?;
        Ok(locked(&self.0.keys).rotate(new, keep_old))
    }

    /// The live feed.
    pub(crate) fn feed(&self) -> &Arc<Feed> {
        &self.0.feed
    }

    /// What is to go wrong.
    pub(crate) fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// The tenant whose events these are.
    pub(crate) fn tenant(&self) -> &str {
        &self.0.tenant
    }

    /// The webhooks that are registered. Events that wait follow a change.
    pub(crate) fn webhooks<T>(&self, act: impl FnOnce(&mut Webhooks) -> T) -> T {
        act(&mut locked(&self.0.webhooks))
    }

    /// Sets where the default webhook is from now on, and verifies it.
    pub(crate) fn set_webhook(&self, webhook: Option<Url>) -> Result<(), SandboxError> {
        if let Some(url) = &webhook
            && !matches!(url.scheme(), "http" | "https")
        {
            return Err(SandboxError::WebhookScheme(url.scheme().to_owned()));
        }
        let verify = webhook.is_some();
        self.webhooks(|all| all.set_default(webhook.map(Address::trusted)));
        if verify {
            self.send(verify::event(DEFAULT_WEBHOOK, verify::VERSION));
        }
        Ok(())
    }

    /// The log of deliveries.
    pub(crate) fn log<T>(&self, read: impl FnOnce(&mut DeliveryLog) -> T) -> T {
        read(&mut locked(&self.0.log))
    }

    /// Writes a REST call into the log, and shows it on the feed.
    pub(crate) fn called(&self, call: &Call<'_>) {
        let record = self.log(|log| log.called(call));
        self.0.feed.push("delivery", || record.to_json());
    }

    /// Sends an event behind those of its conversation that wait. Without a webhook it is only logged.
    pub(crate) fn send(&self, event: Event) {
        self.0.opened(&event);
        if self.webhooks(|all| all.target(&event.webhook_id)).is_none() {
            self.0.close(&event.id, Outcome::NoWebhook);
            return;
        }
        self.enqueue(event);
    }

    /// Sends an event that is in the log once more, as a repeat; `false` if it is not there (any more).
    pub(crate) fn redeliver(&self, event_id: &str) -> bool {
        let Some(event) = self.log(|log| log.reopen(event_id)) else {
            return false;
        };
        self.enqueue(event);
        true
    }

    fn enqueue(&self, event: Event) {
        let conversation = event.conversation_id.clone().unwrap_or_default();
        let lane_id = (conversation, event.webhook_id.clone());
        let mut lanes = locked(&self.0.lanes);
        let bytes = lanes.bytes + event.body.len();
        if lanes.waiting >= WAITING || bytes > WAITING_BYTES {
            drop(lanes);
            return self.0.close(&event.id, Outcome::Dropped);
        }
        lanes.waiting += 1;
        lanes.bytes = bytes;
        if let Some(lane) = lanes.events.get_mut(&lane_id) {
            return lane.push_back(event);
        }
        lanes.events.insert(lane_id.clone(), VecDeque::from([event]));
        drop(lanes);
        let shared = Arc::clone(&self.0);
        self.0.tasks.spawn_on(shared.work_on(lane_id), &self.0.runtime);
    }

    /// Waits until no delivery is under way; they end by the token that the settings gave.
    pub(crate) async fn stopped(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

impl Shared {
    fn opened(&self, event: &Event) {
        locked(&self.log).open(event);
        self.show(&event.id);
    }

    fn close(&self, event_id: &str, outcome: Outcome) {
        locked(&self.log).close(event_id, outcome);
        self.show(event_id);
    }

    /// Shows on the feed how the record of an event is now.
    fn show(&self, event_id: &str) {
        self.feed.push("delivery", || {
            let log = locked(&self.log);
            log.find(event_id)
                .map_or(serde_json::Value::Null, Record::to_json)
        });
    }
}
