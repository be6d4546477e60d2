//! Somebody who calls, and what they may.

use std::{collections::BTreeSet, fmt, num::NonZeroU32, str::FromStr, sync::Arc, time::SystemTime};

use super::{claims::Claims, usage::Usage};
use crate::event::TenantId;

/// What a caller may do; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Events and reads.
    Reader,
    /// Conversations, messages, files, subscriptions.
    Caller,
    /// The vendor's webhooks and channels, and erasing.
    Admin,
}

impl Role {
    /// Its name in settings and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Caller => "caller",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Reader, Self::Caller, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(())
    }
}

/// Whose data a caller may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// That of every tenant, also of those that are added later.
    All,
    /// That of these.
    Only(BTreeSet<TenantId>),
}

impl Scope {
    /// Whether the tenant is among them.
    pub fn has(&self, tenant: &TenantId) -> bool {
        match self {
            Self::All => true,
            Self::Only(tenants) => tenants.contains(tenant),
        }
    }
}

/// How much of a replica one caller may use at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallerLimits {
    /// Calls a second, with as many at once after a pause; `None`: any number.
    pub calls_per_second: Option<NonZeroU32>,
    /// Open streams of `AgentEvents`; 0: any number.
    pub streams: usize,
}

/// What somebody was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who they are, for logs and limits.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whose data they may touch.
    pub tenants: Scope,
    /// How much they may use.
    pub limits: CallerLimits,
}

/// What was presented and found good, kept so that it can be judged again under another policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Credential {
    /// Nothing, where nothing is asked for.
    Nothing,
    /// A static token, by its SHA-256.
    Token([u8; 32]),
    /// The names in a client certificate that was verified.
    Certificate {
        identities: Vec<String>,
        not_after: SystemTime,
    },
    /// The claims of a web token that was verified.
    Claims(Box<Claims>),
}

impl Credential {
    /// Until when it is good by itself; `None`: for ever.
    pub(super) fn until(&self) -> Option<SystemTime> {
        match self {
            Self::Nothing | Self::Token(_) => None,
            Self::Certificate { not_after, .. } => Some(*not_after),
            Self::Claims(claims) => Some(claims.until),
        }
    }
}

/// Somebody who calls.
#[derive(Clone)]
pub struct Caller(Arc<Inner>);

struct Inner {
    grant: Grant,
    credential: Credential,
    usage: Arc<Usage>,
}

impl Caller {
    pub(super) fn new(grant: Grant, credential: Credential, usage: Arc<Usage>) -> Self {
        Self(Arc::new(Inner {
            grant,
            credential,
            usage,
        }))
    }

    /// Somebody who may read, of no tenant: what a call is that nobody let in.
    pub fn nobody() -> Self {
        let grant = Grant {
            name: String::new(),
            role: Role::Reader,
            tenants: Scope::Only(BTreeSet::new()),
            limits: CallerLimits::default(),
        };
        Self::new(grant, Credential::Nothing, Arc::default())
    }

    /// Who they are, for logs and limits.
    pub fn name(&self) -> &str {
        &self.0.grant.name
    }

    /// What they may do.
    pub fn role(&self) -> Role {
        self.0.grant.role
    }

    /// Whose data they may touch.
    pub fn tenants(&self) -> &Scope {
        &self.0.grant.tenants
    }

    /// Until when what they presented is good by itself; `None`: for ever.
    pub fn until(&self) -> Option<SystemTime> {
        self.0.credential.until()
    }

    pub(super) fn credential(&self) -> &Credential {
        &self.0.credential
    }

    pub(super) fn usage(&self) -> &Arc<Usage> {
        &self.0.usage
    }

    pub(super) fn limits(&self) -> CallerLimits {
        self.0.grant.limits
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not what they presented.
        self.0.grant.fmt(f)
    }
}
