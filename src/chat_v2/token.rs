//! Access tokens: signed by us, so that any replica knows them and none keeps them.
//!
//! `CLAIMS.MAC`, both base64url: the claims are JSON, the MAC is HMAC-SHA-256 over what stands before the dot. A token says which
//! client asked for it and by which of its secrets. What it is good for is looked up anew for each request: a client that was taken
//! off, or a secret, ends its tokens at once.

use std::collections::BTreeSet;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::policy::{ApiScope, Client, Policy};
use crate::access::token::{TokenHash, hash};

/// What is signed besides the claims, so that no other use of the secret makes a token.
const PURPOSE: &str = "chatbridge chat api v2 access token 1";
/// The longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 1024;

#[derive(Serialize, Deserialize)]
struct Claims {
    /// The client.
    c: String,
    /// What its secret was.
    k: String,
    /// Scopes, as places in [`ApiScope::ALL`].
    s: Vec<usize>,
    /// Until when it is good, Unix milliseconds.
    e: i64,
}

/// Why a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// It is not one of ours, or its client's rights have ended.
    Invalid,
    /// It was good until a time that is over.
    Expired,
}

/// A token that is good.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) client: &'a Client,
    /// What it was given for, as far as the client still may.
    pub(super) scopes: BTreeSet<ApiScope>,
}

/// The client of these credentials.
pub(super) fn client<'a>(policy: &'a Policy, id: &str, secret: &str) -> Option<(&'a Client, TokenHash)> {
    let given = hash(secret);
    let client = policy.client(id)?;
    let known = client
        .secrets
        .iter()
        .find(|known| aws_lc_rs::constant_time::verify_slices_are_equal(*known, &given).is_ok())?;
    Some((client, *known))
}

/// A new token for a client who showed the secret of this hash; `None` where nothing signs.
pub(super) fn issue(
    policy: &Policy,
    client: &Client,
    secret: &TokenHash,
    scopes: &BTreeSet<ApiScope>,
    until_ms: i64,
) -> Option<String> {
    let places = ApiScope::ALL.iter().enumerate();
    let claims = Claims {
        c: client.id.clone(),
        k: print(secret),
        s: places
            .filter(|(_, scope)| scopes.contains(scope))
            .map(|(place, _)| place)
            .collect(),
        e: until_ms,
    };
    let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).ok()?);
    let mac = hmac::sign(&key(policy.token_secrets.first()?), &signed(&claims));
    Some(format!("{claims}.{}", URL_SAFE_NO_PAD.encode(mac)))
}

/// What a token is good for.
pub(super) fn verify<'a>(policy: &'a Policy, token: &str, now_ms: i64) -> Result<Known<'a>, Unknown> {
    let claims = claims(policy, token).ok_or(Unknown::Invalid)?;
    if claims.e <= now_ms {
        return Err(Unknown::Expired);
    }
    let client = policy.client(&claims.c).ok_or(Unknown::Invalid)?;
    if !client.secrets.iter().any(|secret| print(secret) == claims.k) {
        return Err(Unknown::Invalid);
    }
    let given = claims.s.iter().filter_map(|place| ApiScope::ALL.get(*place));
    Ok(Known {
        client,
        scopes: given
            .copied()
            .filter(|scope| client.scopes.contains(scope))
            .collect(),
    })
}

/// The claims of a token that one of our secrets signed.
fn claims(policy: &Policy, token: &str) -> Option<Claims> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let (claims, mac) = token.split_once('.')?;
    let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
    let signed = signed(claims);
    let mut secrets = policy.token_secrets.iter();
    secrets.find(|secret| hmac::verify(&key(secret), &signed, &mac).is_ok())?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

fn signed(claims: &str) -> Vec<u8> {
    format!("{PURPOSE}\n{claims}").into_bytes()
}

fn key(secret: &SecretString) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes())
}

