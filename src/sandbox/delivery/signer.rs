//! The keys that the sandbox signs webhooks with.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    sandbox::{SandboxError, new_id},
    webhook::signer::Signer,
};

/// How many old keys can still be had.
const KEYS_KEPT: usize = 16;

/// A key of its own under a random identifier.
pub(crate) fn generate() -> Result<Signer, SandboxError> {
    Signer::generate(new_id()).ok_or(SandboxError::Key)
}

/// The key that signs, and those that did.
pub(crate) struct Keys {
    current: Arc<Signer>,
    before: Vec<Arc<Signer>>,
}

impl Keys {
    pub(crate) fn generate() -> Result<Self, SandboxError> {
        Ok(Self {
            current: Arc::new(generate()?),
            before: Vec::new(),
        })
    }

    pub(crate) fn current(&self) -> Arc<Signer> {
        Arc::clone(&self.current)
    }

    /// The identifier of the key that signs.
    pub(crate) fn kid(&self) -> &str {
        self.current.kid()
    }

    pub(crate) fn jwk(&self, kid: &str) -> Option<&Value> {
        let mut all = std::iter::once(&self.current).chain(&self.before);
        all.find(|it| it.kid() == kid).map(|it| it.jwk())
    }

    /// Signs with `new` from now on, and says its identifier.
    pub(crate) fn rotate(&mut self, new: Signer, keep_old: bool) -> String {
        let old = std::mem::replace(&mut self.current, Arc::new(new));
        match keep_old {
            true => self.before.insert(0, old),
            false => self.before.clear(),
        }
        self.before.truncate(KEYS_KEPT);
        self.kid().to_owned()
    }
}
