//! What the door makes of a captured request, field by field, by the code of the door.

use axum::http::HeaderName;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::{
    CaptureError, Captured, Report,
    finding::{
        Check, REQUEST_BODY, REQUEST_CAPTURE, REQUEST_CLOCK, REQUEST_EVENT, REQUEST_HEADER, REQUEST_KEY,
        REQUEST_PATH, REQUEST_SIGNATURE, REQUEST_TENANT,
    },
};
use crate::{
    config::{Config, TenantConfig},
    event::EventBody,
    gateway::UpstreamErrorKind,
    server::gateway,
    webhook::{
        Received, Refusal, Verified, VerifyingKey,
        explain::{self, Cause},
        normalise,
        signature::{Claimed, RETRY, SIGNATURE},
    },
};

/// The path of the door, without its secret.
const DOOR: &str = "/webhooks/8x8";

/// What is known of a request besides its capture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestOptions {
    /// When it was received, Unix milliseconds; goes before what the capture says.
    pub received_ms: Option<i64>,
    /// The JWK of the public key; `None`: 8x8 is asked for it.
    pub jwk: Option<String>,
}

/// A capture that cannot be read.
pub(super) fn unreadable(error: &CaptureError, report: &mut Report) {
    report.error(
        REQUEST_CAPTURE,
        "",
        format!("The captured request {error}."),
        "Capture it again; docs/doctor.md has both formats.",
    );
}

pub(super) async fn examine(
    config: &Config,
    captured: &Captured,
    options: &RequestOptions,
    report: &mut Report,
) {
    report.ok(REQUEST_CAPTURE, "", "The captured request can be read.");
    path(config, captured, report);
    body(config, captured, report);
    if !captured.headers.contains_key(SIGNATURE) && explain::is_verification(&captured.body) {
        return report.ok(
            REQUEST_SIGNATURE,
            "",
            "It is 8x8's check of the address (WEB_HOOK_VERIFY), which needs no signature: it is answered 204, and nothing is kept.",
        );
    }
    headers(captured, report);
    // Judged by the door's own reading: what comes above only says which header it was.
    let claimed = match Claimed::read(&captured.headers) {
        Ok(claimed) => claimed,
        Err(refusal) => {
            let sentence = format!(
                "The door answers {} ({}), and looks no further.",
                refusal.status().as_u16(),
                refusal.reason()
            );
            return report.error(
                REQUEST_SIGNATURE,
                "",
                sentence,
                "Put the headers right that are named above.",
            );
        }
    };
    let tenant = tenant(config, &claimed, report);
    let now_ms = Timestamp::now().as_millisecond();
    let received_ms = options.received_ms.or(captured.received_ms);
    clock(config, &claimed, received_ms, now_ms, report);
    let key = match (&options.jwk, tenant) {
        (Some(jwk), _) => given_key(jwk, &claimed, report),
        (None, Some(tenant)) => fetched_key(tenant, &claimed, report).await,
        (None, None) => {
            report.skipped(
                REQUEST_KEY,
                claimed.kid(),
                "Without a tenant that is served, 8x8 is not asked for the key.",
            );
            None
        }
    };
    let Some(key) = key else {
        return report.skipped(
            REQUEST_SIGNATURE,
            "",
            "Without the key, the signature cannot be checked.",
        );
    };
    signature(&claimed, &key, captured, report);
}

fn path(config: &Config, captured: &Captured, report: &mut Report) {
    let Some(path) = &captured.path else {
        return report.skipped(REQUEST_PATH, "", "The capture has no path.");
    };
    if let Some(method) = captured.method.as_deref().filter(|method| *method != "POST") {
        return report.error(
            REQUEST_PATH,
            "",
            format!("Its method is {method:?}, and the door takes POST alone (405)."),
            "8x8 posts; look at what a proxy makes of it.",
        );
    }
    let secret = config
        .webhook_path_secret
        .as_ref()
        .map(|secret| secret.expose_secret());
    let wanted = secret.map_or(DOOR.to_owned(), |secret| format!("{DOOR}/{secret}"));
    if *path == wanted {
        return report.ok(REQUEST_PATH, "", "It went to the path of the door.");
    }
    let why = match path.strip_prefix(DOOR) {
        Some("" | "/") => "has no secret behind it, and webhook_path_secret is set",
        Some(_) if secret.is_none() => "has something behind it, and no webhook_path_secret is set",
        Some(_) => "has another secret behind it than webhook_path_secret",
        None => "is another than the door's, which is /webhooks/8x8",
    };
    report.error(
        REQUEST_PATH,
        "",
        format!("Its path {why}: the door answers 404."),
        "Set the URL of the webhook at 8x8 to https://YOUR-HOST/webhooks/8x8, with /SECRET behind it where webhook_path_secret is \
         set; where a proxy changes the path, let it make this one.",
    );
}

