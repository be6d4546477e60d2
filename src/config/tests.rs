//! Settings as operators give them, right and wrong.

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
    assert_eq!(config.tenants[0].id.as_str(), "acme");
    assert!(config.policy.is_open());
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
    assert_eq!(config.tenants[0].id.as_str(), "acme");
}

#[test]
fn a_secret_may_be_in_a_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "from-file").unwrap();
    let path = file.path().to_str().unwrap();
    let mut env = GOOD.to_vec();
    env[1] = ("CHATBRIDGE_API_KEY_FILE", path);
    assert_eq!(
        load(&env).unwrap().tenants[0].api_key.expose_secret(),
        "from-file"
    );

    env.push(("CHATBRIDGE_API_KEY", "k3y"));
    assert!(load(&env).unwrap_err().to_string().contains("give one of them"));

    env.pop();
    env[1].1 = "/nowhere/at/all";
    let error = load(&env).unwrap_err();
    assert_eq!(error.0.len(), 1, "{error}");
}

#[test]
fn the_documentation_lists_every_setting_with_its_default() {
    let page = include_str!("../../docs/configuration.md");
    let tables = [
        TENANT,
        TENANT_LISTS,
        CALLER,
        CALLER_LISTS,
        ISSUER,
        ISSUER_LISTS,
        GRANT,
        GRANT_LISTS,
        CLIENT,
        CLIENT_LISTS,
    ];
    for setting in SETTINGS.iter().chain(tables.into_iter().flatten()) {
        let default = if setting.default.is_empty() {
            "none".into()
        } else {
            format!("`{}`", setting.default)
        };
        let row = format!("| `{}` | {default} | {} |", setting.name, setting.help);
        assert!(page.contains(&row), "docs/configuration.md lacks the row: {row}");
    }
}

#[test]
fn agents_names_come_from_a_file_or_from_a_url_with_a_place_for_the_id() {
    let with = |more: &[(&'static str, &'static str)]| load(&[&GOOD[..], more].concat());
    let url = ("CHATBRIDGE_AGENT_NAMES_URL", "https://hr.example/{id}?key=SECRET");
    let config = with(&[url]).unwrap();
    assert_eq!(config.agent_names_url.as_ref().unwrap().expose_secret(), url.1);
    assert!(!format!("{config:?}").contains("SECRET"));
    assert_eq!(config.agent_names_ttl, Duration::from_secs(300));

    let file = ("CHATBRIDGE_AGENT_NAMES_FILE", "/etc/agents.json");
    let config = with(&[file]).unwrap();
    assert_eq!(config.agent_names_file.as_deref(), Some(Path::new(file.1)));
    let error = with(&[url, file]).unwrap_err().to_string();
    assert!(
        error.contains("CHATBRIDGE_AGENT_NAMES_URL: cannot be given beside"),
        "{error}"
    );

    for wrong in [
        "https://hr.example/SECRET",
        "https://{id}.example/SECRET",
        "https://hr.example/SECRET#{id}",
        "SECRET/{id}",
    ] {
        let error = with(&[("CHATBRIDGE_AGENT_NAMES_URL", wrong)]).unwrap_err();
        assert_eq!(error.0.len(), 1, "{error}");
        let error = error.to_string();
        assert!(
            error.contains("CHATBRIDGE_AGENT_NAMES_URL: must look like"),
            "{error}"
        );
        assert!(!error.contains("SECRET"), "{error}");
    }
}

