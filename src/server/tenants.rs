//! The tenants of a configuration, each with its client of the Chat Gateway.

use std::{sync::Arc, time::Duration};

use secrecy::ExposeSecret as _;

use crate::{
    config::TenantConfig,
    gateway::{Gateway, GatewaySettings, Resilience, UpstreamError},
    tenant::Tenant,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The tenants as they were configured last.
#[derive(Debug, Default)]
pub(super) struct Made(Vec<(TenantConfig, Tenant)>);

impl Made {
    /// Makes the tenants of a configuration. One whose way to the vendor did not change keeps its client, with its connections, its
    /// limits and what its circuit breaker knows.
    pub(super) fn make(&self, configs: &[TenantConfig]) -> Result<Self, UpstreamError> {
        let made = configs.iter().map(|config| {
            let known = self.0.iter().find(|(other, _)| has_same_gateway(other, config));
            let gateway = match known {
                Some((_, tenant)) => tenant.gateway.clone(),
                None => gateway(config)?,
            };
            let tenant = Tenant {
                id: config.id.clone(),
                gateway,
                attachment_max_bytes: config.attachment_max_bytes,
                channels: Arc::new(config.channels.clone()),
            };
            Ok((config.clone(), tenant))
        });
        made.collect::<Result<_, _>>().map(Self)
    }

    /// The tenants.
    pub(super) fn tenants(&self) -> impl Iterator<Item = Tenant> + '_ {
        self.0.iter().map(|(_, tenant)| tenant.clone())
    }
}

/// A client of the Chat Gateway for a tenant, as it is configured.
pub(crate) fn gateway(config: &TenantConfig) -> Result<Gateway, UpstreamError> {
    Gateway::new(GatewaySettings {
        base_url: config.gateway_url.clone(),
        api_key: config.api_key.clone(),
        timeout: config.gateway_timeout,
        connect_timeout: CONNECT_TIMEOUT.min(config.gateway_timeout),
        transfer_timeout: config.transfer_timeout,
        resilience: Resilience {
            attempts: config.gateway_attempts,
            rate_per_second: config.gateway_rate_per_second,
            in_flight: config.gateway_in_flight,
            circuit_open: config.gateway_circuit_open,
        },
    })
}

fn has_same_gateway(a: &TenantConfig, b: &TenantConfig) -> bool {
    let plain = |it: &TenantConfig| {
        (
            it.id.clone(),
            it.gateway_url.clone(),
            it.gateway_timeout,
            it.gateway_attempts,
            it.gateway_rate_per_second,
            it.gateway_in_flight,
            it.gateway_circuit_open,
            it.transfer_timeout,
        )
    };
    plain(a) == plain(b) && a.api_key.expose_secret() == b.api_key.expose_secret()
}
