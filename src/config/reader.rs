//! Reads settings one by one, and notes every mistake instead of stopping at the first.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use secrecy::SecretString;
use url::Url;

use super::{
    Config, ENV_PREFIX, MEMORY_URL,
    settings::{SECRETS, SETTINGS},
};
use crate::{
    agents::UrlTemplate,
    event::TenantId,
    grpc::gate::Limits,
    store::{
        Retention,
        partition::MAX_PARTITIONS,
        redis::{Wait, check_url},
        seal::KeyRing,
    },
};

/// A value and where it came from, for messages.
struct Given {
    value: String,
    from: String,
}

/// Settings as they were given, and what is wrong with them so far.
#[derive(Default)]
pub(super) struct Reader {
    given: BTreeMap<String, Given>,
    mistakes: Vec<String>,
}

impl Reader {
    /// Reads the file, where one is given, and variables of the environment; or all that is wrong with them.
    pub(super) fn read(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, Vec<String>> {
        let mut reader = Self::default();
        if let Some(file) = file {
            reader.read_file(file);
        }
        reader.read_env(env);
        reader.read_secret_files();
        match reader.config() {
            Some(config) if reader.mistakes.is_empty() => Ok(config),
            _ => Err(reader.mistakes),
        }
    }

    fn is_name(name: &str) -> bool {
        SETTINGS.iter().any(|s| s.name == name)
            || name
                .strip_suffix("_file")
                .is_some_and(|name| SECRETS.contains(&name))
    }

    fn read_file(&mut self, file: &Path) {
        let source = config::File::from(file)
            .format(config::FileFormat::Toml)
            .required(true);
        let table = config::Config::builder()
            .add_source(source)
            .build()
            .and_then(config::Config::try_deserialize::<BTreeMap<String, config::Value>>);
        let table = match table {
            Ok(table) => table,
            Err(error) => {
                // The first line says where; the others show what is there, which may be a secret.
                let error = error.to_string();
                let place = error.lines().next().unwrap_or_default();
                self.mistakes
                    .push(format!("{}: cannot be read: {place}", file.display()));
                return;
            }
        };
        for (name, value) in table {
            let from = format!("{name} in {}", file.display());
            if !Self::is_name(&name) {
                self.mistakes.push(format!("{from}: there is no such setting"));
                continue;
            }
            match value.into_string() {
                Ok(value) => {
                    self.given.insert(name, Given { value, from });
                }
                Err(_) => self
                    .mistakes
                    .push(format!("{from}: must be a string, a number or a boolean")),
            }
        }
    }

    /// Variables with our prefix that name no setting are left alone: a Kubernetes service called `chatbridge` makes some.
    fn read_env(&mut self, env: impl IntoIterator<Item = (String, String)>) {
        for (variable, value) in env {
            let name = variable.strip_prefix(ENV_PREFIX).map(str::to_ascii_lowercase);
            if let Some(name) = name.filter(|name| Self::is_name(name)) {
                // An empty variable is how many deployments spell "not set".
                if !value.is_empty() {
                    self.given.insert(
                        name,
                        Given {
                            value,
                            from: variable,
                        },
                    );
                }
            }
        }
    }

    fn read_secret_files(&mut self) {
        for name in SECRETS {
            let Some(path) = self.given.remove(&format!("{name}_file")) else {
                continue;
            };
            if let Some(value) = self.given.get(name) {
                self.mistakes
                    .push(format!("{} and {}: give one of them", value.from, path.from));
                continue;
            }
            match fs::read_to_string(&path.value) {
                Ok(text) => {
                    let value = text.trim_end_matches(['\r', '\n']).to_owned();
                    self.given.insert(
                        name.into(),
                        Given {
                            value,
                            from: path.from,
                        },
                    );
                }
                Err(error) => {
                    self.mistakes
                        .push(format!("{}: {:?} cannot be read: {error}", path.from, path.value));
                    // So that it is not reported as missing, too.
                    let from = path.from;
                    self.given.insert(
                        name.into(),
                        Given {
                            value: "unreadable".into(),
                            from,
                        },
                    );
                }
            }
        }
    }

    /// Reads all settings, noting every mistake; `None` where a value is missing that nothing can stand for.
    fn config(&mut self) -> Option<Config> {
        let hour_ms = 3_600_000;
        let gateway_url = self.url("gateway_url");
        let tenant = self.required("tenant");
        let api_key = self.required("api_key").map(SecretString::from);
        let redis_url = self.redis_url();
        let redis_wait = self.redis_wait();
        let retention = Retention {
            log_ms: self.number("log_retention_hours", 1, 8760) * hour_ms,
            log_bytes: self.number("log_max_bytes", 0, 1 << 50),
            dedupe_ms: self.number("dedupe_retention_hours", 1, 8760) * hour_ms,
            session_ms: self.number("session_retention_hours", 1, 87_600) * hour_ms,
            ..Retention::default()
        };
        let master_keys = self.master_keys();
        let partitions = self.number("partitions", 1, u64::from(MAX_PARTITIONS));
        let webhook_max_bytes = self.number("webhook_max_bytes", 1024, 16_777_216);
        let grpc_listen = self.grpc_listen();
        let webhook_listen = self.parsed("webhook_listen", "an address such as 127.0.0.1:8080");
        let admin_listen = self.parsed("admin_listen", "an address such as 127.0.0.1:9090");
        let webhook_path_secret = self.path_secret();
        let gateway_timeout = self.millis("gateway_timeout_ms", 100, 60_000);
        let gateway_attempts = self.number("gateway_attempts", 1, 10);
        let gateway_rate = self.number("gateway_rate_per_second", 0, 100_000);
        let gateway_in_flight = self.number("gateway_in_flight", 1, 10_000);
        let gateway_circuit_open = self.millis("gateway_circuit_open_ms", 0, 600_000);
        let transfer_timeout = Duration::from_secs(self.number("transfer_timeout_seconds", 1, 7200));
        let attachment_max_bytes = self.number("attachment_max_bytes", 1024, 1_073_741_824);
        let agent_names_file = Some(self.text("agent_names_file")).filter(|path| !path.is_empty());
        let agent_names_url = self.agent_names_url();
        let agent_names_ttl = Duration::from_secs(self.number("agent_names_ttl_seconds", 1, 86_400));
        let webhook_freshness = Duration::from_secs(self.number("webhook_freshness_seconds", 10, 3600));
        let heartbeat = self.millis("heartbeat_ms", 50, 20_000);
        let stream_max_age = Duration::from_secs(self.number("stream_max_age_seconds", 1, 86_400));
        let stream_lag_max_events = self.number("stream_lag_max_events", 0, 1 << 53);
        let stream_limits = self.limits("streams_max", "streams_per_address_max");
        let connection_limits = self.limits("connections_max", "connections_per_address_max");
        let keepalive = self.millis("keepalive_ms", 100, 60_000);
        let keepalive_timeout = self.millis("keepalive_timeout_ms", 100, 60_000);
        let settle_after = self.millis("settle_after_ms", 100, 600_000);
        let drain_spread = self.millis("drain_spread_ms", 0, 300_000);
        let drain_deadline = self.millis("drain_deadline_ms", 100, 600_000);
        if drain_spread > drain_deadline {
            let problem =
                "is longer than drain_deadline_ms, so that streams would be cut off before they are ended";
            self.mistake("drain_spread_ms", problem);
        }
        let cors_origins = self.origins();
        // Only now: what is missing must not hide a mistake behind it.
        Some(Config {
            gateway_url: gateway_url?,
            gateway_timeout,
            gateway_attempts: u32::try_from(gateway_attempts).ok()?,
            gateway_rate_per_second: u32::try_from(gateway_rate).ok().and_then(NonZeroU32::new),
            gateway_in_flight: usize::try_from(gateway_in_flight).ok()?,
            gateway_circuit_open,
            transfer_timeout,
            attachment_max_bytes,
            agent_names_file: agent_names_file.map(PathBuf::from),
            agent_names_url,
            agent_names_ttl,
            tenant: TenantId::new(tenant?),
            api_key: api_key?,
            redis_url: redis_url?,
            redis_wait,
            redis_prefix: self.text("redis_prefix"),
            partitions: u16::try_from(partitions).ok()?,
            retention,
            master_keys,
            grpc_listen: grpc_listen?,
            webhook_listen: webhook_listen?,
            admin_listen: admin_listen?,
            webhook_path_secret,
            webhook_freshness,
            webhook_max_bytes: usize::try_from(webhook_max_bytes).ok()?,
            heartbeat,
            stream_max_age,
            stream_lag_max_events,
            stream_limits,
            connection_limits,
            keepalive,
            keepalive_timeout,
            settle_after,
            drain_spread,
            drain_deadline,
            cors_origins,
        })
    }

    fn text(&self, name: &str) -> String {
        let default = SETTINGS.iter().find(|s| s.name == name).map_or("", |s| s.default);
        self.given.get(name).map_or(default, |g| &g.value).to_owned()
    }

    /// How a setting is called in a message: as it was given, or by its variable.
    fn origin(&self, name: &str) -> String {
        self.given.get(name).map_or_else(
            || format!("{ENV_PREFIX}{}", name.to_ascii_uppercase()),
            |g| g.from.clone(),
        )
    }

    fn mistake(&mut self, name: &str, problem: &str) {
        let origin = self.origin(name);
        self.mistakes.push(format!("{origin}: {problem}"));
    }

    fn required(&mut self, name: &str) -> Option<String> {
        let value = self.text(name);
        if value.is_empty() {
            self.mistake(name, "is required and not set");
            return None;
        }
        Some(value)
    }

    fn parsed<T: FromStr>(&mut self, name: &str, expected: &str) -> Option<T> {
        let value = self.text(name);
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.mistake(name, &format!("{value:?} is not {expected}"));
        }
        parsed
    }

