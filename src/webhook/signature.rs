//! From a raw request to a verified delivery.
//!
//! A delivery is signed as a compact JWS with a detached, unencoded payload (RFC 7515, RFC 7797). What is signed is not
//! the body but a few headers and the body's CRC-32, so a body with the same checksum passes here: the log's claim of
//! the event id for the body's digest is the other half of the defence.
//!
//! The steps are types, so none can be left out: [`Claimed`] (read, not trusted), [`Fresh`] (sent about now),
//! [`Verified`] (signed by the vendor).

use std::{fmt, time::Duration};

use axum::http::{HeaderMap, HeaderName};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde::Deserialize;

use super::{Refusal, VerifyingKey};

/// Header of the tenant.
pub const TENANT: HeaderName = HeaderName::from_static("x-8x8-tenant-id");
/// Header of the vendor's customer.
pub const CUSTOMER: HeaderName = HeaderName::from_static("x-8x8-customer-id");
/// Header of the event, equal across its deliveries.
pub const EVENT: HeaderName = HeaderName::from_static("x-8x8-event-id");
/// Header of the time of this delivery, Unix milliseconds.
pub const TRANSMISSION_TIME: HeaderName = HeaderName::from_static("x-8x8-transmission-time");
/// Header of the number of this delivery, from 0.
pub const RETRY: HeaderName = HeaderName::from_static("x-8x8-retry");
/// Header of the signature.
pub const SIGNATURE: HeaderName = HeaderName::from_static("x-8x8-signature");

/// The longest tenant, customer or event id, in bytes.
const MAX_ID_BYTES: usize = 256;
/// The longest key id, in bytes. It becomes part of a URL.
const MAX_KID_BYTES: usize = 128;
/// The longest signature header, in bytes: a signature of 8192 bits takes 1366 of them.
const MAX_SIGNATURE_BYTES: usize = 4096;

/// What a request claims, read and checked for its form, but not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    tenant: String,
    customer: String,
    event: String,
    transmitted_ms: u64,
    retry: u32,
    kid: String,
    /// The protected header as sent: the first part of the signing input.
    protected: String,
    signature: Vec<u8>,
}

/// A claim that was sent about now, if it is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh(Claimed);

/// A delivery that the vendor signed. Only [`Fresh::verify`] makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified {
    claimed: Claimed,
    body: Bytes,
}

/// The JWS protected header. Parameters that are not named here are not critical (RFC 7515, 4.1.11) and are not looked
/// at, keys and addresses of keys least of all; one that is named may be there only once.
#[derive(Deserialize)]
struct Protected {
    alg: String,
    kid: String,
    b64: Option<bool>,
    crit: Option<Vec<String>>,
}

