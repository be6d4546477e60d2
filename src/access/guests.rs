//! Callers whom another door than gRPC's has told apart by its own means.

use std::sync::Arc;

use super::{Caller, Denied, Grant, caller::Credential, usage::Ledger};

/// How much each of them uses. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Guests(Arc<Ledger>);

impl Guests {
    /// The caller of this grant, whose call counts; a call too many is denied.
    pub fn admit(&self, grant: Grant) -> Result<Caller, Denied> {
        let usage = self.0.of(&grant.name, grant.limits);
        usage
            .call()
            .map_err(|retry_after| Denied::TooManyCalls { retry_after })?;
        Ok(Caller::new(grant, Credential::Nothing, usage))
    }
}
