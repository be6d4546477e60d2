//! Why somebody may not.

use std::time::Duration;

use super::Role;

/// Why somebody may not. None of them says what was presented, or what would have been good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nothing was presented.
    #[error(
        "the call has no credentials: send `authorization: Bearer TOKEN`, or connect with a client certificate, whichever the operator gave you"
    )]
    Missing,
    /// The header is not one of the form `Bearer TOKEN`, or there are several.
    #[error("the authorization header cannot be read: send one, `authorization: Bearer TOKEN`")]
    Malformed,
    /// What was presented is not known, or not signed by whom it says.
    #[error("the credentials are not valid here: ask the operator for ones that are")]
    Invalid,
    /// What was presented is not good any more.
    #[error("the credentials have expired: get new ones, and call again")]
    Expired,
    /// The keys of the issuer cannot be had.
    #[error(
        "the credentials cannot be checked, because their issuer's keys cannot be fetched: call again later"
    )]
    Unverifiable,
    /// They are good, and nobody gave their owner anything.
    #[error("the credentials are valid, and give no rights here: ask the operator for a role")]
    NoGrant,
    /// The role does not reach that far.
    #[error(
        "this call needs the role {needed}, and the caller has {has}: ask the operator for it, or call as somebody else"
    )]
    Role {
        /// What the call needs.
        needed: Role,
        /// What the caller has.
        has: Role,
    },
    /// The tenant is not one of the caller's. Whether it exists is not said.
    #[error("the caller has no rights for this tenant: name one of its own")]
    Tenant,
    /// Too many calls.
    #[error("the caller made more calls than it may: call again later, and less often")]
    TooManyCalls {
        /// When the next may be made.
        retry_after: Duration,
    },
}

impl Denied {
    /// The stable reason that callers may rely on.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing | Self::Malformed => "CREDENTIALS_MISSING",
            Self::Invalid => "CREDENTIALS_INVALID",
            Self::Expired => "CREDENTIALS_EXPIRED",
            Self::Unverifiable => "CREDENTIALS_UNVERIFIABLE",
            Self::NoGrant | Self::Role { .. } => "ROLE_DENIED",
            Self::Tenant => "TENANT_DENIED",
            Self::TooManyCalls { .. } => "CALLER_RATE_LIMITED",
        }
    }
}