impl Claimed {
    /// Reads the six headers. Each must be there exactly once.
    ///
    /// `x-8x8-retry` is no exception, although a missing one could be taken for 0: a proxy that drops it would then let
    /// first deliveries pass and fail every repeat, which is harder to find than a refusal with a reason.
    pub fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        let signature = one(headers, &SIGNATURE)?;
        let tenant = id(one(headers, &TENANT)?)?;
        let customer = id(one(headers, &CUSTOMER)?)?;
        let event = id(one(headers, &EVENT)?)?;
        let transmitted_ms = number(one(headers, &TRANSMISSION_TIME)?)?;
        let retry = number(one(headers, &RETRY)?)?;
        let (protected, kid, signature) = compact(signature)?;
        Ok(Self {
            tenant,
            customer,
            event,
            transmitted_ms,
            retry: u32::try_from(retry).map_err(|_| Refusal::MalformedHeader)?,
            kid,
            protected,
            signature,
        })
    }

    /// The tenant that it names.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The event that it names.
    pub fn event(&self) -> &str {
        &self.event
    }

    /// When it says that it was sent, Unix milliseconds.
    pub fn transmitted_ms(&self) -> u64 {
        self.transmitted_ms
    }

    /// Which delivery of the event it says that it is, from 0.
    pub fn retry(&self) -> u32 {
        self.retry
    }

    /// The key that it says it is signed with.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Checks that it was sent at most `window` before or after `now_ms` (Unix milliseconds). The limit itself passes.
    pub fn fresh(self, now_ms: i64, window: Duration) -> Result<Fresh, Refusal> {
        let away_ms = i128::from(now_ms) - i128::from(self.transmitted_ms);
        if away_ms.unsigned_abs() > window.as_millis() {
            return Err(Refusal::Stale);
        }
        Ok(Fresh(self))
    }

    /// What the vendor signs for a body. The identifiers are of characters that JSON never escapes.
    fn payload(&self, body: &[u8]) -> String {
        format!(
            r#"{{"checksum":{},"cid":"{}","eid":"{}","retry":{},"tid":"{}","tt":{}}}"#,
            checksum(body),
            self.customer,
            self.event,
            self.retry,
            self.tenant,
            self.transmitted_ms,
        )
    }

    /// Whether the signature is this key's for the body.
    fn is_signed(&self, key: &VerifyingKey, body: &[u8]) -> bool {
        let input = format!("{}.{}", self.protected, self.payload(body));
        key.verifies(input.as_bytes(), &self.signature)
    }
}

impl Fresh {
    /// What it claims.
    pub fn claimed(&self) -> &Claimed {
        &self.0
    }

    /// Checks the signature over the headers and the body's raw bytes. `key` must be the one that [`Claimed::kid`] names.
    pub fn verify(self, key: &VerifyingKey, body: Bytes) -> Result<Verified, Refusal> {
        let claimed = self.0;
        if !claimed.is_signed(key, &body) {
            return Err(Refusal::BadSignature);
        }
        Ok(Verified { claimed, body })
    }
}

impl Verified {
    /// The tenant (`tid`).
    pub fn tenant(&self) -> &str {
        &self.claimed.tenant
    }

    /// The vendor's customer (`cid`).
    pub fn customer(&self) -> &str {
        &self.claimed.customer
    }

    /// The event, equal across its deliveries (`eid`).
    pub fn event(&self) -> &str {
        &self.claimed.event
    }

    /// The number of this delivery, from 0.
    pub fn retry(&self) -> u32 {
        self.claimed.retry
    }

    /// When it was sent, Unix milliseconds by the vendor's clock.
    pub fn transmitted_ms(&self) -> i64 {
        // Reading it let at most 15 digits pass.
        i64::try_from(self.claimed.transmitted_ms).unwrap_or(i64::MAX)
    }

    /// The body as received.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// A delivery that nobody signed, for tests of what comes after verification.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn unsigned(tenant: &str, event: &str, transmitted_ms: u64, body: Bytes) -> Self {
        let claimed = Claimed {
            tenant: tenant.to_owned(),
            customer: "customer".to_owned(),
            event: event.to_owned(),
            transmitted_ms,
            retry: 0,
            kid: "kid".to_owned(),
            protected: String::new(),
            signature: Vec::new(),
        };
        Self { claimed, body }
    }
}

impl fmt::Debug for Verified {
    // The body is the customer's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("tenant", &self.claimed.tenant)
            .field("event", &self.claimed.event)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The checksum by which a signature binds a body.
pub(super) fn checksum(body: &[u8]) -> u32 {
    crc32fast::hash(body)
}

/// Reads one of the six headers as [`Claimed::read`] does.
pub(super) fn check(headers: &HeaderMap, name: &HeaderName) -> Result<(), Refusal> {
    let value = one(headers, name)?;
    if *name == SIGNATURE {
        return compact(value).map(drop);
    }
    if *name == TRANSMISSION_TIME || *name == RETRY {
        let number = number(value)?;
        // What cannot count deliveries is none.
        let fits = *name != RETRY || u32::try_from(number).is_ok();
        return if fits {
            Ok(())
        } else {
            Err(Refusal::MalformedHeader)
        };
    }
    id(value).map(drop)
}

/// What may have been signed in place of what a request says, tried with the vendor's key. See [`super::explain`].
pub(super) struct Trial<'a> {
    pub(super) claimed: &'a Claimed,
    pub(super) key: &'a VerifyingKey,
    pub(super) body: &'a [u8],
}

