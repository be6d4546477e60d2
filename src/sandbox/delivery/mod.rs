//! Brings events to webhooks: signed, in order for each conversation, again until the answer is 2xx.

mod event;
mod log;
mod signer;
mod verify;
mod webhooks;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

pub(crate) use self::{
    event::Event,
    log::{DeliveryLog, Record},
    webhooks::{Address, DEFAULT_WEBHOOK, Webhook, Webhooks},
};
use self::{
    log::{Attempt, Outcome},
    signer::Signer,
};
use super::{SandboxError, locked, now_ms};

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
    signer: Signer,
    client: reqwest::Client,
    webhooks: Mutex<Webhooks>,
    lanes: Mutex<Lanes>,
    log: Mutex<DeliveryLog>,
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
            signer: Signer::generate()?,
            // The webhook is near; a proxy of the environment is not meant for it. A redirect is not a 2xx.
            client: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(TIMEOUT)
                .build()?,
            webhooks: Mutex::default(),
            lanes: Mutex::default(),
            log: Mutex::default(),
            in_flight: Semaphore::new(IN_FLIGHT),
            tasks: TaskTracker::new(),
            runtime: Handle::try_current().map_err(|_| SandboxError::NoRuntime)?,
            stop: settings.stop,
        }));
        it.set_webhook(settings.webhook)?;
        Ok(it)
    }

    /// The public key under `kid`, as a JWK.
    pub(crate) fn jwk(&self, kid: &str) -> Option<&serde_json::Value> {
        (self.0.signer.kid() == kid).then(|| self.0.signer.jwk())
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

    /// Sends an event behind those of its conversation that wait. Without a webhook it is only logged.
    pub(crate) fn send(&self, event: Event) {
        self.log(|log| log.open(&event));
        if self.webhooks(|all| all.target(&event.webhook_id)).is_none() {
            self.log(|log| log.close(&event.id, Outcome::NoWebhook));
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
            return self.log(|log| log.close(&event.id, Outcome::Dropped));
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
    async fn work_on(self: Arc<Self>, lane_id: LaneId) {
        while let Some(event) = self.next(&lane_id) {
            let bytes = event.body.len();
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = self.deliver(event) => {}
            }
            locked(&self.lanes).bytes -= bytes;
        }
    }

    fn next(&self, lane_id: &LaneId) -> Option<Event> {
        let mut lanes = locked(&self.lanes);
        let next = lanes.events.get_mut(lane_id).and_then(VecDeque::pop_front);
        match next {
            Some(_) => lanes.waiting -= 1,
            None => drop(lanes.events.remove(lane_id)),
        }
        next
    }

    async fn deliver(&self, mut event: Event) {
        let attempts = match event.conversation_id {
            Some(_) => ATTEMPTS,
            None => VERIFY_ATTEMPTS,
        };
        let mut delay = FIRST_DELAY;
        for attempt in 1..=attempts {
            let target = locked(&self.webhooks).target(&event.webhook_id);
            let outcome = match target {
                Some(url) => self.attempt(&event, url).await,
                None => Attempt::unanswered("no webhook is set any more", Duration::ZERO),
            };
            let delivered = outcome.delivered();
            locked(&self.log).attempted(&event, &outcome);
            if delivered {
                return locked(&self.log).close(&event.id, Outcome::Delivered);
            }
            if attempt < attempts {
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(LONGEST_DELAY);
                event.retry += 1;
            }
        }
        tracing::warn!(
            event = event.id,
            kind = event.event_type,
            "the sandbox gave up on a webhook"
        );
        locked(&self.log).close(&event.id, Outcome::Failed);
    }

    async fn attempt(&self, event: &Event, url: Url) -> Attempt {
        // Only the stopping of the semaphore fails this, and nobody stops it.
        let _permit = self.in_flight.acquire().await;
        let sent_ms = now_ms();
        let Some(signature) = self
            .signer
            .sign(&event.parcel(&self.tenant, &self.customer_id, sent_ms))
        else {
            return Attempt::unanswered("the event could not be signed", Duration::ZERO);
        };
        let begun = Instant::now();
        let answer = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("x-8x8-tenant-id", &self.tenant)
            .header("x-8x8-customer-id", &self.customer_id)
            .header("x-8x8-event-id", &event.id)
            .header("x-8x8-transmission-time", sent_ms)
            .header("x-8x8-retry", event.retry)
            .header("x-8x8-signature", signature)
            .body(event.body.clone())
            .send()
            .await;
        match answer {
            Ok(answer) => Attempt::answered(answer.status().as_u16(), begun.elapsed()),
            Err(error) if error.is_timeout() => Attempt::unanswered("no answer within 10 s", begun.elapsed()),
            Err(error) if error.is_connect() => Attempt::unanswered("connecting failed", begun.elapsed()),
            Err(_) => Attempt::unanswered("the connection broke", begun.elapsed()),
        }
    }
}