fn body(config: &Config, captured: &Captured, report: &mut Report) {
    let has = captured.body.len();
    let checksum = explain::body_checksum(&captured.body);
    match captured.announced() {
        Some(announced) if announced > has => report.error(
            REQUEST_BODY,
            "",
            format!("The capture has {has} bytes of body, and content-length says {announced}."),
            "Capture the whole body, as bytes; what was cut off, or changed by an editor, cannot be verified.",
        ),
        _ if has > config.webhook_max_bytes => report.error(
            REQUEST_BODY,
            "",
            format!("The body has {has} bytes, and webhook_max_bytes is {}: the door answers 413.", config.webhook_max_bytes),
            "Raise webhook_max_bytes.",
        ),
        Some(announced) if captured.surplus > 0 => report.warning(
            REQUEST_BODY,
            "",
            format!("{} byte(s) stand behind the {announced} that content-length says; they are left out.", captured.surplus),
            "Often an editor adds a line end: save the capture without.",
        ),
        _ => report.ok(REQUEST_BODY, "", format!("The body has {has} bytes and the checksum {checksum} (CRC-32).")),
    }
}

fn headers(captured: &Captured, report: &mut Report) {
    for (name, checked) in explain::headers(&captured.headers) {
        match checked {
            Ok(()) => report.ok(
                REQUEST_HEADER,
                name.as_str(),
                "It is there once, and well-formed.",
            ),
            Err(refusal) => {
                let (sentence, remedy) = header_problem(&name, refusal);
                report.error(REQUEST_HEADER, name.as_str(), sentence, remedy);
            }
        }
    }
}

fn header_problem(name: &HeaderName, refusal: Refusal) -> (String, &'static str) {
    let pass_on = "Let the proxy in front of the door pass on all x-8x8-… headers as they came.";
    let sender = "8x8 does not sign so: see who sent it, and whether a proxy changes the header.";
    let (what, remedy) = match refusal {
        Refusal::MissingHeader if *name == RETRY => (
            "is missing; it is signed, too, and 8x8 sends it with first deliveries",
            pass_on,
        ),
        Refusal::MissingHeader => ("is missing", pass_on),
        Refusal::DuplicateHeader => (
            "is there more than once",
            "Let the proxy not add to the x-8x8-… headers.",
        ),
        Refusal::AttachedPayload => (
            "brings a payload of its own between the dots, where nothing must be (HEADER..SIGNATURE)",
            sender,
        ),
        Refusal::UnsupportedAlgorithm => ("says another algorithm (`alg`) than RS256", sender),
        Refusal::UnsupportedCrit => ("does not say `crit` as exactly [\"b64\"]", sender),
        Refusal::UnsupportedB64 => ("does not say `b64` as false", sender),
        Refusal::MalformedKid => (
            "names a key (`kid`) that is not 1 to 128 letters, digits, hyphens and underscores",
            sender,
        ),
        Refusal::MalformedSignature => ("is no compact JWS (HEADER..SIGNATURE, each in base64url)", sender),
        _ => (
            "has a value that 8x8 would not send: an identifier of up to 256 plain characters, or a number without sign and leading zero",
            pass_on,
        ),
    };
    (format!("{name} {what} ({}).", refusal.reason()), remedy)
}

