//! Chat API v2 beside a sandbox: one client, made up for this run.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use ipnet::IpNet;

use crate::{
    access::{CallerLimits, Scope, token},
    chat_v2::{Allowed, ApiScope, Client, Policy, Sending, Settings, SigningKeys},
    config::{ChatV2Config, Config},
    event::TenantId,
    sandbox::DEFAULT_WEBHOOK,
    webhook::SeatLimits,
};

/// The identifier of the only client.
pub(super) const CLIENT_ID: &str = "dev";
const MAX_BODY_BYTES: usize = 4 << 20;
const TOKEN_TTL: Duration = Duration::from_secs(3600);

/// Has a configuration serve v2 at this address too, to a client with this secret. What it sends is signed by a key of its own, and
/// goes to this machine as well. Answers whether it can: making a key can fail.
pub(super) fn serve(config: &mut Config, listen: SocketAddr, tenant: &str, secret: &str) -> bool {
    let Some(keys) = SigningKeys::generate() else {
        return false;
    };
    let seats = SeatLimits::default();
    let loopback = [
        IpNet::new(Ipv4Addr::LOCALHOST.into(), 8),
        IpNet::new(Ipv6Addr::LOCALHOST.into(), 128),
    ];
    config.chat_v2 = Some(ChatV2Config {
        signing_key_file: None,
        listen,
        tls: None,
        settings: Settings {
            max_body_bytes: MAX_BODY_BYTES,
            body_timeout: seats.head,
            call_time_max: config.call_time_max,
            token_ttl: TOKEN_TTL,
            signing_keys: Some(keys),
            allowed: Allowed::new(loopback.into_iter().flatten().collect()),
            sending: Sending::default(),
        },
        seats,
        connections_per_address: 0,
        policy: Policy {
            clients: vec![Client {
                id: CLIENT_ID.to_owned(),
                secrets: vec![token::hash(secret)],
                tenants: Scope::All,
                scopes: ApiScope::ALL.into(),
                limits: CallerLimits::default(),
            }],
            token_secrets: vec![token::generate().into()],
            webhooks: HashMap::from([(TenantId::new(tenant), DEFAULT_WEBHOOK.to_owned())]),
        },
    });
    true
}
