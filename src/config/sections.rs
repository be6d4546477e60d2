//! The tables of the file: tenants, and who may call.

use std::{
    collections::{BTreeSet, HashSet},
    num::NonZeroU32,
    time::Duration,
};

use jsonwebtoken::Algorithm;
use secrecy::SecretString;
use url::Url;

use super::{
    TenantConfig,
    reader::Reader,
    settings::{CALLER_SCHEMA, GRANT_SCHEMA, ISSUER_SCHEMA, TENANT_SCHEMA},
};
use crate::{
    access::{CallerLimits, ClaimGrant, Grant, IssuerPolicy, Policy, Role, Scope, token},
    event::TenantId,
    gateway::is_loopback,
};

/// What stands for all tenants.
const ALL: &str = "*";
/// How many tokens of one caller may be good at a time.
const TOKENS_MAX: usize = 2;
/// The longest name of a caller, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// The caller of `token_sha256` at the top.
const DEFAULT_CALLER: &str = "default";

/// The tenants: each of `[[tenants]]`, or the one that is given at the top.
pub(super) fn tenants(root: &mut Reader) -> Vec<TenantConfig> {
    if !root.has("tenants") {
        let id = root.required("tenant");
        return tenant(root, id).into_iter().collect();
    }
    for name in ["tenant", "api_key", "webhook_id"] {
        if root.is_given(name) {
            root.mistake(name, "cannot be given beside [[tenants]], which have their own");
        }
    }
    let mut seen = HashSet::new();
    root.each("tenants", &TENANT_SCHEMA, true, |section| {
        let id = section.required("id");
        if id.as_ref().is_some_and(|id| !seen.insert(id.clone())) {
            section.mistake("id", "is that of another tenant");
        }
        tenant(section, id)
    })
}

/// The settings of a tenant, which are called the same at the top.
fn tenant(section: &mut Reader, id: Option<String>) -> Option<TenantConfig> {
    let api_key = if section.is_given("api_key") {
        section.required("api_key").map(SecretString::from)
    } else {
        section.mistake("api_key", "is required and not set");
        None
    };
    let gateway_url = section.url("gateway_url");
    let gateway_timeout = section.millis("gateway_timeout_ms", 100, 60_000);
    let attempts = section.number("gateway_attempts", 1, 10);
    let rate = section.number("gateway_rate_per_second", 0, 100_000);
    let in_flight = section.number("gateway_in_flight", 1, 10_000);
    let gateway_circuit_open = section.millis("gateway_circuit_open_ms", 0, 600_000);
    let transfer_timeout = Duration::from_secs(section.number("transfer_timeout_seconds", 1, 7200));
    let attachment_max_bytes = section.number("attachment_max_bytes", 1024, 1_073_741_824);
    Some(TenantConfig {
        id: TenantId::new(id?),
        api_key: api_key?,
        gateway_url: gateway_url?,
        gateway_timeout,
        gateway_attempts: u32::try_from(attempts).ok()?,
        gateway_rate_per_second: u32::try_from(rate).ok().and_then(NonZeroU32::new),
        gateway_in_flight: usize::try_from(in_flight).ok()?,
        gateway_circuit_open,
        transfer_timeout,
        attachment_max_bytes,
        channels: section.list("channels").into_iter().collect(),
        webhook_id: section.text("webhook_id"),
    })
}

/// Who may call.
pub(super) fn policy(root: &mut Reader, tenants: &[TenantConfig]) -> Policy {
    let known: BTreeSet<TenantId> = tenants.iter().map(|tenant| tenant.id.clone()).collect();
    let mut policy = Policy::default();
    default_caller(root, &mut policy);
    let mut names = HashSet::new();
    root.each("callers", &CALLER_SCHEMA, false, |section| {
        caller(section, &known, &mut names, &mut policy)
    });
    let mut issuers: Vec<IssuerPolicy> = Vec::new();
    root.each("jwt_issuers", &ISSUER_SCHEMA, false, |section| {
        let issuer = issuer(section, &known)?;
        if issuers.iter().any(|other| other.issuer == issuer.issuer) {
            section.mistake("issuer", "is that of another of [[jwt_issuers]]");
        }
        issuers.push(issuer);
        Some(())
    });
    policy.issuers = issuers;
    policy
}

fn default_caller(root: &mut Reader, policy: &mut Policy) {
    let text = root.text("token_sha256");
    let hashes: Vec<String> = text.split(',').map(|hash| hash.trim().to_owned()).collect();
    if text.is_empty() {
        return;
    }
    let grant = Grant {
        name: DEFAULT_CALLER.to_owned(),
        role: Role::Admin,
        tenants: Scope::All,
        limits: CallerLimits::default(),
    };
    tokens(root, &hashes, &grant, policy);
}