fn tenant<'a>(config: &'a Config, claimed: &Claimed, report: &mut Report) -> Option<&'a TenantConfig> {
    let found = config
        .tenants
        .iter()
        .find(|tenant| tenant.id.as_str() == claimed.tenant());
    match found {
        Some(tenant) => report.ok(REQUEST_TENANT, tenant.id.as_str(), "The tenant is served."),
        None => {
            let served: Vec<&str> = config.tenants.iter().map(|tenant| tenant.id.as_str()).collect();
            report.error(
                REQUEST_TENANT,
                claimed.tenant(),
                format!("The tenant is not served (unknown_tenant); served are: {}.", served.join(", ")),
                "Correct `tenant`, or add it to [[tenants]]; or let the other tenant's webhook lead elsewhere.",
            );
        }
    }
    found
}

fn clock(config: &Config, claimed: &Claimed, received_ms: Option<i64>, now_ms: i64, report: &mut Report) {
    let window = config.webhook_freshness;
    let is_fresh = |at_ms| claimed.clone().fresh(at_ms, window).is_ok();
    let sent_ms = i64::try_from(claimed.transmitted_ms()).unwrap_or(i64::MAX);
    let away = |at_ms: i64| {
        let seconds = at_ms.saturating_sub(sent_ms) as f64 / 1000.0;
        let way = if seconds < 0.0 { "after" } else { "before" };
        format!("{:.1} s {way}", seconds.abs())
    };
    let retry = claimed.retry();
    match received_ms {
        Some(at_ms) if is_fresh(at_ms) => {
            let sentence = format!("It was sent {} it was received, as delivery {retry}.", away(at_ms));
            report.ok(REQUEST_CLOCK, "", sentence);
        }
        Some(at_ms) => report.error(
            REQUEST_CLOCK,
            "",
            format!(
                "By its transmission time it was sent {} it was received, and webhook_freshness_seconds is {} (stale).",
                away(at_ms),
                window.as_secs()
            ),
            "Set the clock of this machine by NTP; see whether something on the way holds webhooks back, or repeats them.",
        ),
        None if is_fresh(now_ms) => {
            let sentence = format!("It was sent {} now, as delivery {retry}.", away(now_ms));
            report.ok(REQUEST_CLOCK, "", sentence);
        }
        None => report.skipped(
            REQUEST_CLOCK,
            "",
            format!(
                "It was sent {} now. Whether it was fresh when it came is not known: say when by --received-at.",
                away(now_ms)
            ),
        ),
    }
}

fn given_key(jwk: &str, claimed: &Claimed, report: &mut Report) -> Option<VerifyingKey> {
    match VerifyingKey::from_jwk(jwk, claimed.kid()) {
        Ok(key) => {
            report.ok(REQUEST_KEY, claimed.kid(), "The key that was given can be used.");
            Some(key)
        }
        Err(error) => {
            report.error(
                REQUEST_KEY,
                claimed.kid(),
                format!("The key that was given cannot be used: {error}."),
                "Give the JWK that 8x8 answers at /chat-gateway/v1/jwk/{kid}/public for this kid.",
            );
            None
        }
    }
}

async fn fetched_key(tenant: &TenantConfig, claimed: &Claimed, report: &mut Report) -> Option<VerifyingKey> {
    let kid = claimed.kid();
    let asked = match gateway(tenant) {
        Ok(gateway) => gateway.verification_key(&tenant.id, kid).await,
        Err(error) => Err(error),
    };
    let error = match asked {
        Ok(jwk) => match VerifyingKey::from_jwk(&jwk, kid) {
            Ok(key) => {
                report.ok(REQUEST_KEY, kid, "8x8 has the key, and it can be used.");
                return Some(key);
            }
            Err(error) => {
                report.error(
                    REQUEST_KEY,
                    kid,
                    format!("What 8x8 answers for this kid cannot be used: {error} (unusable_key)."),
                    "Report it to 8x8, with the kid.",
                );
                return None;
            }
        },
        Err(error) => error,
    };
    match error.kind {
        UpstreamErrorKind::NotFound | UpstreamErrorKind::Invalid => report.error(
            REQUEST_KEY,
            kid,
            "8x8 has no such key for the tenant (unknown_key).",
            "See that gateway_url is the region that sent it, and that it was 8x8 who did; a key may have been withdrawn since.",
        ),
        _ => report.error(
            REQUEST_KEY,
            kid,
            format!("8x8 cannot be asked for the key: {error} (key_unavailable)."),
            "Let this machine reach gateway_url, or give the key by --jwk.",
        ),
    }
    None
}

