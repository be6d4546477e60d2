//! The Chat Gateway: whether it answers, takes our key, agrees on the time and gives out signing keys.

use crate::{
    config::{Config, TenantConfig},
    gateway::{Gateway, Probe, UpstreamErrorKind},
    server::gateway,
};

use super::{
    Report,
    finding::{UPSTREAM_CLOCK, UPSTREAM_CREDENTIALS, UPSTREAM_KEYS, UPSTREAM_REACHABLE},
};

/// A key's id that nobody has, so that a refusal is the right answer.
const NO_KEY: &str = "chatbridge-doctor-no-such-key";

/// From which difference of the clocks on somebody should look, in milliseconds.
const CLOCK_OFF_MS: u64 = 15_000;

/// Looks at the way to the Chat Gateway; `None` where there is none, and so nothing more to ask.
pub(super) async fn examine(config: &Config, tenant: &TenantConfig, report: &mut Report) -> Option<Gateway> {
    let of = tenant.id.as_str();
    let gateway = match gateway(tenant) {
        Ok(gateway) => gateway,
        Err(error) => {
            report.error(
                UPSTREAM_REACHABLE,
                of,
                format!("No client of the Chat Gateway can be made: {error}."),
                "Correct gateway_url and api_key.",
            );
            return None;
        }
    };
    let probe = match gateway.probe(&tenant.id).await {
        Ok(probe) => probe,
        Err(error) => {
            report.error(
                UPSTREAM_REACHABLE,
                of,
                format!("The Chat Gateway at {} does not answer: {}.", host(tenant), error.message),
                "Check gateway_url, name resolution, firewall and proxy (HTTPS_PROXY); with a certificate of an authority of \
                 your own, SSL_CERT_FILE.",
            );
            return None;
        }
    };
    answered(tenant, &probe, report);
    clock(config, tenant, &probe, report);
    let is_taken = credentials(tenant, &probe, report);
    keys(tenant, &gateway, report).await;
    is_taken.then_some(gateway)
}

fn host(tenant: &TenantConfig) -> &str {
    tenant.gateway_url.host_str().unwrap_or_default()
}

fn answered(tenant: &TenantConfig, probe: &Probe, report: &mut Report) {
    let of = tenant.id.as_str();
    let sentence = format!(
        "The Chat Gateway at {} answers, in {} ms.",
        host(tenant),
        probe.took_ms
    );
    match probe.status {
        500.. => report.error(
            UPSTREAM_REACHABLE,
            of,
            format!(
                "The Chat Gateway at {} fails: it answers {}.",
                host(tenant),
                probe.status
            ),
            "Look at 8x8's status page, and try again later.",
        ),
        300..=399 | 404 | 405 => report.error(
            UPSTREAM_REACHABLE,
            of,
            format!(
                "What answers at {} is no Chat Gateway: it answers {}.",
                host(tenant),
                probe.status
            ),
            "Correct gateway_url: the base URL without /chat-gateway/v1, such as https://api.8x8.com.",
        ),
        _ => report.ok(UPSTREAM_REACHABLE, of, sentence),
    }
}

fn clock(config: &Config, tenant: &TenantConfig, probe: &Probe, report: &mut Report) {
    let of = tenant.id.as_str();
    let Some(ahead_ms) = probe.clock_ahead_ms else {
        return report.skipped(
            UPSTREAM_CLOCK,
            of,
            "The Chat Gateway's answer has no Date, so its clock is not known.",
        );
    };
    // What may be no more than a second that was cut off, or the way, is not held against anybody.
    let surely_ms = ahead_ms
        .unsigned_abs()
        .saturating_sub(probe.clock_error_ms().unsigned_abs());
    let behind = if ahead_ms > 0 { "behind" } else { "ahead of" };
    let sentence = format!(
        "This machine's clock is at least {} s {behind} the Chat Gateway's.",
        surely_ms / 1000
    );
    let remedy = "Let this machine set its clock by NTP (`timedatectl` says whether it does).";
    let window = config.webhook_freshness;
    if u128::from(surely_ms) >= window.as_millis() {
        let refused = format!(
            "{sentence} Webhooks would be refused as stale, since webhook_freshness_seconds is {}.",
            window.as_secs()
        );
        report.error(UPSTREAM_CLOCK, of, refused, remedy);
    } else if surely_ms >= CLOCK_OFF_MS || u128::from(surely_ms) * 2 >= window.as_millis() {
        report.warning(UPSTREAM_CLOCK, of, sentence, remedy);
    } else {
        report.ok(
            UPSTREAM_CLOCK,
            of,
            "The Chat Gateway and this machine agree on the time.",
        );
    }
}

fn credentials(tenant: &TenantConfig, probe: &Probe, report: &mut Report) -> bool {
    let of = tenant.id.as_str();
    match probe.status {
        200..=299 => {
            report.ok(
                UPSTREAM_CREDENTIALS,
                of,
                "The Chat Gateway takes the API key and the tenant.",
            );
            true
        }
        status @ (401 | 403) => {
            report.error(
                UPSTREAM_CREDENTIALS,
                of,
                format!("The Chat Gateway refuses the API key or the tenant: it answers {status}."),
                "Check api_key (in 8x8's admin console, API keys: one for Chat Gateway) and that tenant is the tenant's id.",
            );
            false
        }
        429 => {
            let sentence = "The Chat Gateway limits the rate of requests (429), so this is not known.";
            report.skipped(UPSTREAM_CREDENTIALS, of, sentence);
            false
        }
        status => {
            let sentence = format!("The Chat Gateway answers {status}, so this is not known.");
            report.skipped(UPSTREAM_CREDENTIALS, of, sentence);
            false
        }
    }
}

/// Asks for a key that cannot be there.
async fn keys(tenant: &TenantConfig, gateway: &Gateway, report: &mut Report) {
    let of = tenant.id.as_str();
    let asked = gateway.verification_key(&tenant.id, NO_KEY).await;
    match asked.map_err(|error| (error.kind, error)) {
        Ok(_) | Err((UpstreamErrorKind::NotFound | UpstreamErrorKind::Invalid, _)) => {
            report.ok(UPSTREAM_KEYS, of, "The endpoint of signing keys answers.");
        }
        Err((_, error)) => report.error(
            UPSTREAM_KEYS,
            of,
            format!("The endpoint of signing keys (/jwk/{{kid}}/public) cannot be used: {error}."),
            "No webhook can be verified without it: let this machine reach it as it reaches the rest of gateway_url.",
        ),
    }
}