/// Notes the tokens of a caller.
fn tokens(section: &mut Reader, hashes: &[String], grant: &Grant, policy: &mut Policy) {
    if hashes.len() > TOKENS_MAX {
        section.mistake(
            "token_sha256",
            "has more than two: the one that is used, and the one that replaces it",
        );
    }
    for text in hashes {
        // Not shown: somebody may have written the token itself.
        match token::from_hex(text) {
            None => section.mistake(
                "token_sha256",
                "is not a SHA-256 in hexadecimal, 64 digits, as `chatbridge token` prints it",
            ),
            Some(hash) => {
                if policy.tokens.insert(hash, grant.clone()).is_some() {
                    section.mistake("token_sha256", "is there twice: each caller needs its own token");
                }
            }
        }
    }
}

fn caller(
    section: &mut Reader,
    known: &BTreeSet<TenantId>,
    names: &mut HashSet<String>,
    policy: &mut Policy,
) -> Option<()> {
    let name = section.required("name");
    if let Some(name) = &name {
        if name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) || name == DEFAULT_CALLER {
            section.mistake("name", "must be a name of at most 64 bytes, and not `default`");
        } else if !names.insert(name.clone()) {
            section.mistake("name", "is that of another caller");
        }
    }
    let grant = Grant {
        name: name.unwrap_or_default(),
        role: role(section),
        tenants: scope(section, known),
        limits: limits(section),
    };
    let hashes = section.list("token_sha256");
    let identities = section.list("identities");
    if hashes.is_empty() && identities.is_empty() {
        section.mistake(
            "token_sha256",
            "or `identities` is required: nobody could be this caller",
        );
    }
    tokens(section, &hashes, &grant, policy);
    for identity in identities {
        let is_known_form = identity.starts_with("dns:") || Url::parse(&identity).is_ok();
        if !is_known_form || identity != identity.trim() {
            let form = format!("{identity:?} is neither a URI nor `dns:NAME`");
            section.mistake("identities", &form);
        }
        let identity = match identity.strip_prefix("dns:") {
            Some(name) => format!("dns:{}", name.to_ascii_lowercase()),
            None => identity,
        };
        if policy.identities.insert(identity, grant.clone()).is_some() {
            section.mistake("identities", "has one that is there twice");
        }
    }
    Some(())
}

fn issuer(section: &mut Reader, known: &BTreeSet<TenantId>) -> Option<IssuerPolicy> {
    let issuer = section.required("issuer");
    let jwks_url = jwks_url(section);
    let audiences = section.required_list("audiences");
    let algorithms = algorithms(section);
    let name_claim = section.text("name_claim");
    if !section.has("grants") {
        section.mistake(
            "grants",
            "is required, as [[jwt_issuers.grants]]: its tokens would give no rights",
        );
    }
    let grants = section.each("grants", &GRANT_SCHEMA, false, |grant| {
        let (claim, value) = (grant.required("claim"), grant.required("value"));
        let (role, tenants, limits) = (role(grant), scope(grant, known), limits(grant));
        Some(ClaimGrant {
            claim: claim?,
            value: value?,
            role,
            tenants,
            limits,
        })
    });
    Some(IssuerPolicy {
        issuer: issuer?,
        audiences,
        algorithms,
        jwks_url: jwks_url?,
        name_claim,
        grants,
    })
}

/// Keys that come by an open network would be anybody's.
fn jwks_url(section: &mut Reader) -> Option<Url> {
    let url = section.required("jwks_url")?.parse::<Url>().ok();
    let good = url.filter(|url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)));
    if good.is_none() {
        section.mistake("jwks_url", "must be an https URL; http is for loopback only");
    }
    good
}

fn algorithms(section: &mut Reader) -> Vec<Algorithm> {
    let mut algorithms = Vec::new();
    for name in section.required_list("algorithms") {
        match name.parse() {
            // With a shared secret whoever can check a token could make one.
            Ok(Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) | Err(_) => {
                let problem = format!("{name:?} is not a public-key algorithm such as RS256 or ES256");
                section.mistake("algorithms", &problem);
            }
            Ok(algorithm) => algorithms.push(algorithm),
        }
    }
    algorithms
}

fn role(section: &mut Reader) -> Role {
    let role = section.parsed("role", "`reader`, `caller` or `admin`");
    role.unwrap_or(Role::Reader)
}

pub(super) fn scope(section: &mut Reader, known: &BTreeSet<TenantId>) -> Scope {
    let names = section.required_list("tenants");
    if names == [ALL] {
        return Scope::All;
    }
    let tenants: BTreeSet<TenantId> = names.into_iter().map(TenantId::new).collect();
    for unknown in tenants.difference(known) {
        let problem = format!("{:?} is not a tenant that is served here", unknown.as_str());
        section.mistake("tenants", &problem);
    }
    Scope::Only(tenants)
}

fn limits(section: &mut Reader) -> CallerLimits {
    let calls = section.number("calls_per_second", 0, 1_000_000);
    let streams = section.number("streams_max", 0, 1_000_000);
    CallerLimits {
        calls_per_second: u32::try_from(calls).ok().and_then(NonZeroU32::new),
        streams: usize::try_from(streams).unwrap_or(usize::MAX),
    }
}