#[test]
fn master_keys_come_from_a_file_or_from_a_setting_and_are_never_shown() {
    const KEY: &str = "a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let with = |more: &[(&'static str, &str)]| load(&[&GOOD[..], more].concat());
    assert!(with(&[]).unwrap().master_keys.is_none());
    let config = with(&[("CHATBRIDGE_MASTER_KEYS", KEY)]).unwrap();
    assert!(!format!("{config:?}").contains("AAAA"), "{config:?}");
    let first = |config: Config| {
        config
            .master_keys
            .unwrap()
            .keys()
            .first()
            .unwrap()
            .id()
            .to_owned()
    };
    assert_eq!(first(config), "a");

    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "# ours\n{}", KEY.replace("a:", "b:")).unwrap();
    let path = ("CHATBRIDGE_MASTER_KEYS_FILE", file.path().to_str().unwrap());
    assert_eq!(first(with(&[path]).unwrap()), "b");

    for (env, begins) in [
        (
            vec![("CHATBRIDGE_MASTER_KEYS", KEY), path],
            "CHATBRIDGE_MASTER_KEYS: cannot be given beside",
        ),
        (
            vec![("CHATBRIDGE_MASTER_KEYS", "a:SECRET")],
            "CHATBRIDGE_MASTER_KEYS: line 1: ",
        ),
        (
            vec![("CHATBRIDGE_MASTER_KEYS_FILE", "/nowhere/at/all")],
            "CHATBRIDGE_MASTER_KEYS_FILE: it cannot be read",
        ),
    ] {
        let error = with(&env).unwrap_err();
        assert_eq!(error.0.len(), 1, "{error}");
        assert!(
            error.0[0].starts_with(begins) && !error.0[0].contains("SECRET"),
            "{error}"
        );
    }
}

#[test]
fn streams_are_ended_before_they_are_cut_off() {
    let with = |spread, deadline| {
        let more = [
            ("CHATBRIDGE_DRAIN_SPREAD_MS", spread),
            ("CHATBRIDGE_DRAIN_DEADLINE_MS", deadline),
        ];
        load(&[&GOOD[..], &more].concat())
    };
    assert!(with("5000", "5000").is_ok());
    let error = with("5001", "5000").unwrap_err();
    assert_eq!(error.0.len(), 1, "{error}");
    assert!(
        error
            .to_string()
            .contains("CHATBRIDGE_DRAIN_SPREAD_MS: is longer than drain_deadline_ms"),
        "{error}"
    );
}

#[test]
fn no_mistake_shows_a_secret() {
    for toml in ["api_key = \"SECRET123\nx = 1", "webhook_path_secret = SECRET123"] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "{toml}").unwrap();
        let error = Config::load(Some(file.path()), []).unwrap_err().to_string();
        assert!(error.contains("line 1") && !error.contains("SECRET"), "{error}");
    }
    for url in [
        "https://user:SECRET@host:99999",
        "https://user:SECRET@host",
        "https://host/?key=SECRET",
    ] {
        let mut env = GOOD.to_vec();
        env.push(("CHATBRIDGE_GATEWAY_URL", url));
        let error = load(&env).unwrap_err().to_string();
        assert!(
            error.contains("CHATBRIDGE_GATEWAY_URL: ") && !error.contains("SECRET"),
            "{error}"
        );
    }
}

/// The settings of a file, with the store in memory.
fn load_file(toml: &str) -> Result<Config, ConfigError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "redis_url = \"memory:\"\n{toml}").unwrap();
    Config::load(Some(file.path()), [])
}

const TWO_TENANTS: &str = r#"
gateway_attempts = 5

[[tenants]]
id = "acme"
api_key = "k3y-1"
channels = ["web", "app"]

[[tenants]]
id = "globex"
api_key = "k3y-2"
gateway_url = "https://eu.example.com"
gateway_attempts = 2
"#;

/// SHA-256 of "abc".
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn tenants_have_their_own_settings_and_otherwise_those_at_the_top() {
    let config = load_file(TWO_TENANTS).unwrap();
    let [acme, globex] = &config.tenants[..] else {
        panic!("{:?}", config.tenants)
    };
    assert_eq!((acme.id.as_str(), acme.gateway_attempts), ("acme", 5));
    assert_eq!(acme.gateway_url.as_str(), "https://api.8x8.com/");
    assert_eq!(acme.channels.len(), 2);
    assert_eq!((globex.id.as_str(), globex.gateway_attempts), ("globex", 2));
    assert_eq!(globex.gateway_url.as_str(), "https://eu.example.com/");
    assert_eq!(globex.api_key.expose_secret(), "k3y-2");
    assert!(globex.channels.is_empty());
    assert!(!format!("{config:?}").contains("k3y-"));
}