fn signature(claimed: &Claimed, key: &VerifyingKey, captured: &Captured, report: &mut Report) {
    let sent_ms = i64::try_from(claimed.transmitted_ms()).unwrap_or(i64::MAX);
    // How old it is was judged before, so that it hides nothing here.
    let verified = claimed
        .clone()
        .fresh(sent_ms, std::time::Duration::ZERO)
        .and_then(|fresh| fresh.verify(key, captured.body.clone()));
    match verified {
        Ok(verified) => {
            report.ok(REQUEST_SIGNATURE, "", "The signature fits key, headers and body.");
            event(&verified, report);
        }
        Err(refusal) => mismatch(
            refusal,
            explain::cause(claimed, key, &captured.body).as_ref(),
            captured,
            report,
        ),
    }
}

fn mismatch(refusal: Refusal, cause: Option<&Cause>, captured: &Captured, report: &mut Report) {
    let checksum = explain::body_checksum(&captured.body);
    let (check, subject, why, remedy): (Check, &str, String, &str) = match cause {
        Some(Cause::Body(how)) => (
            REQUEST_BODY,
            "",
            format!(
                "The body was changed after it was signed: {how}. As it came, its checksum is {checksum}."
            ),
            "Let nothing on the way touch the body, such as a proxy that parses JSON and writes it again; where only the capture \
             is at fault, capture the bytes.",
        ),
        Some(Cause::Retry(retry)) => (
            REQUEST_HEADER,
            "x-8x8-retry",
            format!("It was changed after it was signed: {retry} was signed."),
            "Let the proxy pass on x-8x8-retry as it came.",
        ),
        Some(Cause::Header(name, how)) => (
            REQUEST_HEADER,
            name.as_str(),
            format!("It was changed after it was signed: it {how}."),
            "Let the proxy pass on all x-8x8-… headers as they came.",
        ),
        Some(Cause::Order(order)) => (
            REQUEST_SIGNATURE,
            "",
            format!("The payload was signed with its members in another order: {order}."),
            "8x8 signs checksum, cid, eid, retry, tid, tt, in this order: correct the sender, which is not 8x8.",
        ),
        Some(Cause::Form(what)) => (
            REQUEST_SIGNATURE,
            "",
            format!("Something else was signed than 8x8 signs: {what}."),
            "8x8 signs {\"checksum\":N,\"cid\":\"…\",\"eid\":\"…\",\"retry\":N,\"tid\":\"…\",\"tt\":N} as it is, without spaces: \
             correct the sender, which is not 8x8.",
        ),
        None => (
            REQUEST_SIGNATURE,
            "",
            format!(
                "Neither a usual change of body or headers nor another form explains it: another key signed it, or more than one \
                 thing was changed. As it came, the body's checksum is {checksum}."
            ),
            "Compare the body, byte for byte, with what 8x8 sent; see that nothing on the way changes the x-8x8-… headers, and that \
             it was 8x8 who sent it.",
        ),
    };
    let verdict = format!("The signature does not fit ({}). {why}", refusal.reason());
    if check == REQUEST_SIGNATURE {
        return report.error(check, subject, verdict, remedy);
    }
    report.error(check, subject, why, remedy);
    let sentence = format!(
        "The signature does not fit as it came ({}); with what is said above undone, it does.",
        refusal.reason()
    );
    report.error(REQUEST_SIGNATURE, "", sentence, remedy);
}

fn event(verified: &Verified, report: &mut Report) {
    let event = normalise(verified, Received::default());
    match &event.body {
        EventBody::Unknown { problem } if !problem.is_empty() => report.warning(
            REQUEST_EVENT,
            verified.event(),
            format!("It is kept as an event of kind UNKNOWN: {problem}"),
            "Nothing is lost: streams give its raw JSON on request. Update Chatbridge if 8x8 has a new kind of event.",
        ),
        _ => report.ok(
            REQUEST_EVENT,
            verified.event(),
            format!("It is an event of type {:?} of conversation {:?}.", event.vendor_type, event.key.conversation),
        ),
    }
}
