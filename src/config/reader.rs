//! Reads settings one by one, and notes every mistake instead of stopping at the first.

mod chat_v2;
mod doors;
mod traces;

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use aws_lc_rs::digest::{Context, SHA256};
use secrecy::SecretString;
use url::Url;

use super::{
    Config, ENV_PREFIX, MEMORY_URL, Origin, sections,
    settings::{RELOADED, ROOT_SCHEMA, Schema},
};
use crate::{
    agents::UrlTemplate,
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

/// A table of the file.
pub(super) type Table = BTreeMap<String, config::Value>;

/// Settings as they were given, and what is wrong with them so far.
pub(super) struct Reader {
    schema: &'static Schema,
    /// Which table of which file it is, for messages; empty: the settings at the top.
    place: String,
    /// The file.
    file: String,
    given: BTreeMap<String, Given>,
    lists: BTreeMap<String, Vec<String>>,
    tables: BTreeMap<String, Vec<Table>>,
    /// What holds where nothing is given, before the default.
    inherited: BTreeMap<String, String>,
    pub(super) mistakes: Vec<String>,
    /// The files that were read.
    files: Vec<PathBuf>,
}

impl Reader {
    /// Reads the file, where one is given, and variables of the environment; or all that is wrong with them.
    pub(super) fn read(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, Vec<String>> {
        let env: Vec<(String, String)> = env.into_iter().collect();
        let mut reader = Self::of(&ROOT_SCHEMA, String::new(), String::new());
        if let Some(file) = file {
            reader.read_file(file);
        }
        reader.read_env(env.iter().cloned());
        reader.read_secret_files();
        let config = reader.config();
        match config {
            Some(config) if reader.mistakes.is_empty() => Ok(Config {
                origin: Origin {
                    fixed: reader.fixed(),
                    files: reader.files,
                    file: file.map(Path::to_owned),
                    env,
                },
                ..config
            }),
            _ => Err(reader.mistakes),
        }
    }

    fn of(schema: &'static Schema, place: String, file: String) -> Self {
        Self {
            schema,
            place,
            file,
            given: BTreeMap::new(),
            lists: BTreeMap::new(),
            tables: BTreeMap::new(),
            inherited: BTreeMap::new(),
            mistakes: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Reads each table of this name by `read`. What a table does not say is as `inherits` it from here.
    pub(super) fn each<T>(
        &mut self,
        name: &str,
        schema: &'static Schema,
        inherits: bool,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Vec<T> {
        let mut all = Vec::new();
        for (n, table) in self
            .tables
            .remove(name)
            .unwrap_or_default()
            .into_iter()
            .enumerate()
        {
            let place = format!("{}{name}[{n}].", self.place);
            let mut section = Self::of(schema, place, self.file.clone());
            if inherits {
                let known = schema.settings.iter().map(|setting| setting.name);
                let known = known.filter(|name| self.schema.settings.iter().any(|s| s.name == *name));
                section.inherited = known.map(|name| (name.to_owned(), self.text(name))).collect();
            }
            section.take(table);
            section.read_secret_files();
            all.extend(read(&mut section));
            self.mistakes.append(&mut section.mistakes);
            self.files.append(&mut section.files);
        }
        all
    }

    /// How many tables of this name there are.
    pub(super) fn has(&self, name: &str) -> bool {
        self.tables.get(name).is_some_and(|tables| !tables.is_empty())
    }

    /// Whether a setting was given here.
    pub(super) fn is_given(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The texts of a list.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        self.lists.get(name).cloned().unwrap_or_default()
    }

    /// The same of a list that must not be empty.
    pub(super) fn required_list(&mut self, name: &str) -> Vec<String> {
        let list = self.list(name);
        if list.is_empty() {
            self.mistake(name, "is required: a list of texts");
        }
        list
    }

    /// A digest of what holds only from the next start on.
    fn fixed(&self) -> Vec<u8> {
        let mut digest = Context::new(&SHA256);
        for (name, given) in &self.given {
            if !RELOADED.contains(&&**name) {
                digest.update(name.as_bytes());
                digest.update(&[0]);
                digest.update(given.value.as_bytes());
                digest.update(&[0]);
            }
        }
        digest.finish().as_ref().to_vec()
    }

    fn is_name(&self, name: &str) -> bool {
        self.schema.settings.iter().any(|s| s.name == name)
            || name
                .strip_suffix("_file")
                .is_some_and(|name| self.schema.secrets.contains(&name))
    }

    fn read_file(&mut self, file: &Path) {
        self.file = file.display().to_string();
        self.files.push(file.to_owned());
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
        self.take(table);
    }

    /// Takes what a table says.
    fn take(&mut self, table: Table) {
        for (name, value) in table {
            let from = self.from(&name);
            if self.schema.tables.contains(&&*name) {
                match value.into_array().ok().and_then(tables) {
                    Some(tables) => drop(self.tables.insert(name, tables)),
                    None => self
                        .mistakes
                        .push(format!("{from}: must be tables, each under [[{name}]]")),
                }
            } else if self.schema.lists.iter().any(|list| list.name == name) {
                match value.into_array().ok().and_then(texts) {
                    Some(texts) => drop(self.lists.insert(name, texts)),
                    None => self
                        .mistakes
                        .push(format!("{from}: must be a list of texts that are not empty")),
                }
            } else if !self.is_name(&name) {
                self.mistakes.push(format!("{from}: there is no such setting"));
            } else {
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
    }

    /// How a setting of the file is called in a message.
    fn from(&self, name: &str) -> String {
        format!("{}{name} in {}", self.place, self.file)
    }

    /// Variables with our prefix that name no setting are left alone: a Kubernetes service called `chatbridge` makes some.
    fn read_env(&mut self, env: impl IntoIterator<Item = (String, String)>) {
        for (variable, value) in env {
            let name = variable.strip_prefix(ENV_PREFIX).map(str::to_ascii_lowercase);
            if let Some(name) = name.filter(|name| self.is_name(name)) {
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
        for name in self.schema.secrets.iter().copied() {
            let Some(path) = self.given.remove(&format!("{name}_file")) else {
                continue;
            };
            if let Some(value) = self.given.get(name) {
                self.mistakes
                    .push(format!("{} and {}: give one of them", value.from, path.from));
                continue;
            }
            self.files.push(PathBuf::from(&path.value));
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
        let tenants = sections::tenants(self);
        let policy = sections::policy(self, &tenants);
        let redis_url = self.redis_url();
        let redis_tls = self.redis_tls();
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
        let grpc_listen = self.grpc_listen(policy.is_open());
        let webhook_listen = self.parsed("webhook_listen", "an address such as 127.0.0.1:8080");
        let admin_listen = self.parsed("admin_listen", "an address such as 127.0.0.1:9090");
        let grpc_tls = self.tls("grpc");
        let webhook_tls = self.tls("webhook");
        let webhook_path_secret = self.path_secret();
        let webhook_sources = self.webhook_sources();
        let webhook_rates = self.webhook_rates();
        let webhook_seats = self.webhook_seats(webhook_max_bytes);
        let webhook_connections_per_address =
            self.number("webhook_connections_per_address_max", 0, 1_000_000);
        let agent_names_file = Some(self.text("agent_names_file")).filter(|path| !path.is_empty());
        let agent_names_url = self.agent_names_url();
        let agent_names_ttl = Duration::from_secs(self.number("agent_names_ttl_seconds", 1, 86_400));
        let webhook_freshness = Duration::from_secs(self.number("webhook_freshness_seconds", 10, 3600));
        self.check_freshness(webhook_freshness, retention.dedupe_ms);
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
        let call_time_max = self.millis("call_time_max_ms", 1000, 3_600_000);
        let reflection = self.parsed("reflection", "true or false");
        let traces = self.traces();
        let chat_v2 = self.chat_v2(&tenants, call_time_max);
        // Only now: what is missing must not hide a mistake behind it.
        Some(Config {
            tenants,
            policy,
            agent_names_file: agent_names_file.map(PathBuf::from),
            agent_names_url,
            agent_names_ttl,
            redis_url: redis_url?,
            redis_tls,
            redis_wait,
            redis_prefix: self.text("redis_prefix"),
            partitions: u16::try_from(partitions).ok()?,
            retention,
            master_keys,
            grpc_listen: grpc_listen?,
            webhook_listen: webhook_listen?,
            admin_listen: admin_listen?,
            grpc_tls,
            webhook_tls,
            webhook_path_secret,
            webhook_sources,
            webhook_rates,
            webhook_seats,
            webhook_connections_per_address: usize::try_from(webhook_connections_per_address).ok()?,
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
            call_time_max,
            reflection: reflection?,
            traces: traces.ok()?,
            chat_v2,
            origin: Origin::default(),
        })
    }

    pub(super) fn text(&self, name: &str) -> String {
        if let Some(given) = self.given.get(name) {
            return given.value.clone();
        }
        if let Some(inherited) = self.inherited.get(name) {
            return inherited.clone();
        }
        let setting = self.schema.settings.iter().find(|s| s.name == name);
        setting.map_or("", |s| s.default).to_owned()
    }

    /// How a setting is called in a message: as it was given, or by its variable.
    fn origin(&self, name: &str) -> String {
        match self.given.get(name) {
            Some(given) => given.from.clone(),
            None if self.place.is_empty() => format!("{ENV_PREFIX}{}", name.to_ascii_uppercase()),
            None => self.from(name),
        }
    }

    pub(super) fn mistake(&mut self, name: &str, problem: &str) {
        let origin = self.origin(name);
        self.mistakes.push(format!("{origin}: {problem}"));
    }

    pub(super) fn required(&mut self, name: &str) -> Option<String> {
        let value = self.text(name);
        if value.is_empty() {
            self.mistake(name, "is required and not set");
            return None;
        }
        Some(value)
    }

    pub(super) fn parsed<T: FromStr>(&mut self, name: &str, expected: &str) -> Option<T> {
        let value = self.text(name);
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.mistake(name, &format!("{value:?} is not {expected}"));
        }
        parsed
    }

    /// A number within its range; out of it, the lowest, which is never used since the mistake is noted.
    pub(super) fn number(&mut self, name: &str, min: u64, max: u64) -> u64 {
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

    pub(super) fn millis(&mut self, name: &str, min: u64, max: u64) -> Duration {
        Duration::from_millis(self.number(name, min, max))
    }

    /// The value is never shown: people put credentials into URLs, although none belong here.
    pub(super) fn url(&mut self, name: &str) -> Option<Url> {
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

    fn grpc_listen(&mut self, is_open: bool) -> Option<SocketAddr> {
        let address: SocketAddr = self.parsed("grpc_listen", "an address such as 127.0.0.1:50051")?;
        if !address.ip().is_loopback() && is_open {
            self.mistake(
                "grpc_listen",
                "is not a loopback address, and nobody would be asked who they are: listen on 127.0.0.1, or say who may call \
                 with CHATBRIDGE_TOKEN_SHA256, [[callers]] or [[jwt_issuers]]",
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

/// Tables, if all of them are.
fn tables(values: Vec<config::Value>) -> Option<Vec<Table>> {
    values
        .into_iter()
        .map(|value| Some(value.into_table().ok()?.into_iter().collect()))
        .collect()
}

/// Texts, if all of them are.
fn texts(values: Vec<config::Value>) -> Option<Vec<String>> {
    values
        .into_iter()
        .map(|value| value.into_string().ok().filter(|text| !text.is_empty()))
        .collect()
}