#[test]
fn who_may_call_is_read_from_tables() {
    let toml = format!(
        r#"{TWO_TENANTS}
[[callers]]
name = "bot"
role = "caller"
tenants = ["acme"]
token_sha256 = ["{ABC}"]
identities = ["spiffe://example.org/bot", "dns:Bot.Example.org"]
calls_per_second = 10
streams_max = 3

[[jwt_issuers]]
issuer = "https://id.example.com"
audiences = ["chatbridge"]
algorithms = ["RS256", "ES256"]
jwks_url = "https://id.example.com/keys"
[[jwt_issuers.grants]]
claim = "groups"
value = "admins"
role = "admin"
tenants = ["*"]
"#
    );
    let policy = load_file(&toml).unwrap().policy;
    let bot = &policy.tokens[&crate::access::token::hash("abc")];
    assert_eq!(
        (bot.name.as_str(), bot.role.as_str(), bot.limits.streams),
        ("bot", "caller", 3)
    );
    assert!(bot.tenants.has(&TenantId::new("acme")) && !bot.tenants.has(&TenantId::new("globex")));
    assert_eq!(policy.identities["dns:bot.example.org"], *bot);
    assert_eq!(policy.identities["spiffe://example.org/bot"], *bot);
    let issuer = &policy.issuers[0];
    assert_eq!((issuer.name_claim.as_str(), issuer.grants.len()), ("sub", 1));
    assert_eq!(issuer.grants[0].tenants, crate::access::Scope::All);
}

#[test]
fn every_mistake_in_tables_is_named_by_its_place_and_without_secrets() {
    let toml = r#"
tenant = "top"
[[tenants]]
id = "acme"
api_key = "SECRET-1"
gateway_attempts = 99
[[tenants]]
id = "acme"
channels = [1, ""]
colour = "red"
[[callers]]
name = "a"
role = "king"
tenants = ["acme", "nobody"]
[[callers]]
name = "a"
role = "reader"
tenants = ["*"]
token_sha256 = ["SECRET-2", "SECRET-3", "SECRET-4"]
identities = ["not a name"]
[[jwt_issuers]]
issuer = "i"
audiences = []
algorithms = ["HS256", "none"]
jwks_url = "http://id.example.com/keys"
"#;
    let text = load_file(toml).unwrap_err().to_string();
    for expected in [
        "tenant in",
        "tenants[0].gateway_attempts in",
        "tenants[1].id in",
        "tenants[1].api_key in",
        "tenants[1].channels in",
        "tenants[1].colour in",
        "callers[0].role in",
        "callers[0].tenants in",
        "callers[0].token_sha256 in",
        "callers[1].name in",
        "callers[1].token_sha256 in",
        "callers[1].identities in",
        "jwt_issuers[0].audiences in",
        "jwt_issuers[0].algorithms in",
        "jwt_issuers[0].jwks_url in",
        "jwt_issuers[0].grants in",
    ] {
        assert!(
            text.contains(&format!("  - {expected}")),
            "{expected} is missing in {text}"
        );
    }
    assert!(!text.contains("SECRET"), "{text}");
    let text = load_file("tenants = 3").unwrap_err().to_string();
    assert!(text.contains("must be tables, each under [[tenants]]"), "{text}");
}

#[test]
fn beyond_loopback_somebody_must_be_asked_who_they_are() {
    let everywhere = ("CHATBRIDGE_GRPC_LISTEN", "0.0.0.0:50051");
    let error = load(&[&GOOD[..], &[everywhere]].concat())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("CHATBRIDGE_GRPC_LISTEN: is not a loopback address"),
        "{error}"
    );
    let token = ("CHATBRIDGE_TOKEN_SHA256", ABC);
    let config = load(&[&GOOD[..], &[everywhere, token]].concat()).unwrap();
    assert_eq!(config.policy.tokens.len(), 1);
    let two = format!("{ABC}, {}", ABC.replace('b', "c"));
    let config = load(&[&GOOD[..], &[("CHATBRIDGE_TOKEN_SHA256", &two)]].concat()).unwrap();
    assert_eq!(config.policy.tokens.len(), 2);
}

