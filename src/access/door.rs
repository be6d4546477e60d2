//! Tells who calls.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use jsonwebtoken::jwk::JwkSet;

use super::{
    Caller, Denied, Policy,
    caller::Credential,
    issuer::{Unverified, Verdict},
    jwks::{Keys, Looked, Pace},
    token,
    usage::{Ledger, StreamPlace},
};

/// The longest static token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 4096;

/// What a call presents.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// The token of `authorization: Bearer TOKEN`.
    pub bearer: Option<&'a str>,
    /// The names in the client certificate of its connection, and until when that is valid.
    pub certificate: Option<(&'a [String], SystemTime)>,
}

/// Who may call. Clones share it.
#[derive(Clone, Default)]
pub struct Access(Arc<Inner>);

#[derive(Default)]
struct Inner {
    policy: RwLock<Arc<Policy>>,
    /// Counts policies.
    number: AtomicU64,
    issuers: Mutex<Vec<Keys>>,
    usage: Ledger,
    pace: Pace,
}

impl Access {
    /// Who may call under this policy.
    pub fn new(policy: Policy) -> Self {
        let access = Self::default();
        access.replace(policy);
        access
    }

    #[cfg(test)]
    fn with_pace(policy: Policy, pace: Pace) -> Self {
        let access = Self(Arc::new(Inner {
            pace,
            ..Inner::default()
        }));
        access.replace(policy);
        access
    }

    /// Judges by another policy from now on. What is known of issuers and of callers' usage stays.
    pub fn replace(&self, policy: Policy) {
        *self.0.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
        self.0.number.fetch_add(1, Ordering::Release);
    }

    fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.0.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether nothing need be presented.
    pub fn is_open(&self) -> bool {
        self.policy().is_open()
    }

    /// A number that another policy changes.
    pub fn number(&self) -> u64 {
        self.0.number.load(Ordering::Acquire)
    }

    /// Who calls. A token counts before a certificate, and one that is not good is not made up for by a certificate that is.
    pub async fn identify(&self, presented: Presented<'_>) -> Result<Caller, Denied> {
        let policy = self.policy();
        let credential = if policy.is_open() {
            Credential::Nothing
        } else if let Some(token) = presented.bearer {
            self.token(&policy, token).await?
        } else if let Some((identities, not_after)) = presented.certificate {
            Credential::Certificate {
                identities: identities.to_vec(),
                not_after,
            }
        } else {
            Credential::Nothing
        };
        self.judge(&policy, credential)
    }

    /// The same caller under the policy that holds now; what they presented is judged again.
    pub fn again(&self, caller: &Caller) -> Result<Caller, Denied> {
        if caller.until().is_some_and(|until| until <= SystemTime::now()) {
            return Err(Denied::Expired);
        }
        self.judge(&self.policy(), caller.credential().clone())
    }

    /// Counts a call, if it may be made.
    pub fn count(&self, caller: &Caller) -> Result<(), Denied> {
        caller
            .usage()
            .call()
            .map_err(|retry_after| Denied::TooManyCalls { retry_after })
    }

    /// Counts a stream of events for as long as what is answered is kept; `None`: the caller has as many as it may.
    pub fn open_stream(&self, caller: &Caller) -> Option<StreamPlace> {
        caller.usage().open_stream(caller.limits().streams)
    }

    fn judge(&self, policy: &Policy, credential: Credential) -> Result<Caller, Denied> {
        let grant = policy.grant(&credential, SystemTime::now())?;
        let usage = self.0.usage.of(&grant.name, grant.limits);
        Ok(Caller::new(grant, credential, usage))
    }

    async fn token(&self, policy: &Policy, text: &str) -> Result<Credential, Denied> {
        // A static token has no dots, and a web token two.
        if policy.issuers.is_empty() || text.split('.').count() != 3 {
            if text.len() > TOKEN_BYTES_MAX {
                return Err(Denied::Invalid);
            }
            return Ok(Credential::Token(token::hash(text)));
        }
        let unverified = Unverified::read(text)?;
        let issuer = policy
            .issuers
            .iter()
            .find(|issuer| issuer.issuer == unverified.issuer);
        let issuer = issuer.ok_or(Denied::Invalid)?;
        let keys = self.keys_of(&issuer.jwks_url)?;
        let known = keys.known().await.ok_or(Denied::Unverifiable)?;
        let verify = |keys: &JwkSet| issuer.verify(&unverified, keys);
        let claims = match verify(&known) {
            // It may be new.
            Err(Verdict::UnknownKey) => match keys.look_for_others(&known).await {
                Looked::Now(others) => verify(&others),
                // It may still be.
                Looked::Failed | Looked::TooOften => Err(Denied::Unverifiable.into()),
            },
            verdict => verdict,
        };
        match claims {
            Ok(claims) => Ok(Credential::Claims(Box::new(claims))),
            Err(Verdict::Denied(denied)) => Err(denied),
            Err(Verdict::UnknownKey) => Err(Denied::Invalid),
        }
    }

    fn keys_of(&self, url: &url::Url) -> Result<Keys, Denied> {
        let mut issuers = self.0.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = issuers.iter().find(|keys| keys.url() == url) {
            return Ok(keys.clone());
        }
        let keys = Keys::new(url.clone(), self.0.pace).map_err(|_| Denied::Unverifiable)?;
        issuers.push(keys.clone());
        Ok(keys)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("policy", &self.policy())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
