//! Settings of the port for clients of Chat API v2.

use std::{
    collections::{BTreeSet, HashSet},
    net::SocketAddr,
    num::NonZeroU32,
    path::Path,
    time::Duration,
};

use secrecy::SecretString;

use super::Reader;
use crate::{
    access::{CallerLimits, Scope, token},
    chat_v2::{Allowed, ApiScope, Client, Policy, Sending, Settings, SigningKeys},
    config::{ChatV2Config, TenantConfig, sections, settings::CLIENT_SCHEMA},
    event::TenantId,
    webhook::SeatLimits,
};

/// How many secrets of one client, or secrets that sign tokens, may be good at a time.
const SECRETS_MAX: usize = 2;
const TOKEN_SECRET_BYTES: std::ops::RangeInclusive<usize> = 32..=512;
const CLIENT_ID_BYTES_MAX: usize = 128;

impl Reader {
    /// The port, if there is to be one.
    pub(super) fn chat_v2(
        &mut self,
        tenants: &[TenantConfig],
        call_time_max: Duration,
    ) -> Option<ChatV2Config> {
        let policy = self.chat_v2_policy(tenants);
        let max_bytes = self.number("chat_v2_max_bytes", 1024, 16_777_216);
        let seats = self.chat_v2_seats(max_bytes);
        let connections_per_address = self.number("chat_v2_connections_per_address_max", 0, 1_000_000);
        let tls = self.tls("chat_v2");
        let settings = Settings {
            max_body_bytes: usize::try_from(max_bytes).unwrap_or(usize::MAX),
            body_timeout: seats.head,
            call_time_max,
            token_ttl: Duration::from_secs(self.number("chat_v2_token_ttl_seconds", 1, 86_400)),
            signing_keys: self.signing_keys(),
            allowed: Allowed::new(self.networks("chat_v2_webhook_allow")),
            sending: self.sending(),
        };
        if self.text("chat_v2_listen").is_empty() {
            return None;
        }
        let listen: Option<SocketAddr> = self.parsed("chat_v2_listen", "an address such as 127.0.0.1:8081");
        if policy.clients.is_empty() {
            self.mistake(
                "chat_v2_listen",
                "needs at least one of [[chat_v2_clients]]: nobody could get a token",
            );
        }
        if policy.token_secrets.is_empty() && !self.is_given("chat_v2_token_secret") {
            self.mistake(
                "chat_v2_token_secret",
                "is required beside chat_v2_listen: tokens are signed with it",
            );
        }
        Some(ChatV2Config {
            listen: listen?,
            tls,
            seats,
            connections_per_address: usize::try_from(connections_per_address).unwrap_or(usize::MAX),
            signing_key_file: self.path("chat_v2_signing_key_file"),
            settings,
            policy,
        })
    }

    fn chat_v2_seats(&mut self, body_max: u64) -> SeatLimits {
        let connections = self.number("chat_v2_connections_max", 0, 1_000_000);
        let buffered = self.number("chat_v2_buffer_bytes", 1024, 1 << 34);
        if buffered < body_max {
            self.mistake(
                "chat_v2_buffer_bytes",
                "is less than chat_v2_max_bytes, so that the largest body would never have room",
            );
        }
        SeatLimits {
            connections: usize::try_from(connections).unwrap_or(usize::MAX),
            buffered_bytes: usize::try_from(buffered).unwrap_or(usize::MAX),
            head: self.millis("chat_v2_read_timeout_ms", 100, 60_000),
            idle: Duration::from_secs(self.number("chat_v2_idle_timeout_seconds", 1, 3600)),
        }
    }

    fn sending(&mut self) -> Sending {
        let attempts = self.number("chat_v2_webhook_attempts", 1, 1000);
        Sending {
            timeout: self.millis("chat_v2_webhook_timeout_ms", 100, 60_000),
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            retry_for: Duration::from_secs(self.number("chat_v2_webhook_retry_seconds", 1, 2_592_000)),
            waiting_max: self.number("chat_v2_webhook_waiting_max", 1, 10_000_000),
        }
    }

