//! Web tokens (RFC 7519) of an issuer.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, Header, Validation, dangerous, decode, decode_header,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::{
    ClaimGrant, Claims, Denied, Grant,
    claims::find,
    jwks::{Keys, Pace},
};
use crate::json;

/// The longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 16 << 10;
/// The longest name of a caller, in bytes.
const NAME_BYTES_MAX: usize = 256;
/// How far the issuer's clock may be from ours.
const LEEWAY: Duration = Duration::from_secs(30);

/// An issuer whose web tokens are taken.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuerPolicy {
    /// `iss` of its tokens.
    pub issuer: String,
    /// One of these must be in `aud`.
    pub audiences: Vec<String>,
    /// How it signs: only public-key algorithms.
    pub algorithms: Vec<Algorithm>,
    /// Where its keys are (RFC 7517). Nothing in a token can name another place.
    pub jwks_url: Url,
    /// The claim that names the caller.
    pub name_claim: String,
    /// What its claims are worth; the first that fits counts.
    pub grants: Vec<ClaimGrant>,
}

impl fmt::Debug for IssuerPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerPolicy")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// The keys that an issuer publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedKeys {
    /// How many there are.
    pub all: usize,
    /// How many of them can verify tokens by one of the issuer's algorithms.
    pub usable: usize,
}

/// The one claim that is read before anything is verified.
#[derive(Deserialize)]
struct Issued {
    iss: String,
}

/// All claims, whatever they are called.
#[derive(Deserialize)]
#[serde(transparent)]
struct All {
    #[serde(deserialize_with = "json::value")]
    claims: Value,
}

/// A token of which nothing is verified yet.
pub(super) struct Unverified<'a> {
    token: &'a str,
    header: Header,
    /// Who it says issued it.
    pub(super) issuer: String,
}

impl<'a> Unverified<'a> {
    /// Reads what says how to verify it.
    pub(super) fn read(token: &'a str) -> Result<Self, Denied> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Denied::Invalid);
        }
        let header = decode_header(token).map_err(|_| Denied::Invalid)?;
        let Issued { iss: issuer } = dangerous::insecure_decode_claims(token).map_err(|_| Denied::Invalid)?;
        Ok(Self {
            token,
            header,
            issuer,
        })
    }

    /// The name of the key that it says it was signed with.
    pub(super) fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }
}

impl IssuerPolicy {
    /// Fetches the keys once, for whoever wants to know whether they are there. The error says what is wrong without the address,
    /// which may hold a secret.
    pub async fn published_keys(&self) -> Result<PublishedKeys, String> {
        let keys = Keys::new(self.jwks_url.clone(), Pace::default());
        let keys = keys.map_err(|error| error.without_url().to_string())?;
        let keys = keys.get().await?.keys;
        let is_usable = |key: &&Jwk| self.algorithms.iter().any(|it| verifies(key, *it));
        Ok(PublishedKeys {
            all: keys.len(),
            usable: keys.iter().filter(is_usable).count(),
        })
    }

    /// Verifies a token that says it is of this issuer.
    pub(super) fn verify(&self, token: &Unverified<'_>, keys: &JwkSet) -> Result<Claims, Verdict> {
        // Nothing that a header says must be understood is (RFC 7515, 4.1.11).
        if !self.algorithms.contains(&token.header.alg) || token.header.crit.is_some() {
            return Err(Verdict::Denied(Denied::Invalid));
        }
        let key = key(keys, token.kid(), token.header.alg).ok_or(Verdict::UnknownKey)?;
        let key = DecodingKey::from_jwk(key).map_err(|_| Denied::Invalid)?;
        let mut validation = Validation::new(token.header.alg);
        validation.leeway = LEEWAY.as_secs();
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&self.audiences);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        let decoded = decode::<All>(token.token, &key, &validation).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => Denied::Expired,
            _ => Denied::Invalid,
        })?;
        let Value::Object(all) = decoded.claims.claims else {
            return Err(Denied::Invalid.into());
        };
        let until = expiry(&all).ok_or(Denied::Invalid)?;
        Ok(Claims {
            issuer: self.issuer.clone(),
            until,
            all,
        })
    }

    /// What somebody gets of whom it claims this.
    pub(super) fn grant(&self, claims: &Claims) -> Result<Grant, Denied> {
        let name = find(&claims.all, &self.name_claim).and_then(Value::as_str);
        let is_name = |name: &&str| {
            !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control)
        };
        let name = name.filter(is_name).ok_or(Denied::NoGrant)?;
        // Names of two issuers are not one caller's.
        let name = format!("{name} ({})", self.issuer);
        let mut granted = self.grants.iter().filter_map(|grant| grant.grant(claims, &name));
        granted.next().ok_or(Denied::NoGrant)
    }
}

/// Why a token is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The issuer has no such key, as far as is known.
    UnknownKey,
    /// It is not good.
    Denied(Denied),
}

impl From<Denied> for Verdict {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

/// The key of this name for signatures; without a name, the only one there is.
fn key<'a>(keys: &'a JwkSet, kid: Option<&str>, algorithm: Algorithm) -> Option<&'a Jwk> {
    let mut fitting = keys
        .keys
        .iter()
        .filter(|key| kid.is_none_or(|kid| key.common.key_id.as_deref() == Some(kid)))
        .filter(|key| is_for(key, algorithm));
    let first = fitting.next()?;
    fitting.next().is_none().then_some(first)
}

/// Whether a key says that it is for signatures of this kind, or does not say what it is for.
fn is_for(key: &Jwk, algorithm: Algorithm) -> bool {
    let of_algorithm = key
        .common
        .key_algorithm
        .is_none_or(|of| of.to_string() == format!("{algorithm:?}"));
    let signs = key
        .common
        .public_key_use
        .as_ref()
        .is_none_or(|of| *of == PublicKeyUse::Signature);
    of_algorithm && signs
}

/// Whether a key can verify such signatures.
fn verifies(key: &Jwk, algorithm: Algorithm) -> bool {
    let is_of_kind = match &key.algorithm {
        AlgorithmParameters::RSA(_) => algorithm.family() == AlgorithmFamily::Rsa,
        AlgorithmParameters::EllipticCurve(it) => matches!(
            (&it.curve, algorithm),
            (EllipticCurve::P256, Algorithm::ES256) | (EllipticCurve::P384, Algorithm::ES384)
        ),
        AlgorithmParameters::OctetKeyPair(_) => algorithm.family() == AlgorithmFamily::Ed,
        // Secrets that both sides know are never taken.
        _ => false,
    };
    is_of_kind && is_for(key, algorithm) && DecodingKey::from_jwk(key).is_ok()
}

/// `exp`, which is in seconds, and may have a fraction.
fn expiry(claims: &Map<String, Value>) -> Option<SystemTime> {
    let seconds = claims.get("exp")?.as_f64()?;
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since)
}
