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
    let page = include_str!("../../docs/configuration.md");
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
