//! Which entries a subscriber wants.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use crate::{
    event::{ConversationKey, TenantId},
    store::{Entry, partition},
};

/// Which entries a subscriber wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Of this tenant.
    pub tenant: TenantId,
    /// Of these conversations; empty: all.
    pub conversations: BTreeSet<String>,
    /// Of the conversations of these shares ([`partition::share`]) alone, which lie in one partition; then `conversations` is
    /// empty.
    pub share: Option<BTreeSet<u16>>,
    /// Of these kinds, as numbers of `EventKind`; empty: all.
    pub kinds: HashSet<i32>,
    /// Whether echoes are wanted.
    pub echoes: bool,
}

impl Filter {
    /// Whether it wants an entry of a log that has so many partitions.
    pub fn accepts(&self, entry: &Entry, partitions: u16) -> bool {
        entry.key.tenant == self.tenant
            && self
                .share
                .as_ref()
                .is_none_or(|shares| shares.contains(&partition::share(&entry.key, partitions)))
            && (self.conversations.is_empty() || self.conversations.contains(&entry.key.conversation))
            && (self.kinds.is_empty() || self.kinds.contains(&entry.kind))
            && (self.echoes || !entry.echo)
    }
}

/// A filter that says which conversations it means, so that none is not all.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) tenant: TenantId,
    pub(super) scope: Scope,
    kinds: HashSet<i32>,
    echoes: bool,
}

/// Of which conversations.
#[derive(Debug, Clone)]
pub(super) enum Scope {
    /// Of all.
    All,
    /// Of these shares.
    Shares(BTreeSet<u16>),
    /// Of these, if any.
    Named(BTreeSet<String>),
}

/// The partitions that matter. For each, its only conversation where there is just one, which is then read through its
/// index.
pub(super) type Sources = BTreeMap<u16, Option<Arc<ConversationKey>>>;

impl Wanted {
    /// What a filter means; `named`: only the conversations that it names, even if it names none.
    pub(super) fn new(filter: Filter, named: bool) -> Self {
        let scope = match filter.share {
            Some(shares) => Scope::Shares(shares),
            None if filter.conversations.is_empty() && !named => Scope::All,
            None => Scope::Named(filter.conversations),
        };
        Self {
            tenant: filter.tenant,
            scope,
            kinds: filter.kinds,
            echoes: filter.echoes,
        }
    }

    /// Whether an entry is wanted of which it is known already that its conversation is.
    pub(super) fn takes(&self, entry: &Entry) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&entry.kind)) && (self.echoes || !entry.echo)
    }

    /// Whether an entry is wanted.
    pub(super) fn accepts(&self, entry: &Entry, partitions: u16) -> bool {
        self.takes(entry)
            && entry.key.tenant == self.tenant
            && match &self.scope {
                Scope::All => true,
                Scope::Shares(shares) => shares.contains(&partition::share(&entry.key, partitions)),
                Scope::Named(names) => names.contains(&entry.key.conversation),
            }
    }

    /// The key of one of the tenant's conversations.
    pub(super) fn key(&self, conversation: &str) -> ConversationKey {
        ConversationKey::new(self.tenant.clone(), conversation)
    }

    /// Adds a conversation; whether it was not there. Without effect where conversations are not named.
    pub(super) fn add(&mut self, conversation: &str) -> bool {
        match &mut self.scope {
            Scope::Named(names) => names.insert(conversation.to_owned()),
            Scope::All | Scope::Shares(_) => false,
        }
    }

    pub(super) fn take_off(&mut self, conversation: &str) {
        if let Scope::Named(names) = &mut self.scope {
            names.remove(conversation);
        }
    }

    /// The conversations that are named.
    pub(super) fn keys(&self) -> impl Iterator<Item = ConversationKey> {
        let names = match &self.scope {
            Scope::Named(names) => Some(names),
            Scope::All | Scope::Shares(_) => None,
        };
        names.into_iter().flatten().map(|id| self.key(id))
    }

    /// Whether every partition matters, whoever writes there.
    pub(super) fn is_all(&self) -> bool {
        matches!(self.scope, Scope::All)
    }

    pub(super) fn sources(&self, partitions: u16) -> Sources {
        match &self.scope {
            Scope::All => (0..partitions).map(|p| (p, None)).collect(),
            Scope::Shares(shares) => shares
                .iter()
                .map(|share| (partition::of_share(*share, partitions), None))
                .collect(),
            Scope::Named(_) => {
                let mut found = Sources::new();
                for key in self.keys() {
                    found
                        .entry(partition::of(&key, partitions))
                        .and_modify(|only| *only = None)
                        .or_insert_with(|| Some(Arc::new(key)));
                }
                found
            }
        }
    }
}