#[test]
fn a_configuration_can_be_read_again_and_tells_what_needs_a_restart() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "one").unwrap();
    let head = format!(
        "redis_url = \"memory:\"\ntenant = \"t\"\napi_key_file = {:?}\n",
        secret.path()
    );
    writeln!(file, "{head}").unwrap();
    let config = Config::load(Some(file.path()), []).unwrap();
    let before = config.origin.digest();
    std::fs::write(secret.path(), "two").unwrap();
    assert_ne!(config.origin.digest(), before);
    let again = config.origin.reload().unwrap();
    assert_eq!(again.tenants[0].api_key.expose_secret(), "two");
    assert!(!config.origin.needs_restart(&again.origin));
    std::fs::write(file.path(), format!("{head}partitions = 3")).unwrap();
    let again = config.origin.reload().unwrap();
    assert!(config.origin.needs_restart(&again.origin));
}

#[test]
fn a_certificate_comes_with_its_key_and_authorities_with_a_certificate() {
    let with = |more: &[(&'static str, &'static str)]| load(&[&GOOD[..], more].concat());
    let (cert, key) = (
        ("CHATBRIDGE_GRPC_TLS_CERT_FILE", "/tls/tls.crt"),
        ("CHATBRIDGE_GRPC_TLS_KEY_FILE", "/tls/tls.key"),
    );
    let ca = ("CHATBRIDGE_GRPC_TLS_CLIENT_CA_FILE", "/tls/ca.crt");
    assert_eq!(with(&[]).unwrap().grpc_tls, None);
    let tls = with(&[cert, key]).unwrap().grpc_tls.unwrap();
    assert_eq!((tls.cert.to_str(), tls.client_auth), (Some("/tls/tls.crt"), None));
    let tls = with(&[cert, key, ca]).unwrap().grpc_tls.unwrap();
    assert!(tls.client_auth.unwrap().required);
    let optional = ("CHATBRIDGE_GRPC_TLS_CLIENT_AUTH", "optional");
    let tls = with(&[cert, key, ca, optional]).unwrap().grpc_tls.unwrap();
    assert!(!tls.client_auth.unwrap().required);

    let maybe = ("CHATBRIDGE_GRPC_TLS_CLIENT_AUTH", "maybe");
    for (wrong, words) in [
        (
            vec![cert],
            "CHATBRIDGE_GRPC_TLS_CERT_FILE: needs grpc_tls_key_file",
        ),
        (
            vec![key],
            "CHATBRIDGE_GRPC_TLS_KEY_FILE: needs grpc_tls_cert_file",
        ),
        (
            vec![ca],
            "CHATBRIDGE_GRPC_TLS_CLIENT_CA_FILE: needs grpc_tls_cert_file and",
        ),
        (
            vec![cert, key, ca, maybe],
            "CHATBRIDGE_GRPC_TLS_CLIENT_AUTH: \"maybe\" is neither",
        ),
        (
            vec![("CHATBRIDGE_WEBHOOK_TLS_CERT_FILE", "/x")],
            "CHATBRIDGE_WEBHOOK_TLS_CERT_FILE: needs",
        ),
    ] {
        let error = with(&wrong).unwrap_err();
        assert_eq!(error.0.len(), 1, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn certificates_for_redis_are_for_a_redis_that_is_asked_for_by_tls() {
    let ca = ("CHATBRIDGE_REDIS_TLS_CA_FILE", "/tls/redis-ca.crt");
    let mut env = GOOD.to_vec();
    env.push(ca);
    let error = load(&env).unwrap_err().to_string();
    assert!(
        error.contains("CHATBRIDGE_REDIS_TLS_CA_FILE: is of no use"),
        "{error}"
    );
    assert!(!error.contains("pa55"), "{error}");
    for url in [
        "rediss://:pa55@h",
        "rediss+sentinel://:pa55@h/main",
        "rediss+cluster://:pa55@h",
    ] {
        env[2].1 = url;
        let tls = load(&env).unwrap().redis_tls;
        assert_eq!(tls.ca.as_deref(), Some(Path::new(ca.1)), "{url}");
    }
    env.push(("CHATBRIDGE_REDIS_TLS_CERT_FILE", "/tls/client.crt"));
    let error = load(&env).unwrap_err().to_string();
    assert!(error.contains("needs redis_tls_key_file beside it"), "{error}");
}

#[test]
fn networks_are_read_and_what_is_none_is_said() {
    let with = |allow: &'static str| load(&[&GOOD[..], &[("CHATBRIDGE_WEBHOOK_ALLOW", allow)]].concat());
    let allowed = with("192.0.2.0/24, 2001:db8::/32,203.0.113.7")
        .unwrap()
        .webhook_sources
        .allowed;
    let texts: Vec<_> = allowed.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["192.0.2.0/24", "2001:db8::/32", "203.0.113.7/32"]);
    let error = with("192.0.2.1/24,example.org,10.0.0.0/33").unwrap_err();
    assert_eq!(error.0.len(), 3, "{error}");
    let error = error.to_string();
    assert!(
        error.contains(
            "CHATBRIDGE_WEBHOOK_ALLOW: \"192.0.2.1/24\" has bits behind its length: write 192.0.2.0/24"
        ),
        "{error}"
    );
}

#[test]
fn a_delivery_is_known_for_as_long_as_it_may_be_repeated() {
    let with = |hours, seconds| {
        let more = [
            ("CHATBRIDGE_DEDUPE_RETENTION_HOURS", hours),
            ("CHATBRIDGE_WEBHOOK_FRESHNESS_SECONDS", seconds),
        ];
        load(&[&GOOD[..], &more].concat())
    };
    assert!(with("1", "1799").is_ok());
    let error = with("1", "1800").unwrap_err();
    assert_eq!(error.0.len(), 1, "{error}");
    assert!(
        error
            .to_string()
            .contains("CHATBRIDGE_DEDUPE_RETENTION_HOURS: is not more than twice"),
        "{error}"
    );
    assert!(with("3", "3600").is_ok());
}

#[test]
fn the_largest_webhook_has_room() {
    let more = [
        ("CHATBRIDGE_WEBHOOK_BUFFER_BYTES", "2048"),
        ("CHATBRIDGE_WEBHOOK_MAX_BYTES", "2049"),
    ];
    let error = load(&[&GOOD[..], &more].concat()).unwrap_err();
    assert_eq!(error.0.len(), 1, "{error}");
    assert!(
        error
            .to_string()
            .contains("CHATBRIDGE_WEBHOOK_BUFFER_BYTES: is less than"),
        "{error}"
    );
}

#[test]
fn traces_are_off_until_there_is_an_endpoint() {
    assert!(load(&GOOD).unwrap().traces.is_none());
    let with = |more: &[(&str, &str)]| load(&[&GOOD, more].concat());
    let config = with(&[
        ("CHATBRIDGE_OTLP_ENDPOINT", "http://collector:4317"),
        (
            "CHATBRIDGE_OTLP_HEADERS",
            "Authorization=Bearer%20s3cret, x-scope = shop",
        ),
        ("CHATBRIDGE_TRACE_SAMPLE_RATIO", "0.25"),
    ])
    .unwrap();
    let traces = config.traces.as_ref().unwrap();
    let headers: Vec<_> = traces
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose_secret()))
        .collect();
    assert_eq!(headers, [("authorization", "Bearer s3cret"), ("x-scope", "shop")]);
    assert!((traces.sample_ratio - 0.25).abs() < f64::EPSILON && !traces.upstream);
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn mistakes_about_traces_are_told_without_what_is_secret() {
    let endpoint = ("CHATBRIDGE_OTLP_ENDPOINT", "http://collector:4317");
    for (more, part) in [
        (&[("CHATBRIDGE_OTLP_ENDPOINT", "s3cret")][..], "is not a URL"),
        (&[("CHATBRIDGE_OTLP_ENDPOINT", "ftp://s3cret")], "http or https"),
        (
            &[("CHATBRIDGE_OTLP_ENDPOINT", "http://u:s3cret@collector:4317")],
            "no user and no password",
        ),
        (
            &[("CHATBRIDGE_OTLP_ENDPOINT", "http://collector:4318/v1/traces")],
            "no path",
        ),
        (
            &[("CHATBRIDGE_OTLP_HEADERS", "a=s3cret")],
            "of no use without otlp_endpoint",
        ),
        (
            &[endpoint, ("CHATBRIDGE_OTLP_HEADERS", "a=b,s3cret")],
            "header 2 is not NAME=VALUE",
        ),
        (
            &[endpoint, ("CHATBRIDGE_OTLP_TLS_CA_FILE", "ca.crt")],
            "does not begin with https",
        ),
        (&[endpoint, ("CHATBRIDGE_TRACE_SAMPLE_RATIO", "2")], "from 0 to 1"),
        (
            &[endpoint, ("CHATBRIDGE_TRACE_SAMPLE_RATIO", "NaN")],
            "from 0 to 1",
        ),
        (&[endpoint, ("CHATBRIDGE_TRACE_UPSTREAM", "yes")], "true or false"),
    ] {
        let error = load(&[&GOOD, more].concat()).unwrap_err();
        assert_eq!(error.0.len(), 1, "{error}");
        let text = error.to_string();
        assert!(text.contains(part) && !text.contains("s3cret"), "{text}");
    }
}

/// A port for Chat API v2, with one client that says `more`.
fn with_chat_v2(more: &str) -> String {
    format!(
        r#"chat_v2_listen = "127.0.0.1:0"
chat_v2_token_secret = "0123456789abcdef0123456789abcdef"
{TWO_TENANTS}
webhook_id = "hook-2"

[[chat_v2_clients]]
id = "app"
secret_sha256 = ["{ABC}"]
tenants = ["acme"]
{more}
"#
    )
}

#[test]
fn clients_of_chat_api_v2_have_secrets_tenants_and_scopes() {
    assert!(load(&GOOD).unwrap().chat_v2.is_none());
    let config = load_file(&with_chat_v2("calls_per_second = 5")).unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("0123456789abcdef"), "{shown}");
    let chat_v2 = config.chat_v2.unwrap();
    let [client] = &chat_v2.policy.clients[..] else {
        panic!("{:?}", chat_v2.policy.clients)
    };
    assert_eq!(client.scopes.len(), 6, "all, unless it says");
    assert!(client.tenants.has(&TenantId::new("acme")) && !client.tenants.has(&TenantId::new("globex")));
    assert_eq!(client.limits.calls_per_second, NonZeroU32::new(5));
    assert_eq!(chat_v2.policy.token_secrets.len(), 1);
    // Each tenant's own, and nobody else's.
    assert_eq!(chat_v2.policy.webhooks.len(), 1);
    assert_eq!(chat_v2.policy.webhooks[&TenantId::new("globex")], "hook-2");
    assert_eq!(chat_v2.settings.token_ttl, Duration::from_secs(3600));

    let few = with_chat_v2("scopes = [\"vcc-chat.channels.read\"]");
    let few = load_file(&few).unwrap().chat_v2.unwrap();
    assert_eq!(
        few.policy.clients[0].scopes,
        [chat_v2::ApiScope::ChannelsRead].into()
    );
}

