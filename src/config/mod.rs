//! What an operator sets, in a TOML file or in the environment, which wins. Whoever made several mistakes hears of all of
//! them, each by its setting's name, before anything starts.
//!
//! A setting `x` is the key `x` of the file and the variable `CHATBRIDGE_X`. A secret may instead be in a file of its own,
//! named by `x_file`. `docs/configuration.md` lists them all; a test compares it with [`SETTINGS`].

mod reader;
mod settings;

use std::{
    fmt,
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::SecretString;
use url::Url;

use self::reader::Reader;
pub use self::settings::{SETTINGS, Setting};
use crate::{
    event::TenantId,
    grpc::gate::Limits,
    store::{Retention, redis::Wait, seal::KeyRing},
};

/// Prefix of environment variables.
pub const ENV_PREFIX: &str = "CHATBRIDGE_";

/// The value of `redis_url` that asks for the in-memory store.
pub const MEMORY_URL: &str = "memory:";

/// The settings of a service.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "SETTINGS says what each is")]
pub struct Config {
    pub gateway_url: Url,
    pub gateway_timeout: Duration,
    pub gateway_attempts: u32,
    /// `None`: no limit.
    pub gateway_rate_per_second: Option<NonZeroU32>,
    pub gateway_in_flight: usize,
    pub gateway_circuit_open: Duration,
    pub transfer_timeout: Duration,
    pub attachment_max_bytes: u64,
    pub tenant: TenantId,
    pub api_key: SecretString,
    /// `None`: in memory.
    pub redis_url: Option<SecretString>,
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
    pub webhook_path_secret: Option<SecretString>,
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