impl Trial<'_> {
    /// Whether the signature fits as it is.
    pub(super) fn is_signed(&self) -> bool {
        self.claimed.is_signed(self.key, self.body)
    }

    /// Whether it would with another body.
    pub(super) fn fits_body(&self, body: &[u8]) -> bool {
        self.claimed.is_signed(self.key, body)
    }

    /// Whether it would with another retry count.
    pub(super) fn fits_retry(&self, retry: u32) -> bool {
        let claimed = Claimed {
            retry,
            ..self.claimed.clone()
        };
        claimed.is_signed(self.key, self.body)
    }

    /// Whether it would with other identifiers: tenant, customer, event.
    pub(super) fn fits_ids(&self, ids: [String; 3]) -> bool {
        let [tenant, customer, event] = ids;
        let claimed = Claimed {
            tenant,
            customer,
            event,
            ..self.claimed.clone()
        };
        claimed.is_signed(self.key, self.body)
    }

    /// Tenant, customer and event as they are.
    pub(super) fn ids(&self) -> [String; 3] {
        let Claimed {
            tenant,
            customer,
            event,
            ..
        } = self.claimed;
        [tenant.clone(), customer.clone(), event.clone()]
    }

    /// Retry count and transmission time as they are.
    pub(super) fn numbers(&self) -> (u32, u64) {
        (self.claimed.retry, self.claimed.transmitted_ms)
    }

    /// Whether it would with this text in place of the payload.
    pub(super) fn fits_payload(&self, payload: &str) -> bool {
        let input = format!("{}.{payload}", self.claimed.protected);
        self.key.verifies(input.as_bytes(), &self.claimed.signature)
    }
}

/// An identifier for the log, of a request whose other headers may be wrong.
pub(super) fn identifier(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    id(one(headers, name).ok()?).ok()
}

/// The value of a header that must be there once, as text.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(Refusal::MissingHeader)?;
    if values.next().is_some() {
        return Err(Refusal::DuplicateHeader);
    }
    value.to_str().map_err(|_| Refusal::MalformedHeader)
}

/// An identifier of a conservative set: nothing that JSON must escape, so that the signed text has one form, and nothing
/// that is awkward in logs.
fn id(value: &str) -> Result<String, Refusal> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:@+=/|,".contains(&b);
    if value.is_empty() || value.len() > MAX_ID_BYTES || !value.bytes().all(allowed) {
        return Err(Refusal::MalformedHeader);
    }
    Ok(value.to_owned())
}

/// A number in the one form that JSON would have it in: no sign, no leading zero, at most 15 digits.
fn number(value: &str) -> Result<u64, Refusal> {
    let canonical = value == "0" || !value.starts_with('0');
    if value.is_empty() || value.len() > 15 || !canonical || !value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refusal::MalformedHeader);
    }
    value.parse().map_err(|_| Refusal::MalformedHeader)
}

/// Takes a compact JWS with a detached payload apart: protected header as sent, key id, signature.
fn compact(value: &str) -> Result<(String, String, Vec<u8>), Refusal> {
    if value.len() > MAX_SIGNATURE_BYTES {
        return Err(Refusal::MalformedSignature);
    }
    let segments: Vec<&str> = value.split('.').collect();
    let [protected, payload, signature] = segments[..] else {
        return Err(Refusal::MalformedSignature);
    };
    if !payload.is_empty() {
        return Err(Refusal::AttachedPayload);
    }
    let decode = |part: &str| {
        URL_SAFE_NO_PAD
            .decode(part)
            .map_err(|_| Refusal::MalformedSignature)
    };
    let kid = protected_kid(&decode(protected)?)?;
    let signature = decode(signature)?;
    if signature.is_empty() {
        return Err(Refusal::MalformedSignature);
    }
    Ok((protected.to_owned(), kid, signature))
}

