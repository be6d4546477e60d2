//! Settings, from a TOML file and the environment (which wins). Every mistake is reported at once, by name.
//!
//! A setting `x` is the key `x` of the file and the variable `CHATBRIDGE_X`. A secret may instead be in a file of its own,
//! named by `x_file`. `docs/configuration.md` lists them all; a test compares it with [`SETTINGS`].

use std::{collections::BTreeMap, fmt, fs, net::SocketAddr, path::Path, str::FromStr, time::Duration};

use secrecy::SecretString;
use url::Url;

use crate::{event::TenantId, store::Retention, store::partition::MAX_PARTITIONS};

/// Prefix of environment variables.
pub const ENV_PREFIX: &str = "CHATBRIDGE_";

/// The value of `redis_url` that asks for the in-memory store.
pub const MEMORY_URL: &str = "memory:";

/// One setting: its name, its default (empty: none) and what it is.
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its default; empty: none.
    pub default: &'static str,
    /// What it is, with unit and range.
    pub help: &'static str,
}

const fn setting(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, default, help }
}

/// All settings.
pub const SETTINGS: &[Setting] = &[
    setting(
        "gateway_url",
        "https://api.8x8.com",
        "base URL of the Chat Gateway",
    ),
    setting(
        "gateway_timeout_ms",
        "10000",
        "how long one request to the Chat Gateway may take, in ms (100 to 60000)",
    ),
    setting("tenant", "", "the vendor's tenant id; required"),
    setting("api_key", "", "the vendor's API key; required; secret"),
    setting(
        "redis_url",
        "",
        "redis://, rediss:// or memory: (nothing survives the process); required; secret",
    ),
    setting("redis_prefix", "chatbridge", "prefix of all keys in Redis"),
    setting(
        "partitions",
        "16",
        "partitions of the event log (1 to 128); fixed when Redis is first used",
    ),
    setting(
        "log_retention_hours",
        "72",
        "how long the event log is kept, in hours (1 to 8760)",
    ),
    setting(
        "dedupe_retention_hours",
        "168",
        "how long repeated deliveries are known, in hours (1 to 8760)",
    ),
    setting(
        "session_retention_hours",
        "720",
        "how long a session is kept after its last activity, in hours (1 to 87600)",
    ),
    setting("grpc_listen", "127.0.0.1:50051", "address of gRPC and gRPC-Web"),
    setting("webhook_listen", "127.0.0.1:8080", "address of the webhook door"),
    setting(
        "admin_listen",
        "127.0.0.1:9090",
        "address of /metrics, /livez, /readyz and gRPC health",
    ),
    setting(
        "webhook_path_secret",
        "",
        "if set, webhooks are accepted at /webhooks/8x8/SECRET only; secret",
    ),
    setting(
        "webhook_freshness_seconds",
        "300",
        "how far a webhook's transmission time may be off, in seconds (10 to 3600)",
    ),
    setting(
        "webhook_max_bytes",
        "1048576",
        "the largest webhook body, in bytes (1024 to 16777216)",
    ),
    setting(
        "heartbeat_ms",
        "15000",
        "the longest silence on a stream, in ms (50 to 20000)",
    ),
    setting(
        "stream_max_age_seconds",
        "1800",
        "after which age a stream is ended, give or take a tenth, in seconds (1 to 86400)",
    ),
    setting(
        "settle_after_ms",
        "30000",
        "how long a conversation may wrap up in silence before 8x8 is asked, in ms (100 to 600000)",
    ),
    setting(
        "drain_spread_ms",
        "2000",
        "over which time streams are ended when the service stops, in ms (0 to 300000)",
    ),
    setting(
        "drain_deadline_ms",
        "10000",
        "after which time the service stops whatever is still open, in ms (100 to 600000)",
    ),
    setting(
        "cors_origins",
        "",
        "browser origins that may use gRPC-Web, separated by commas; empty: none",
    ),
    setting(
        "allow_unauthenticated",
        "false",
        "whether gRPC may listen beyond loopback although callers are not authenticated yet",
    ),
];

/// Settings that hold a secret, and so may be given in a file of their own.
const SECRETS: [&str; 3] = ["api_key", "redis_url", "webhook_path_secret"];

