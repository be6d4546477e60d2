//! The use cases over a store and a vendor that loses answers: what is never done twice, and what is found again.

mod bad_days;
mod creates;
mod customers;
mod late;
mod leaving;
mod sends;
mod simulation;
mod uploads;
mod vendor;

use std::time::Duration;

use chatbridge::{
    conversation::{Conversations, calls::RequestId},
    error::Error,
    event::{AuthorType, Message, Participant, TenantId, User},
    gateway::{Gateway, GatewaySettings, NewConversation, Resilience},
    store::SharedStore,
    tenant::{Tenant, Tenants},
};
use url::Url;

use self::vendor::Vendor;
use crate::store::fixture::{Fixture, Kind};

const ID: &str = "6f1c2c7e-1d2f-4c3a-9a55-0e8b3c7f4d21";
const OTHER_ID: &str = "0b9f6a56-6b3f-4d0c-8f5e-1c2d3e4f5a6b";
const ATTACHMENT_MAX: u64 = 1_000;

/// A tenant whose calls go to this address.
fn tenant(base: &str) -> Tenant {
    Tenant {
        id: TenantId::new("tenant"),
        gateway: Gateway::new(GatewaySettings {
            base_url: Url::parse(base).unwrap(),
            api_key: "key".to_owned().into(),
            timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(10),
            transfer_timeout: Duration::from_secs(60),
            resilience: Resilience::NONE,
        })
        .unwrap(),
        attachment_max_bytes: ATTACHMENT_MAX,
        channels: std::sync::Arc::default(),
    }
}

/// The use cases over a store, with a vendor behind them.
struct World {
    fixture: Fixture,
    vendor: Vendor,
    calls: Conversations,
    tenant: Tenant,
}

impl World {
    async fn new(kind: Kind) -> Self {
        let fixture = Fixture::new(kind).await;
        let vendor = Vendor::start().await;
        let tenant = tenant(&vendor.uri());
        Self {
            calls: use_cases(fixture.store.clone(), &tenant),
            fixture,
            vendor,
            tenant,
        }
    }

    async fn send(&self, id: &str, text: &str) -> Result<i64, Error> {
        send(&self.calls, &self.tenant, id, text).await
    }
}

fn use_cases(store: SharedStore, tenant: &Tenant) -> Conversations {
    Conversations::new(store, Tenants::new([tenant.clone()]))
}

async fn send(calls: &Conversations, tenant: &Tenant, id: &str, text: &str) -> Result<i64, Error> {
    let message = message(AuthorType::Bot, text);
    let sent = calls.send(tenant, "conv", &request(id, text), &message).await?;
    Ok(sent.accepted_ms)
}

fn request(id: &str, says: &str) -> RequestId {
    let mut digest = [0; 32];
    digest[..says.len()].copy_from_slice(says.as_bytes());
    RequestId {
        id: id.into(),
        digest,
    }
}

fn message(author: AuthorType, text: &str) -> Message {
    Message {
        id: String::new(),
        author: Participant::new("", Some(author)),
        text: text.into(),
        created_ms: None,
        attachments: Vec::new(),
        cards: Vec::new(),
        external_provider: None,
        echo: false,
    }
}

fn new_conversation(user_id: &str) -> NewConversation {
    NewConversation {
        channel_id: "channel".into(),
        user: User {
            user_id: user_id.into(),
            ..User::default()
        },
        assignment: None,
        history: Vec::new(),
    }
}

/// What an error says, which must be that the outcome is unknown.
fn unknown<T: std::fmt::Debug>(answer: Result<T, Error>) -> String {
    let error = answer.unwrap_err();
    assert_eq!(error.reason(), "UPSTREAM_OUTCOME_UNKNOWN", "{error}");
    error.to_string()
}
