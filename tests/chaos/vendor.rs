//! Plays the vendor: signs webhooks, serves the key, and delivers again what was not answered 2xx.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize, PublicKeyComponents},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use axum::{Json, Router, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use crate::{
    Result,
    ledger::{Answer, Attempt, Ledger},
};

pub const TENANT: &str = "acme";

/// How many partitions the log has.
pub const PARTITIONS: u16 = 16;

const KID: &str = "chaos-key";

/// How long the vendor waits for an answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Events that wait for their 2xx at most: past that the vendor makes no new ones, so that an outage does not pile them up.
const WAITING: usize = 400;

/// What kind of load it makes.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// New events a second.
    pub per_second: f64,
    /// Conversations that they are spread over.
    pub conversations: usize,
    /// Share of the events that are delivered again although they were answered 2xx, or twice at once.
    pub doubled: f64,
    /// Share of the events that leave late, behind others of their conversation.
    pub late: f64,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            per_second: 200.0,
            conversations: 40,
            doubled: 0.05,
            late: 0.05,
        }
    }
}

struct Signer {
    key: KeyPair,
    http: reqwest::Client,
    doors: Vec<SocketAddr>,
    ledger: Arc<Ledger>,
    /// No event is delivered any more, whatever became of it.
    over: AtomicBool,
    waiting: AtomicUsize,
}

/// The vendor. It stops when dropped.
pub struct Vendor {
    /// Base URL of its key endpoint.
    pub url: String,
    signer: Arc<Signer>,
    stop: Arc<AtomicBool>,
    load: Option<JoinHandle<()>>,
    keys: JoinHandle<()>,
}

impl Vendor {
    /// Serves the key, and will deliver to these doors.
    pub async fn start(doors: Vec<SocketAddr>, ledger: Arc<Ledger>) -> Result<Self> {
        let key = KeyPair::generate(KeySize::Rsa2048).map_err(|_| "no signing key can be made")?;
        let public = PublicKeyComponents::<Vec<u8>>::from(key.public_key());
        let jwk = json!({
            "kty": "RSA", "kid": KID, "alg": "RS256", "use": "sig",
            "n": URL_SAFE_NO_PAD.encode(public.n), "e": URL_SAFE_NO_PAD.encode(public.e),
        });
        let path = format!("/chat-gateway/v1/jwk/{KID}/public");
        let routes = Router::new().route(&path, get(async || Json(jwk)));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let keys = tokio::spawn(async move {
            let _ = axum::serve(listener, routes).await;
        });
        let signer = Signer {
            key,
            http: reqwest::Client::builder()
                .no_proxy()
                .tcp_nodelay(true)
                .timeout(ANSWERS_WITHIN)
                .build()?,
            doors,
            ledger,
            over: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
        };
        Ok(Self {
            url,
            signer: Arc::new(signer),
            stop: Arc::default(),
            load: None,
            keys,
        })
    }

    /// Begins to make events, of conversations of its own.
    pub fn begin(&mut self, load: Load, seed: u64) {
        let own = (0..load.conversations).map(conversation).collect();
        self.begin_in(own, load, seed);
    }

    /// Begins to make events of these conversations, however many the load names.
    pub fn begin_in(&mut self, conversations: Vec<String>, load: Load, seed: u64) {
        let signer = Arc::clone(&self.signer);
        let stop = Arc::clone(&self.stop);
        let dice = StdRng::seed_from_u64(seed);
        self.load = Some(tokio::spawn(make(signer, load, conversations, stop, dice)));
    }

    /// Makes no new events, and delivers those that wait for so long at most. Answers how many were given up.
    pub async fn finish(&mut self, patience: Duration) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let begun = Instant::now();
        while self.signer.waiting.load(Ordering::Relaxed) > 0 && begun.elapsed() < patience {
            sleep(Duration::from_millis(20)).await;
        }
        let left = self.signer.waiting.load(Ordering::Relaxed);
        self.signer.over.store(true, Ordering::Relaxed);
        if let Some(load) = self.load.take() {
            let _ = load.await;
        }
        left
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.keys.abort();
        if let Some(load) = &self.load {
            load.abort();
        }
    }
}

