//! Who may come in, and what for.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    str::FromStr,
};

use secrecy::SecretString;

use crate::{
    access::{CallerLimits, Grant, Role, Scope, token::TokenHash},
    event::TenantId,
};

/// What an access token is good for, in v2's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "v2's own scopes")]
pub enum ApiScope {
    WebhooksRead,
    WebhooksWrite,
    ChannelsRead,
    ChannelsWrite,
    ConversationsRead,
    ConversationsWrite,
}

impl ApiScope {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::WebhooksRead,
        Self::WebhooksWrite,
        Self::ChannelsRead,
        Self::ChannelsWrite,
        Self::ConversationsRead,
        Self::ConversationsWrite,
    ];

    /// v2's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WebhooksRead => "vcc-chat.webhooks.read",
            Self::WebhooksWrite => "vcc-chat.webhooks.write",
            Self::ChannelsRead => "vcc-chat.channels.read",
            Self::ChannelsWrite => "vcc-chat.channels.write",
            Self::ConversationsRead => "vcc-chat.conversations.read",
            Self::ConversationsWrite => "vcc-chat.conversations.write",
        }
    }
}

impl fmt::Display for ApiScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ApiScope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or(())
    }
}

/// A client with an identifier and a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its identifier, which is also its name in logs.
    pub id: String,
    /// SHA-256 of its secrets: one, or two while it is replaced.
    pub secrets: Vec<TokenHash>,
    /// The tenants that it may use.
    pub tenants: Scope,
    /// What its tokens are good for.
    pub scopes: BTreeSet<ApiScope>,
    /// How much it may use.
    pub limits: CallerLimits,
}

impl Client {
    /// What it is to the use cases. Which operation it may use is told by scopes alone, so the role says no more than they do.
    pub(super) fn grant(&self) -> Grant {
        let writes = self.scopes.contains(&ApiScope::ConversationsWrite);
        Grant {
            name: self.id.clone(),
            role: if writes { Role::Caller } else { Role::Reader },
            tenants: self.tenants.clone(),
            limits: self.limits,
        }
    }
}

/// Who may come in.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The clients.
    pub clients: Vec<Client>,
    /// What tokens are signed with: the first signs, all are known.
    pub token_secrets: Vec<SecretString>,
    /// The vendor's webhook by which it delivers to us, for each tenant that has one.
    pub webhooks: HashMap<TenantId, String>,
}

impl Policy {
    /// The client of this identifier.
    pub(super) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }
}
