//! How many requests a second are taken from one source, and of one tenant.

use std::{hash::Hash, net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use moka::sync::Cache;

use super::Refusal;
use crate::{event::TenantId, grpc::gate::counted};

/// For how many sources it is known at most how much they sent. Beyond that, those are forgotten that send least often.
const SOURCES_MAX: u64 = 65_536;
const TENANTS_MAX: u64 = 16_384;
/// After how long a silence a source is forgotten; by then it may send as much as one that is new.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

/// Requests a second; as many may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateLimits {
    /// From one address, or of IPv6 from one network of 64 bits, whatever it sends; `None`: any number.
    pub per_source: Option<NonZeroU32>,
    /// Of one tenant, of those whose signature is the vendor's; `None`: any number.
    pub per_tenant: Option<NonZeroU32>,
}

/// Counts requests.
#[derive(Debug)]
pub(super) struct Rates {
    sources: Option<Each<IpAddr>>,
    tenants: Option<Each<TenantId>>,
}

impl Rates {
    pub(super) fn new(limits: RateLimits) -> Self {
        Self {
            sources: limits.per_source.map(|rate| Each::new(rate, SOURCES_MAX)),
            tenants: limits.per_tenant.map(|rate| Each::new(rate, TENANTS_MAX)),
        }
    }

    /// Counts a request from an address.
    pub(super) fn count_source(&self, address: IpAddr) -> Result<(), Refusal> {
        match &self.sources {
            Some(sources) if !sources.count(counted(address)) => Err(Refusal::SourceRate),
            _ => Ok(()),
        }
    }

    /// Counts a request of a tenant, once its signature was found good: whoever only claims to speak for a tenant must not use up
    /// what the tenant may send.
    pub(super) fn count_tenant(&self, tenant: &TenantId) -> Result<(), Refusal> {
        match &self.tenants {
            Some(tenants) if !tenants.count(tenant.clone()) => Err(Refusal::TenantRate),
            _ => Ok(()),
        }
    }
}

/// A limit for each key, with bounded memory.
#[derive(Debug)]
struct Each<K: Hash + Eq + Send + Sync + 'static> {
    quota: Quota,
    limiters: Cache<K, Arc<DefaultDirectRateLimiter>>,
}

impl<K: Hash + Eq + Send + Sync + 'static> Each<K> {
    fn new(rate: NonZeroU32, max: u64) -> Self {
        Self {
            quota: Quota::per_second(rate),
            limiters: Cache::builder()
                .max_capacity(max)
                .time_to_idle(FORGOTTEN_AFTER)
                .build(),
        }
    }

    fn count(&self, key: K) -> bool {
        let limiter = self
            .limiters
            .get_with(key, || Arc::new(RateLimiter::direct(self.quota)));
        limiter.check().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn limits(rate: u32) -> RateLimits {
        let rate = NonZeroU32::new(rate);
        RateLimits {
            per_source: rate,
            per_tenant: rate,
        }
    }

    #[test]
    fn each_source_and_each_tenant_has_its_own() {
        let rates = Rates::new(limits(2));
        let address = |last| IpAddr::from(Ipv4Addr::new(192, 0, 2, last));
        for last in [1, 2] {
            let counted = [(); 3].map(|()| rates.count_source(address(last)));
            assert_eq!(counted, [Ok(()), Ok(()), Err(Refusal::SourceRate)]);
        }
        for name in ["a", "b"] {
            let counted = [(); 3].map(|()| rates.count_tenant(&TenantId::new(name)));
            assert_eq!(counted, [Ok(()), Ok(()), Err(Refusal::TenantRate)]);
        }
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_source() {
        let rates = Rates::new(limits(1));
        let count = |text: &str| rates.count_source(text.parse().unwrap());
        assert_eq!(count("2001:db8:1:2::1"), Ok(()));
        assert_eq!(count("2001:db8:1:2:ffff::2"), Err(Refusal::SourceRate));
        assert_eq!(count("2001:db8:1:3::1"), Ok(()));
    }

    #[test]
    fn sources_without_end_take_bounded_memory() {
        let each = Each::new(NonZeroU32::MIN, 100);
        for n in 0..10_000_u32 {
            each.count(IpAddr::from(Ipv4Addr::from_bits(n)));
        }
        each.limiters.run_pending_tasks();
        assert!(
            each.limiters.entry_count() <= 100,
            "{}",
            each.limiters.entry_count()
        );
    }

    #[test]
    fn without_limits_nothing_is_counted() {
        let rates = Rates::new(RateLimits::default());
        for _ in 0..1000 {
            assert_eq!(rates.count_source(Ipv4Addr::LOCALHOST.into()), Ok(()));
        }
        assert!(rates.sources.is_none() && rates.tenants.is_none());
    }
}