/// Checks the protected header and answers its key id.
fn protected_kid(json: &[u8]) -> Result<String, Refusal> {
    // A list would do for a struct in serde's eyes.
    if !json.starts_with(b"{") {
        return Err(Refusal::MalformedSignature);
    }
    let header: Protected = serde_json::from_slice(json).map_err(|_| Refusal::MalformedSignature)?;
    if header.alg != "RS256" {
        return Err(Refusal::UnsupportedAlgorithm);
    }
    if header.crit.as_deref().is_none_or(|crit| crit != ["b64"]) {
        return Err(Refusal::UnsupportedCrit);
    }
    if header.b64 != Some(false) {
        return Err(Refusal::UnsupportedB64);
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let kid = header.kid;
    if kid.is_empty() || kid.len() > MAX_KID_BYTES || !kid.bytes().all(allowed) {
        return Err(Refusal::MalformedKid);
    }
    Ok(kid)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claimed() -> Claimed {
        Verified::unsigned("tenant01", "event-1", 1_629_804_577_105, Bytes::new()).claimed
    }

    #[test]
    fn the_payload_has_the_vendors_keys_in_the_vendors_order() {
        let body = br#"{"eventType":"AGENT_JOINED","messageType":"SYSTEM","conversationId":"Aka5NMHU8MtIG7lUQOxI0DTOvM4","agentId":"cmalutan","agentName":"Cosmin,Malutan","timestamp":1629804577002}"#;
        assert_eq!(
            claimed().payload(body),
            r#"{"checksum":1564621066,"cid":"customer","eid":"event-1","retry":0,"tid":"tenant01","tt":1629804577105}"#
        );
    }

    #[test]
    fn freshness_reaches_to_the_limit_in_both_directions() {
        let window = Duration::from_secs(300);
        let sent = 1_629_804_577_105;
        for (away_ms, passes) in [
            (0, true),
            (300_000, true),
            (-300_000, true),
            (300_001, false),
            (-300_001, false),
        ] {
            let fresh = claimed().fresh(sent + away_ms, window);
            assert_eq!(fresh.is_ok(), passes, "{away_ms} ms away");
        }
        assert_eq!(claimed().fresh(i64::MIN, window), Err(Refusal::Stale));
        assert_eq!(claimed().fresh(i64::MAX, window), Err(Refusal::Stale));
    }

    #[test]
    fn numbers_are_taken_in_one_form_alone() {
        assert_eq!(number("0"), Ok(0));
        assert_eq!(number("999999999999999"), Ok(999_999_999_999_999));
        for wrong in [
            "",
            "00",
            "01",
            "-1",
            "+1",
            "1.0",
            "1e3",
            " 1",
            "1000000000000000",
            "٣",
        ] {
            assert_eq!(number(wrong), Err(Refusal::MalformedHeader), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn hostile_signatures_never_panic(value in "[ -~]{0,200}", header in ".{0,200}") {
            let _ = compact(&value);
            let _ = compact(&format!("{}..c2ln", URL_SAFE_NO_PAD.encode(&header)));
        }

        #[test]
        fn a_key_id_never_leaves_its_character_set(kid in ".{0,150}") {
            let header = serde_json::json!({ "b64": false, "crit": ["b64"], "kid": kid, "alg": "RS256" });
            if let Ok(taken) = protected_kid(header.to_string().as_bytes()) {
                prop_assert!(taken.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
                prop_assert!((1..=128).contains(&taken.len()));
            }
        }
    }
}