    fn signing_keys(&mut self) -> Option<SigningKeys> {
        let path = self.text("chat_v2_signing_key_file");
        if path.is_empty() {
            return None;
        }
        SigningKeys::from_file(Path::new(&path))
            .map_err(|problem| self.mistake("chat_v2_signing_key_file", &problem))
            .ok()
    }

    fn chat_v2_policy(&mut self, tenants: &[TenantConfig]) -> Policy {
        let known: BTreeSet<TenantId> = tenants.iter().map(|tenant| tenant.id.clone()).collect();
        let mut ids = HashSet::new();
        let clients = self.each("chat_v2_clients", &CLIENT_SCHEMA, false, |section| {
            client(section, &known, &mut ids)
        });
        let webhooks = tenants.iter().filter(|tenant| !tenant.webhook_id.is_empty());
        Policy {
            clients,
            token_secrets: self.token_secrets(),
            webhooks: webhooks
                .map(|tenant| (tenant.id.clone(), tenant.webhook_id.clone()))
                .collect(),
        }
    }

    /// The secrets that sign tokens. They are never shown.
    fn token_secrets(&mut self) -> Vec<SecretString> {
        let value = self.text("chat_v2_token_secret");
        let words = value.split(|c: char| c == ',' || c.is_whitespace());
        let secrets: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let are_long = secrets
            .iter()
            .all(|secret| TOKEN_SECRET_BYTES.contains(&secret.len()));
        if !are_long || secrets.len() > SECRETS_MAX {
            self.mistake(
                "chat_v2_token_secret",
                "must be a secret of 32 to 512 characters, or two separated by a comma while it is replaced",
            );
            return Vec::new();
        }
        secrets.into_iter().map(SecretString::from).collect()
    }
}

fn client(section: &mut Reader, known: &BTreeSet<TenantId>, ids: &mut HashSet<String>) -> Option<Client> {
    let id = section.required("id");
    if let Some(id) = &id {
        // A colon ends it in the credentials that a client sends.
        if id.len() > CLIENT_ID_BYTES_MAX || !id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
            let problem = "must be 1 to 128 visible ASCII characters, and no colon among them";
            section.mistake("id", problem);
        } else if !ids.insert(id.clone()) {
            section.mistake("id", "is that of another client");
        }
    }
    let secrets = section.required_list("secret_sha256");
    if secrets.len() > SECRETS_MAX {
        section.mistake(
            "secret_sha256",
            "has more than two: the one that is used, and the one that replaces it",
        );
    }
    // Not shown: somebody may have written the secret itself.
    let secrets: Vec<_> = secrets.iter().filter_map(|text| token::from_hex(text)).collect();
    if secrets.len() != section.list("secret_sha256").len() {
        section.mistake(
            "secret_sha256",
            "is not a SHA-256 in hexadecimal, 64 digits, as `chatbridge token --hash` prints it",
        );
    }
    let tenants: Scope = sections::scope(section, known);
    let calls = section.number("calls_per_second", 0, 1_000_000);
    Some(Client {
        id: id?,
        secrets,
        tenants,
        scopes: scopes(section),
        limits: CallerLimits {
            calls_per_second: u32::try_from(calls).ok().and_then(NonZeroU32::new),
            streams: 0,
        },
    })
}

/// What a client's tokens are good for: all, unless it says.
fn scopes(section: &mut Reader) -> BTreeSet<ApiScope> {
    let mut scopes = BTreeSet::new();
    for word in section.list("scopes") {
        match word.parse() {
            Ok(scope) => drop(scopes.insert(scope)),
            Err(()) => {
                let problem = format!("{word:?} is not a scope such as {}", ApiScope::ConversationsRead);
                section.mistake("scopes", &problem);
            }
        }
    }
    match scopes.is_empty() {
        true => ApiScope::ALL.into(),
        false => scopes,
    }
}
