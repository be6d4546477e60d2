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
