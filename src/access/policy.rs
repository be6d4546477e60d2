//! What may be presented, and what for.

use std::{collections::HashMap, time::SystemTime};

use super::{Denied, Grant, IssuerPolicy, Role, Scope, caller::Credential, token::TokenHash};

/// What may be presented, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Static tokens, by their hash.
    pub tokens: HashMap<TokenHash, Grant>,
    /// Names in client certificates: URIs as they are, DNS names as `dns:NAME` in lower case.
    pub identities: HashMap<String, Grant>,
    /// Whose web tokens are taken.
    pub issuers: Vec<IssuerPolicy>,
}

impl Policy {
    /// Whether nothing may be presented, so that whoever reaches the port may do all.
    pub fn is_open(&self) -> bool {
        self.tokens.is_empty() && self.identities.is_empty() && self.issuers.is_empty()
    }

    /// What somebody gets for what was presented and verified.
    pub(super) fn grant(&self, credential: &Credential, now: SystemTime) -> Result<Grant, Denied> {
        if self.is_open() {
            return Ok(Grant {
                name: "anonymous".to_owned(),
                role: Role::Admin,
                tenants: Scope::All,
                limits: super::CallerLimits::default(),
            });
        }
        // A web token's time was looked at when it was verified, with some leeway for clocks.
        if matches!(credential, Credential::Certificate { not_after, .. } if *not_after <= now) {
            return Err(Denied::Expired);
        }
        match credential {
            Credential::Nothing => Err(Denied::Missing),
            Credential::Token(hash) => self.tokens.get(hash).cloned().ok_or(Denied::Invalid),
            Credential::Certificate { identities, .. } => identities
                .iter()
                .find_map(|identity| self.identities.get(identity))
                .cloned()
                .ok_or(Denied::NoGrant),
            Credential::Claims(claims) => {
                let issuer = self.issuers.iter().find(|issuer| issuer.issuer == claims.issuer);
                issuer.ok_or(Denied::Invalid)?.grant(claims)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::access::CallerLimits;

    fn grant(name: &str) -> Grant {
        Grant {
            name: name.into(),
            role: Role::Reader,
            tenants: Scope::All,
            limits: CallerLimits::default(),
        }
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1000)
    }

    #[test]
    fn without_any_method_all_may_do_all_whatever_they_present() {
        let policy = Policy::default();
        for credential in [Credential::Nothing, Credential::Token([1; 32])] {
            let given = policy.grant(&credential, now()).unwrap();
            assert_eq!((given.role, given.tenants), (Role::Admin, Scope::All));
        }
    }

    #[test]
    fn with_one_method_nothing_is_not_enough() {
        let policy = Policy {
            tokens: [([1; 32], grant("a"))].into(),
            ..Policy::default()
        };
        assert_eq!(policy.grant(&Credential::Nothing, now()), Err(Denied::Missing));
        assert_eq!(
            policy.grant(&Credential::Token([2; 32]), now()),
            Err(Denied::Invalid)
        );
        assert_eq!(policy.grant(&Credential::Token([1; 32]), now()), Ok(grant("a")));
    }

    #[test]
    fn a_certificate_counts_by_the_first_name_that_is_known_until_it_ends() {
        let policy = Policy {
            identities: [("dns:b".to_owned(), grant("b"))].into(),
            ..Policy::default()
        };
        let certificate = |names: &[&str], secs| Credential::Certificate {
            identities: names.iter().map(|name| (*name).to_owned()).collect(),
            not_after: SystemTime::UNIX_EPOCH + Duration::from_secs(secs),
        };
        assert_eq!(
            policy.grant(&certificate(&["spiffe://a", "dns:b"], 1001), now()),
            Ok(grant("b"))
        );
        assert_eq!(
            policy.grant(&certificate(&["dns:b"], 1000), now()),
            Err(Denied::Expired)
        );
        assert_eq!(
            policy.grant(&certificate(&["dns:c"], 1001), now()),
            Err(Denied::NoGrant)
        );
    }
}