/// Makes events in an open loop: when they are due, not when the one before was answered.
async fn make(
    signer: Arc<Signer>,
    load: Load,
    conversations: Vec<String>,
    stop: Arc<AtomicBool>,
    mut dice: StdRng,
) {
    let mut deliveries = JoinSet::new();
    let begun = Instant::now();
    let mut due = Duration::ZERO;
    let mut number = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        if signer.waiting.load(Ordering::Relaxed) >= WAITING {
            sleep(Duration::from_millis(10)).await;
            due = begun.elapsed();
            continue;
        }
        due += Duration::from_secs_f64(1.0 / load.per_second);
        sleep(due.saturating_sub(begun.elapsed())).await;
        number += 1;
        let of = dice.random_range(0..conversations.len());
        let conversation = conversations[of].clone();
        let event = Event {
            number,
            id: format!("evt-{number}"),
            body: message(&conversation, number),
            conversation,
            of,
            late: dice
                .random_bool(load.late)
                .then(|| Duration::from_millis(dice.random_range(1..80))),
            again: dice
                .random_bool(load.doubled)
                .then(|| Duration::from_millis(dice.random_range(0..500))),
            seed: dice.random(),
        };
        signer.waiting.fetch_add(1, Ordering::Relaxed);
        deliveries.spawn(deliver(Arc::clone(&signer), event));
        while deliveries.try_join_next().is_some() {}
    }
    while deliveries.join_next().await.is_some() {}
}

struct Event {
    number: u64,
    id: String,
    conversation: String,
    /// The number of its conversation.
    of: usize,
    body: String,
    late: Option<Duration>,
    /// When after its first delivery it is delivered again, whatever was answered.
    again: Option<Duration>,
    seed: u64,
}

/// The identifier of a conversation by its number.
pub fn conversation(number: usize) -> String {
    format!("conv-{number}")
}

fn message(conversation: &str, number: u64) -> String {
    let body = json!({
        "eventType": "MESSAGE", "conversationId": conversation, "timestamp": now_ms(),
        "data": {
            "isEcho": false, "sender": { "id": "maria", "type": "agent" },
            "text": format!("Message {number} of a customer's conversation with an agent."),
        },
    });
    body.to_string()
}

/// Delivers an event until it is answered 2xx.
async fn deliver(signer: Arc<Signer>, event: Event) {
    let mut dice = StdRng::seed_from_u64(event.seed);
    if let Some(late) = event.late {
        sleep(late).await;
    }
    let first = async {
        let mut pause = 0.25;
        for retry in 0.. {
            let taken = signer.post(&event, retry, dice.random()).await;
            if taken || signer.over.load(Ordering::Relaxed) {
                break;
            }
            sleep(Duration::from_secs_f64(pause * dice.random_range(0.5..1.5))).await;
            pause = f64::min(pause * 2.0, 2.0);
        }
    };
    let again = async {
        if let Some(after) = event.again {
            sleep(after).await;
            signer.post(&event, 1, event.seed).await;
        }
    };
    tokio::join!(first, again);
    signer.waiting.fetch_sub(1, Ordering::Relaxed);
}

impl Signer {
    /// Delivers once, and notes what was answered; whether it was 2xx.
    async fn post(&self, event: &Event, retry: u32, dice: u64) -> bool {
        let Ok((header, sent_ms)) = self.sign(event, retry) else {
            return false;
        };
        let door = dice as usize % self.doors.len();
        let sent = Instant::now();
        let answer = self
            .http
            .post(format!("http://{}/webhooks/8x8", self.doors[door]))
            .header("content-type", "application/json")
            .header("x-8x8-tenant-id", TENANT)
            .header("x-8x8-customer-id", "cust")
            .header("x-8x8-event-id", &event.id)
            .header("x-8x8-transmission-time", sent_ms)
            .header("x-8x8-retry", retry)
            .header("x-8x8-signature", header)
            .body(event.body.clone())
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => Answer::Status(answer.status().as_u16()),
            Err(error) if error.is_timeout() => Answer::Silence,
            Err(_) => Answer::Broken,
        };
        let attempt = Attempt {
            sent,
            took: sent.elapsed(),
            answer,
            door,
            event: event.number,
            conversation: event.of,
            first: retry == 0 && event.again.is_none(),
        };
        self.ledger.answered(&event.id, &event.conversation, attempt);
        answer.is_success()
    }

    fn sign(&self, event: &Event, retry: u32) -> Result<(String, u64)> {
        let sent_ms = now_ms();
        let checksum = crc32fast::hash(event.body.as_bytes());
        let payload = format!(
            r#"{{"checksum":{checksum},"cid":"cust","eid":"{}","retry":{retry},"tid":"{TENANT}","tt":{sent_ms}}}"#,
            event.id
        );
        let header = URL_SAFE_NO_PAD.encode(format!(
            r#"{{"b64":false,"crit":["b64"],"kid":"{KID}","alg":"RS256"}}"#
        ));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let input = format!("{header}.{payload}");
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                input.as_bytes(),
                &mut signature,
            )
            .map_err(|_| "the key does not sign")?;
        Ok((
            format!("{header}..{}", URL_SAFE_NO_PAD.encode(signature)),
            sent_ms,
        ))
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