/// By what a token knows a secret, without telling its hash.
fn print(secret: &TokenHash) -> String {
    let twice = hash(&URL_SAFE_NO_PAD.encode(secret));
    URL_SAFE_NO_PAD.encode(&twice[..9])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::access::{CallerLimits, Scope};

    fn policy(secrets: &[&str], client_secrets: &[&str]) -> Policy {
        Policy {
            clients: vec![Client {
                id: "app".into(),
                secrets: client_secrets.iter().map(|secret| hash(secret)).collect(),
                tenants: Scope::All,
                scopes: ApiScope::ALL.into(),
                limits: CallerLimits::default(),
            }],
            token_secrets: secrets.iter().map(|secret| (*secret).to_owned().into()).collect(),
            ..Policy::default()
        }
    }

    fn token(policy: &Policy, secret: &str, until_ms: i64) -> String {
        let (client, hash) = client(policy, "app", secret).unwrap();
        issue(policy, client, &hash, &client.scopes, until_ms).unwrap()
    }

    #[test]
    fn a_token_is_good_until_its_time() {
        let policy = policy(&["one"], &["s3cret"]);
        let token = token(&policy, "s3cret", 1000);
        let known = verify(&policy, &token, 999).unwrap();
        assert_eq!((known.client.id.as_str(), known.scopes.len()), ("app", 6));
        assert_eq!(verify(&policy, &token, 1000).unwrap_err(), Unknown::Expired);
    }

    #[test]
    fn another_replica_and_a_secret_that_is_being_replaced_know_it() {
        let before = policy(&["one"], &["s3cret"]);
        let token = token(&before, "s3cret", 1000);
        assert!(verify(&policy(&["two", "one"], &["s3cret"]), &token, 0).is_ok());
        assert_eq!(
            verify(&policy(&["two"], &["s3cret"]), &token, 0).unwrap_err(),
            Unknown::Invalid
        );
    }

    #[test]
    fn it_ends_with_its_clients_secret_and_with_the_client() {
        let both = policy(&["one"], &["old", "new"]);
        let (old, new) = (token(&both, "old", 1000), token(&both, "new", 1000));
        let after = policy(&["one"], &["new"]);
        assert_eq!(verify(&after, &old, 0).unwrap_err(), Unknown::Invalid);
        assert!(verify(&after, &new, 0).is_ok());
        let nobody = Policy {
            clients: Vec::new(),
            ..after
        };
        assert_eq!(verify(&nobody, &new, 0).unwrap_err(), Unknown::Invalid);
    }

    #[test]
    fn scopes_that_were_taken_back_are_gone_at_once() {
        let mut policy = policy(&["one"], &["s3cret"]);
        let token = token(&policy, "s3cret", 1000);
        policy.clients[0].scopes.remove(&ApiScope::ChannelsWrite);
        let known = verify(&policy, &token, 0).unwrap();
        assert!(!known.scopes.contains(&ApiScope::ChannelsWrite));
        assert_eq!(known.scopes.len(), 5);
    }

    #[test]
    fn wrong_credentials_are_nobodys() {
        let policy = policy(&["one"], &["s3cret"]);
        assert!(client(&policy, "app", "s3cret").is_some());
        assert!(client(&policy, "app", "S3cret").is_none());
        assert!(client(&policy, "App", "s3cret").is_none());
        assert!(client(&policy, "", "").is_none());
    }

    proptest! {
        #[test]
        fn whatever_is_not_ours_is_invalid(text in any::<String>()) {
            let policy = policy(&["one"], &["s3cret"]);
            prop_assert_eq!(verify(&policy, &text, 0).unwrap_err(), Unknown::Invalid);
        }

        #[test]
        fn no_character_of_a_token_may_change(at in 0_usize..200, with in "[A-Za-z0-9_.-]") {
            let policy = policy(&["one"], &["s3cret"]);
            let token = token(&policy, "s3cret", 1000);
            let at = at % token.len();
            let changed = format!("{}{with}{}", &token[..at], &token[at + 1..]);
            prop_assume!(changed != token);
            prop_assert_eq!(verify(&policy, &changed, 0).unwrap_err(), Unknown::Invalid);
        }
    }
}
