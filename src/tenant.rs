//! The tenants that are served, each with its door to the vendor.

use std::sync::Arc;

use tokio::time::Instant;

use crate::{error::Error, event::TenantId, gateway::Gateway};

/// A tenant that is served.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// The vendor's identifier.
    pub id: TenantId,
    /// Its door to the vendor.
    pub gateway: Gateway,
    /// The largest file that is taken for upload, in bytes.
    pub attachment_max_bytes: u64,
}

impl Tenant {
    /// The same tenant for a caller who waits no longer than this.
    #[must_use]
    pub fn within(&self, deadline: Option<Instant>) -> Self {
        Self {
            gateway: self.gateway.within(deadline),
            ..self.clone()
        }
    }
}

/// All tenants that are served.
#[derive(Debug, Clone)]
pub struct Tenants(Arc<[Arc<Tenant>]>);

impl Tenants {
    /// The tenants.
    pub fn new(tenants: impl IntoIterator<Item = Tenant>) -> Self {
        Self(tenants.into_iter().map(Arc::new).collect())
    }

    /// The tenant that a request names, or the only one where it names none.
    pub fn resolve(&self, name: &str) -> Result<Arc<Tenant>, Error> {
        if name.is_empty() {
            return match &*self.0 {
                [only] => Ok(Arc::clone(only)),
                _ => Err(Error::invalid("tenant", "is required, because there are several")),
            };
        }
        self.0
            .iter()
            .find(|t| t.id.as_str() == name)
            .cloned()
            .ok_or_else(|| Error::UnknownTenant(name.to_owned()))
    }

    /// Their identifiers.
    pub fn ids(&self) -> Vec<TenantId> {
        self.0.iter().map(|t| t.id.clone()).collect()
    }
}
