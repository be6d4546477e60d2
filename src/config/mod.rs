//! What an operator sets, in a TOML file or in the environment, which wins. Whoever made several mistakes hears of all of
//! them, each by its setting's name, before anything starts.
//!
//! A setting `x` is the key `x` of the file and the variable `CHATBRIDGE_X`. A secret may instead be in a file of its own,
//! named by `x_file`. `docs/configuration.md` lists them all; a test compares it with [`SETTINGS`].

mod reader;
mod sections;
mod settings;

use std::{
    collections::BTreeSet,
    fmt,
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use aws_lc_rs::digest::{Context, SHA256};
use secrecy::SecretString;
use url::Url;

use self::reader::Reader;
pub use self::settings::{
    CALLER, CALLER_LISTS, CLIENT, CLIENT_LISTS, GRANT, GRANT_LISTS, ISSUER, ISSUER_LISTS, SETTINGS, Setting,
    TENANT, TENANT_LISTS,
};
use crate::{
    access::Policy,
    chat_v2,
    event::TenantId,
    grpc::gate::Limits,
    store::{
        Retention,
        redis::{RedisTls, Wait},
        seal::KeyRing,
    },
    telemetry::traces::TraceSettings,
    tls::TlsFiles,
    webhook::{RateLimits, SeatLimits, Sources},
};

/// Prefix of environment variables.
pub const ENV_PREFIX: &str = "CHATBRIDGE_";

/// The value of `redis_url` that asks for the in-memory store.
pub const MEMORY_URL: &str = "memory:";

/// The settings of a service.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "SETTINGS says what each is")]
pub struct Config {
    /// At least one.
    pub tenants: Vec<TenantConfig>,
    /// Who may call.
    pub policy: Policy,
    /// `None`: in memory.
    pub redis_url: Option<SecretString>,
    pub redis_tls: RedisTls,
    /// `None`: appends wait for no replica.
    pub redis_wait: Option<Wait>,
    pub redis_prefix: String,
    pub partitions: u16,
    pub retention: Retention,
    /// `None`: contents are not encrypted.
    pub master_keys: Option<KeyRing>,
    pub grpc_listen: SocketAddr,
    pub webhook_listen: SocketAddr,
    pub admin_listen: SocketAddr,
    /// `None`: without TLS.
    pub grpc_tls: Option<TlsFiles>,
    /// `None`: without TLS.
    pub webhook_tls: Option<TlsFiles>,
    pub webhook_path_secret: Option<SecretString>,
    pub webhook_sources: Sources,
    pub webhook_rates: RateLimits,
    pub webhook_seats: SeatLimits,
    /// 0: any number.
    pub webhook_connections_per_address: usize,
    pub webhook_freshness: Duration,
    pub webhook_max_bytes: usize,
    pub heartbeat: Duration,
    pub stream_max_age: Duration,
    /// 0: any number.
    pub stream_lag_max_events: u64,
    pub stream_limits: Limits,
    pub connection_limits: Limits,
    pub keepalive: Duration,
    pub keepalive_timeout: Duration,
    pub agent_names_file: Option<PathBuf>,
    /// With `{id}` in its path or query.
    pub agent_names_url: Option<SecretString>,
    pub agent_names_ttl: Duration,
    pub settle_after: Duration,
    pub drain_spread: Duration,
    pub drain_deadline: Duration,
    pub cors_origins: Vec<String>,
    pub call_time_max: Duration,
    pub reflection: bool,
    /// `None`: no traces are made.
    pub traces: Option<TraceSettings>,
    /// `None`: there is no such port.
    pub chat_v2: Option<ChatV2Config>,
    /// Where it was read from.
    pub origin: Origin,
}

/// A tenant that is to be served.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the settings say what each is")]
pub struct TenantConfig {
    pub id: TenantId,
    pub api_key: SecretString,
    pub gateway_url: Url,
    pub gateway_timeout: Duration,
    pub gateway_attempts: u32,
    /// `None`: no limit.
    pub gateway_rate_per_second: Option<NonZeroU32>,
    pub gateway_in_flight: usize,
    pub gateway_circuit_open: Duration,
    pub transfer_timeout: Duration,
    pub attachment_max_bytes: u64,
    /// Empty: all.
    pub channels: BTreeSet<String>,
    /// Empty: not known.
    pub webhook_id: String,
}

/// The port for clients of Chat API v2.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the settings say what each is")]
pub struct ChatV2Config {
    pub listen: SocketAddr,
    /// `None`: without TLS.
    pub tls: Option<TlsFiles>,
    pub seats: SeatLimits,
    /// 0: any number.
    pub connections_per_address: usize,
    /// `None`: nothing is signed.
    pub signing_key_file: Option<PathBuf>,
    pub settings: chat_v2::Settings,
    pub policy: chat_v2::Policy,
}

/// Where a configuration was read from, so that it can be read again.
#[derive(Clone, Default)]
pub struct Origin {
    file: Option<PathBuf>,
    env: Vec<(String, String)>,
    /// All files that were read.
    files: Vec<PathBuf>,
    /// A digest of what holds only from the next start on.
    fixed: Vec<u8>,
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Variables hold secrets.
        f.debug_struct("Origin")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Origin {
    /// A digest of the files' contents as they are now, readable or not.
    pub fn digest(&self) -> Vec<u8> {
        let mut digest = Context::new(&SHA256);
        for file in &self.files {
            let content = std::fs::read(file).unwrap_or_default();
            digest.update(&(content.len() as u64).to_be_bytes());
            digest.update(&content);
        }
        digest.finish().as_ref().to_vec()
    }

    /// Those of the files that hold secrets: each that a setting names for one, and the file of settings where it has one itself.
    pub fn secret_files(&self) -> Vec<PathBuf> {
        let is_secret = |file: &&PathBuf| {
            if self.file.as_ref() != Some(*file) {
                return true;
            }
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let names = settings::SECRETS.iter().chain(["master_keys"].iter());
            let mut lines = text.lines().filter_map(|line| line.split_once('='));
            let names: Vec<&str> = names.copied().collect();
            lines.any(|(name, _)| names.contains(&name.trim().trim_matches('"')))
        };
        self.files.iter().filter(is_secret).cloned().collect()
    }

    /// Whether nothing was read from files, so that nothing can change.
    pub fn is_fixed(&self) -> bool {
        self.files.is_empty()
    }

    /// Reads the configuration again.
    pub fn reload(&self) -> Result<Config, ConfigError> {
        Config::load(self.file.as_deref(), self.env.iter().cloned())
    }

    /// Whether another configuration differs in what holds only from the next start on.
    pub fn needs_restart(&self, other: &Self) -> bool {
        self.fixed != other.fixed
    }
}

/// All that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the configuration has {} mistake(s):", self.0.len())?;
        for mistake in &self.0 {
            writeln!(f, "  - {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads the file, where one is given, and variables of the environment.
    pub fn load(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        Reader::read(file, env).map_err(ConfigError)
    }
}

#[cfg(test)]
mod tests;
