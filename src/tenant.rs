//! The tenants that are served, each with its door to the vendor.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
};

use async_trait::async_trait;
use tokio::time::Instant;

use crate::{
    access::{Caller, Denied, Scope},
    error::Error,
    event::TenantId,
    gateway::{Gateway, UpstreamError, UpstreamErrorKind},
    webhook::KeySource,
};

/// A tenant that is served.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// The vendor's identifier.
    pub id: TenantId,
    /// Its door to the vendor.
    pub gateway: Gateway,
    /// The largest file that is taken for upload, in bytes.
    pub attachment_max_bytes: u64,
    /// The channels on which its conversations may be started; empty: all.
    pub channels: Arc<BTreeSet<String>>,
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

    /// Whether a conversation may be started on this channel.
    pub fn may_use(&self, channel: &str) -> Result<(), Error> {
        if self.channels.is_empty() || self.channels.contains(channel) {
            return Ok(());
        }
        Err(Error::ChannelDenied(channel.to_owned()))
    }
}

type All = Arc<[Arc<Tenant>]>;

/// All tenants that are served. Clones share them.
#[derive(Debug, Clone)]
pub struct Tenants(Arc<RwLock<All>>);

impl Tenants {
    /// The tenants.
    pub fn new(tenants: impl IntoIterator<Item = Tenant>) -> Self {
        let all = tenants.into_iter().map(Arc::new).collect();
        Self(Arc::new(RwLock::new(all)))
    }

    /// Serves these from now on. Calls that run go on with the tenant as they found it.
    pub fn replace(&self, tenants: impl IntoIterator<Item = Tenant>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = tenants.into_iter().map(Arc::new).collect();
    }

    fn all(&self) -> All {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The tenant of this identifier.
    pub fn get(&self, id: &str) -> Option<Arc<Tenant>> {
        self.all().iter().find(|tenant| tenant.id.as_str() == id).cloned()
    }

    /// The tenant that a caller names, or its only one where it names none. Of tenants that are not its own it does not hear whether
    /// they exist.
    pub fn of(&self, caller: &Caller, name: &str) -> Result<Arc<Tenant>, Error> {
        if !name.is_empty() {
            return match self.get(name).filter(|tenant| caller.tenants().has(&tenant.id)) {
                Some(tenant) => Ok(tenant),
                None if *caller.tenants() == Scope::All => Err(Error::UnknownTenant(name.to_owned())),
                None => Err(Denied::Tenant.into()),
            };
        }
        let all = self.all();
        let mut own = all.iter().filter(|tenant| caller.tenants().has(&tenant.id));
        match (own.next(), own.next()) {
            (Some(only), None) => Ok(Arc::clone(only)),
            (Some(_), Some(_)) => Err(Error::invalid(
                "tenant",
                "is required, because the caller has several",
            )),
            (None, _) => Err(Denied::Tenant.into()),
        }
    }

    /// Their identifiers.
    pub fn ids(&self) -> Vec<TenantId> {
        self.all().iter().map(|t| t.id.clone()).collect()
    }
}

#[async_trait]
impl KeySource for Tenants {
    async fn signing_key(&self, tenant: &TenantId, kid: &str) -> Result<String, UpstreamError> {
        match self.get(tenant.as_str()) {
            Some(served) => served.gateway.verification_key(tenant, kid).await,
            None => Err(UpstreamError::new(
                UpstreamErrorKind::Unavailable,
                "the tenant is not served any more",
            )),
        }
    }
}