/// The settings of a service.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "SETTINGS says what each is")]
pub struct Config {
    pub gateway_url: Url,
    pub gateway_timeout: Duration,
    pub tenant: TenantId,
    pub api_key: SecretString,
    /// `None`: in memory.
    pub redis_url: Option<SecretString>,
    pub redis_prefix: String,
    pub partitions: u16,
    pub retention: Retention,
    pub grpc_listen: SocketAddr,
    pub webhook_listen: SocketAddr,
    pub admin_listen: SocketAddr,
    pub webhook_path_secret: Option<SecretString>,
    pub webhook_freshness: Duration,
    pub webhook_max_bytes: usize,
    pub heartbeat: Duration,
    pub stream_max_age: Duration,
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
        let mut reader = Reader::default();
        if let Some(file) = file {
            reader.read_file(file);
        }
        reader.read_env(env);
        reader.read_secret_files();
        let config = reader.config();
        match config {
            Some(config) if reader.mistakes.is_empty() => Ok(config),
            _ => Err(ConfigError(reader.mistakes)),
        }
    }
}

/// A value and where it came from, for messages.
struct Given {
    value: String,
    from: String,
}

#[derive(Default)]
struct Reader {
    given: BTreeMap<String, Given>,
    mistakes: Vec<String>,
}