#[test]
fn mistakes_of_chat_api_v2_are_named_without_secrets() {
    let error = load_file(&format!(
        r#"chat_v2_listen = "here"
chat_v2_token_secret = "too-short-s3cret"
chat_v2_signing_key_file = "/nowhere/key.pem"
chat_v2_webhook_allow = "10.0.0.1/8"
chat_v2_max_bytes = 2048
chat_v2_buffer_bytes = 1024
webhook_id = "at-the-top"
{TWO_TENANTS}
[[chat_v2_clients]]
id = "a:b"
secret_sha256 = ["s3cret"]
tenants = ["nobody"]
scopes = ["everything"]

[[chat_v2_clients]]
id = "b"
tenants = ["acme"]
"#
    ))
    .unwrap_err();
    let text = error.to_string();
    for name in [
        "chat_v2_listen in",
        "chat_v2_token_secret in",
        "chat_v2_signing_key_file in",
        "chat_v2_webhook_allow in",
        "chat_v2_buffer_bytes in",
        "webhook_id in",
        "chat_v2_clients[0].id in",
        "chat_v2_clients[0].secret_sha256 in",
        "chat_v2_clients[0].tenants in",
        "chat_v2_clients[0].scopes in",
        "chat_v2_clients[1].secret_sha256 in",
    ] {
        assert!(text.contains(name), "{name} is missing in {text}");
    }
    assert!(!text.contains("s3cret"), "{text}");
}
