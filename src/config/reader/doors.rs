//! Settings of what faces others: certificates, and the webhook door.

use std::{net::IpAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use ipnet::IpNet;

use super::Reader;
use crate::{
    store::redis::RedisTls,
    tls::{ClientAuth, TlsFiles},
    webhook::{ForwardedHeader, RateLimits, SeatLimits, Sources},
};

impl Reader {
    /// The certificate of the port whose settings begin with `port`; `None` where none is set.
    pub(super) fn tls(&mut self, port: &str) -> Option<TlsFiles> {
        let name = |rest: &str| format!("{port}_tls_{rest}");
        let cert = self.path(&name("cert_file"));
        let key = self.path(&name("key_file"));
        let ca = self.path(&name("client_ca_file"));
        let auth = self.text(&name("client_auth"));
        let required = match auth.as_str() {
            "required" => true,
            "optional" => false,
            other => {
                self.mistake(
                    &name("client_auth"),
                    &format!("{other:?} is neither required nor optional"),
                );
                true
            }
        };
        let (cert, key) = match (cert, key) {
            (Some(cert), Some(key)) => (cert, key),
            (None, None) => {
                if ca.is_some() {
                    let problem = format!("needs {} and {}", name("cert_file"), name("key_file"));
                    self.mistake(&name("client_ca_file"), &problem);
                }
                return None;
            }
            (Some(_), None) => {
                self.mistake(
                    &name("cert_file"),
                    &format!("needs {} beside it", name("key_file")),
                );
                return None;
            }
            (None, Some(_)) => {
                self.mistake(
                    &name("key_file"),
                    &format!("needs {} beside it", name("cert_file")),
                );
                return None;
            }
        };
        Some(TlsFiles {
            cert,
            key,
            client_auth: ca.map(|ca| ClientAuth { ca, required }),
        })
    }

    /// How Redis proves who it is, and we to it.
    pub(super) fn redis_tls(&mut self) -> RedisTls {
        let tls = RedisTls {
            ca: self.path("redis_tls_ca_file"),
            cert: self.path("redis_tls_cert_file"),
            key: self.path("redis_tls_key_file"),
        };
        if tls.cert.is_some() != tls.key.is_some() {
            let (given, missing) = if tls.cert.is_some() {
                ("redis_tls_cert_file", "redis_tls_key_file")
            } else {
                ("redis_tls_key_file", "redis_tls_cert_file")
            };
            self.mistake(given, &format!("needs {missing} beside it"));
        }
        // The value is not shown: it may hold a password.
        let is_encrypted = self.text("redis_url").starts_with("rediss");
        let files = [("redis_tls_ca_file", &tls.ca), ("redis_tls_cert_file", &tls.cert)];
        for (name, file) in files {
            if file.is_some() && !is_encrypted {
                self.mistake(
                    name,
                    "is of no use, since redis_url does not begin with rediss: let it begin so, or leave the file out",
                );
            }
        }
        tls
    }

    /// From where webhooks are taken.
    pub(super) fn webhook_sources(&mut self) -> Sources {
        let header = match self
            .text("webhook_forwarded_header")
            .to_ascii_lowercase()
            .as_str()
        {
            "x-forwarded-for" => ForwardedHeader::XForwardedFor,
            "forwarded" => ForwardedHeader::Forwarded,
            other => {
                let problem = format!("{other:?} is neither x-forwarded-for nor forwarded");
                self.mistake("webhook_forwarded_header", &problem);
                ForwardedHeader::default()
            }
        };
        Sources {
            allowed: self.networks("webhook_allow"),
            proxies: self.networks("webhook_trusted_proxies"),
            header,
        }
    }

    /// How many webhooks a second are taken.
    pub(super) fn webhook_rates(&mut self) -> RateLimits {
        let mut rate = |name| {
            let number = self.number(name, 0, 1_000_000);
            u32::try_from(number).ok().and_then(NonZeroU32::new)
        };
        RateLimits {
            per_source: rate("webhook_rate_per_source"),
            per_tenant: rate("webhook_rate_per_tenant"),
        }
    }

    /// What the webhook door has room for. `body_max` is the largest body, in bytes.
    pub(super) fn webhook_seats(&mut self, body_max: u64) -> SeatLimits {
        let connections = self.number("webhook_connections_max", 0, 1_000_000);
        let buffered = self.number("webhook_buffer_bytes", 1024, 1 << 34);
        if buffered < body_max {
            self.mistake(
                "webhook_buffer_bytes",
                "is less than webhook_max_bytes, so that the largest body would never have room",
            );
        }
        SeatLimits {
            connections: usize::try_from(connections).unwrap_or(usize::MAX),
            buffered_bytes: usize::try_from(buffered).unwrap_or(usize::MAX),
            head: self.webhook_read_timeout(),
            idle: Duration::from_secs(self.number("webhook_idle_timeout_seconds", 1, 3600)),
        }
    }

    /// How long a head, and then a body, may take to come.
    fn webhook_read_timeout(&mut self) -> Duration {
        self.millis("webhook_read_timeout_ms", 100, 60_000)
    }

    /// A delivery is fresh from the window before its time to the window behind it, so it may be repeated for twice the window;
    /// and for as long its event must be known.
    pub(super) fn check_freshness(&mut self, freshness: Duration, dedupe_ms: u64) {
        if u128::from(dedupe_ms) <= 2 * freshness.as_millis() {
            self.mistake(
                "dedupe_retention_hours",
                "is not more than twice webhook_freshness_seconds: a delivery could be sent again once its event is \
                 forgotten, and would be taken as new",
            );
        }
    }

    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.text(name))
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    }

    /// Networks, separated by commas, each as an address and a length or as an address alone.
    pub(super) fn networks(&mut self, name: &str) -> Vec<IpNet> {
        let value = self.text(name);
        let mut networks = Vec::new();
        for text in value.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            let alone = || text.parse::<IpAddr>().map(IpNet::from);
            match text.parse::<IpNet>().or_else(|_| alone()) {
                Ok(network) if network.addr() != network.network() => {
                    let problem = format!("{text:?} has bits behind its length: write {}", network.trunc());
                    self.mistake(name, &problem);
                }
                Ok(network) => networks.push(network),
                Err(_) => {
                    let problem = format!("{text:?} is not a network such as 192.0.2.0/24 or 2001:db8::/32");
                    self.mistake(name, &problem);
                }
            }
        }
        networks
    }
}