impl Reader {
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
                self.mistakes
                    .push(format!("{}: cannot be read as TOML: {error}", file.display()));
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
        let retention = Retention {
            log_ms: self.number("log_retention_hours", 1, 8760) * hour_ms,
            dedupe_ms: self.number("dedupe_retention_hours", 1, 8760) * hour_ms,
            session_ms: self.number("session_retention_hours", 1, 87_600) * hour_ms,
            ..Retention::default()
        };
        let partitions = self.number("partitions", 1, u64::from(MAX_PARTITIONS));
        let webhook_max_bytes = self.number("webhook_max_bytes", 1024, 16_777_216);
        let grpc_listen = self.grpc_listen();
        let webhook_listen = self.parsed("webhook_listen", "an address such as 127.0.0.1:8080");
        let admin_listen = self.parsed("admin_listen", "an address such as 127.0.0.1:9090");
        let webhook_path_secret = self.path_secret();
        let gateway_timeout = self.millis("gateway_timeout_ms", 100, 60_000);
        let webhook_freshness = Duration::from_secs(self.number("webhook_freshness_seconds", 10, 3600));
        let heartbeat = self.millis("heartbeat_ms", 50, 20_000);
        let stream_max_age = Duration::from_secs(self.number("stream_max_age_seconds", 1, 86_400));
        let settle_after = self.millis("settle_after_ms", 100, 600_000);
        let drain_spread = self.millis("drain_spread_ms", 0, 300_000);
        let drain_deadline = self.millis("drain_deadline_ms", 100, 600_000);
        let cors_origins = self.origins();
        // Only now: what is missing must not hide a mistake behind it.
        Some(Config {
            gateway_url: gateway_url?,
            gateway_timeout,
            tenant: TenantId::new(tenant?),
            api_key: api_key?,
            redis_url: redis_url?,
            redis_prefix: self.text("redis_prefix"),
            partitions: u16::try_from(partitions).ok()?,
            retention,
            grpc_listen: grpc_listen?,
            webhook_listen: webhook_listen?,
            admin_listen: admin_listen?,
            webhook_path_secret,
            webhook_freshness,
            webhook_max_bytes: usize::try_from(webhook_max_bytes).ok()?,
            heartbeat,
            stream_max_age,
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

    fn millis(&mut self, name: &str, min: u64, max: u64) -> Duration {
        Duration::from_millis(self.number(name, min, max))
    }

    fn url(&mut self, name: &str) -> Option<Url> {
        let url: Url = self.parsed(name, "a URL such as https://api.8x8.com")?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            self.mistake(name, "must be an http or https URL with a host");
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
        let known =
            Url::parse(&value).is_ok_and(|u| matches!(u.scheme(), "redis" | "rediss") && u.host().is_some());
        if !known {
            self.mistake(
                "redis_url",
                "must look like redis://HOST:PORT/DB, rediss://… or memory:",
            );
            return None;
        }
        Some(Some(SecretString::from(value)))
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    fn load(env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load(None, env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    const GOOD: [(&str, &str); 3] = [
        ("CHATBRIDGE_TENANT", "acme"),
        ("CHATBRIDGE_API_KEY", "k3y"),
        ("CHATBRIDGE_REDIS_URL", "redis://:pa55@127.0.0.1/0"),
    ];

    #[test]
    fn three_variables_are_enough() {
        let config = load(&GOOD).unwrap();
        assert_eq!(config.tenant.as_str(), "acme");
        assert_eq!(config.grpc_listen.to_string(), "127.0.0.1:50051");
        assert_eq!(config.retention, Retention::default());
        let shown = format!("{config:?}");
        assert!(!shown.contains("k3y") && !shown.contains("pa55"), "{shown}");
    }

    #[test]
    fn every_mistake_is_reported_at_once_by_name_and_without_secrets() {
        let error = load(&[
            ("CHATBRIDGE_REDIS_URL", "http://:pa55@x"),
            ("CHATBRIDGE_GATEWAY_URL", "ftp://x"),
            ("CHATBRIDGE_GRPC_LISTEN", "0.0.0.0:50051"),
            ("CHATBRIDGE_ADMIN_LISTEN", "nine"),
            ("CHATBRIDGE_PARTITIONS", "0"),
            ("CHATBRIDGE_WEBHOOK_PATH_SECRET", "a/b"),
            ("CHATBRIDGE_CORS_ORIGINS", "example.com"),
        ])
        .unwrap_err();
        let text = error.to_string();
        for name in [
            "TENANT",
            "API_KEY",
            "REDIS_URL",
            "GATEWAY_URL",
            "GRPC_LISTEN",
            "ADMIN_LISTEN",
            "PARTITIONS",
            "WEBHOOK_PATH_SECRET",
            "CORS_ORIGINS",
        ] {
            assert!(
                text.contains(&format!("CHATBRIDGE_{name}:")),
                "{name} is missing in {text}"
            );
        }
        assert_eq!(error.0.len(), 9, "{text}");
        assert!(!text.contains("pa55") && !text.contains("a/b"), "{text}");
    }

    #[test]
    fn the_environment_wins_over_the_file_and_unknown_names_in_the_file_are_mistakes() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(
            file,
            "tenant = \"filed\"\npartitions = 4\nheart_beat = 3\n[redis]\nurl = \"x\""
        )
        .unwrap();
        let env = GOOD.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let error = Config::load(Some(file.path()), env.clone()).unwrap_err();
        assert_eq!(error.0.len(), 2, "{error}");

        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "tenant = \"filed\"\npartitions = 4").unwrap();
        let config = Config::load(Some(file.path()), env).unwrap();
        assert_eq!(config.partitions, 4);
        assert_eq!(config.tenant.as_str(), "acme");
    }

    #[test]
    fn a_secret_may_be_in_a_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "from-file").unwrap();
        let path = file.path().to_str().unwrap();
        let mut env = GOOD.to_vec();
        env[1] = ("CHATBRIDGE_API_KEY_FILE", path);
        assert_eq!(load(&env).unwrap().api_key.expose_secret(), "from-file");

        env.push(("CHATBRIDGE_API_KEY", "k3y"));
        assert!(load(&env).unwrap_err().to_string().contains("give one of them"));

        env.pop();
        env[1].1 = "/nowhere/at/all";
        let error = load(&env).unwrap_err();
        assert_eq!(error.0.len(), 1, "{error}");
    }

    #[test]
    fn the_documentation_lists_every_setting_with_its_default() {
        let page = include_str!("../docs/configuration.md");
        for setting in SETTINGS {
            let default = if setting.default.is_empty() {
                "none".into()
            } else {
                format!("`{}`", setting.default)
            };
            let row = format!("| `{}` | {default} | {} |", setting.name, setting.help);
            assert!(page.contains(&row), "docs/configuration.md lacks the row: {row}");
        }
    }
}