    /// A number within its range; out of it, the lowest, which is never used since the mistake is noted.
    fn number(&mut self, name: &str, min: u64, max: u64) -> u64 {
        let value = self.text(name);
        match value.parse() {
            Ok(number) if (min..=max).contains(&number) => number,
            _ => {
                self.mistake(
                    name,
                    &format!("{value:?} is not a whole number from {min} to {max}"),
                );
                min
            }
        }
    }

    fn limits(&mut self, total: &str, per_address: &str) -> Limits {
        let mut limit = |name| usize::try_from(self.number(name, 0, 1_000_000)).unwrap_or(usize::MAX);
        Limits {
            total: limit(total),
            per_address: limit(per_address),
        }
    }

    fn millis(&mut self, name: &str, min: u64, max: u64) -> Duration {
        Duration::from_millis(self.number(name, min, max))
    }

    /// The value is never shown: people put credentials into URLs, although none belong here.
    fn url(&mut self, name: &str) -> Option<Url> {
        let Ok(url) = self.text(name).parse::<Url>() else {
            self.mistake(name, "is not a URL such as https://api.8x8.com");
            return None;
        };
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            self.mistake(name, "must be an http or https URL with a host");
            return None;
        }
        let bare = url.username().is_empty() && url.password().is_none();
        if !bare || url.query().is_some() || url.fragment().is_some() {
            self.mistake(name, "must have no user, password, query or fragment");
            return None;
        }
        Some(url)
    }

    /// The outer `None` is a mistake, the inner one the in-memory store. The value is never shown: it may hold a password.
    fn redis_url(&mut self) -> Option<Option<SecretString>> {
        let value = self.required("redis_url")?;
        if value == MEMORY_URL {
            return Some(None);
        }
        if let Err(problem) = check_url(&value) {
            self.mistake("redis_url", &problem);
            return None;
        }
        Some(Some(SecretString::from(value)))
    }

    fn redis_wait(&mut self) -> Option<Wait> {
        let replicas = self.number("redis_wait_replicas", 0, 16);
        let within = self.millis("redis_wait_ms", 1, 10_000);
        let replicas = u16::try_from(replicas).ok().filter(|replicas| *replicas > 0)?;
        Some(Wait { replicas, within })
    }

    /// Keys that are given here never change; those of a file do when it does. They are never shown.
    fn master_keys(&mut self) -> Option<KeyRing> {
        let (given, file) = (self.text("master_keys"), self.text("master_keys_file"));
        let (name, read) = match (given.is_empty(), file.is_empty()) {
            (true, true) => return None,
            (false, true) => ("master_keys", KeyRing::fixed(&given)),
            (true, false) => ("master_keys_file", KeyRing::from_file(Path::new(&file))),
            (false, false) => {
                self.mistake("master_keys", "cannot be given beside master_keys_file");
                return None;
            }
        };
        read.map_err(|problem| self.mistake(name, &problem)).ok()
    }

    fn grpc_listen(&mut self) -> Option<SocketAddr> {
        let address: SocketAddr = self.parsed("grpc_listen", "an address such as 127.0.0.1:50051")?;
        let allowed: bool = self.parsed("allow_unauthenticated", "true or false")?;
        if !address.ip().is_loopback() && !allowed {
            self.mistake(
                "grpc_listen",
                "is not a loopback address, and this version does not authenticate callers: listen on 127.0.0.1, or \
                 set CHATBRIDGE_ALLOW_UNAUTHENTICATED=true where only trusted callers can reach the port",
            );
            return None;
        }
        Some(address)
    }

    /// The value is never shown: it may hold a key.
    fn agent_names_url(&mut self) -> Option<SecretString> {
        let value = self.text("agent_names_url");
        if value.is_empty() {
            return None;
        }
        if let Err(problem) = UrlTemplate::parse(&value) {
            self.mistake("agent_names_url", problem);
        }
        if !self.text("agent_names_file").is_empty() {
            self.mistake("agent_names_url", "cannot be given beside agent_names_file");
        }
        Some(SecretString::from(value))
    }

    fn path_secret(&mut self) -> Option<SecretString> {
        let value = self.text("webhook_path_secret");
        if value.is_empty() {
            return None;
        }
        let plain = value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if !plain || !(16..=128).contains(&value.len()) {
            self.mistake(
                "webhook_path_secret",
                "must be 16 to 128 letters, digits, hyphens and underscores",
            );
        }
        Some(SecretString::from(value))
    }

    fn origins(&mut self) -> Vec<String> {
        let value = self.text("cors_origins");
        let origins: Vec<String> = value
            .split(',')
            .map(str::trim)
            .filter(|o| !o.is_empty())
            .map(str::to_owned)
            .collect();
        for origin in &origins {
            let plain = Url::parse(origin).is_ok_and(|u| u.origin().ascii_serialization() == *origin);
            if !plain {
                self.mistake(
                    "cors_origins",
                    &format!("{origin:?} is not an origin such as https://app.example.com"),
                );
            }
        }
        origins
    }
}
