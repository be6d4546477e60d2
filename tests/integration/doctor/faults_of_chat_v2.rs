//! Faults in what serves clients of Chat API v2.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::json;
use tempfile::TempDir;
use wiremock::MockServer;

use super::{Diagnosis, Patient};
use crate::{
    chat_v2::signing_key,
    support::{
        certificates::Authority,
        service::{Service, eventually},
    },
};

/// The sandbox's own webhook, which leads to the door here.
const WEBHOOK: &str = "sandbox-webhook";

/// A configuration that serves one client of v2, well until a test sees to it.
struct Facade {
    patient: Patient,
    dir: TempDir,
}

impl Facade {
    async fn new() -> Self {
        let mut facade = Self {
            patient: Patient::new().await,
            dir: TempDir::new().unwrap(),
        };
        facade.client("");
        let key = facade.file("signing.pem", &signing_key());
        facade
            .patient
            .set("chat_v2_listen", "127.0.0.1:0")
            .set("chat_v2_token_secret", &"0123456789abcdef".repeat(2))
            .set("chat_v2_signing_key_file", &key)
            .set("webhook_id", WEBHOOK);
        facade
    }

    /// Has a client with these further lines.
    fn client(&self, more: &str) {
        let hash = "ab".repeat(32);
        let text = format!(
            "[[chat_v2_clients]]\nid = \"college-app\"\nsecret_sha256 = [\"{hash}\"]\ntenants = [\"*\"]\n{more}"
        );
        self.file("chatbridge.toml", &text);
    }

    /// Writes a file that its owner alone may read.
    fn file(&self, name: &str, content: &str) -> String {
        let path = self.dir.path().join(name);
        fs::write(&path, content).unwrap();
        mode(&path, 0o600);
        path.to_str().unwrap().to_owned()
    }

    async fn examine(&self) -> Diagnosis {
        let config = self.dir.path().join("chatbridge.toml");
        self.patient
            .examine(&["--config", config.to_str().unwrap()])
            .await
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_wrong_where_it_is_well_and_nothing_is_said_where_it_is_not_there() {
    let mut facade = Facade::new().await;
    facade.patient.set("chat_v2_webhook_allow", "10.7.0.0/16");
    let found = facade.examine().await;
    assert_eq!(found.code, 0, "{:#?}", found.wrong());
    for id in ["chat_v2.signing", "chat_v2.webhook_id", "chat_v2.webhook_allow"] {
        let findings = found.of(id);
        assert!(
            findings.len() == 1 && findings[0]["severity"] == "ok",
            "{id}: {findings:?}"
        );
    }
    assert!(
        found
            .of("ports.listen")
            .iter()
            .any(|it| it["subject"] == "chat_v2")
    );
    let without = Patient::new().await.examine(&[]).await;
    assert!(
        !without
            .findings
            .iter()
            .any(|it| it["id"].as_str().unwrap().starts_with("chat_v2."))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_signs_nothing() {
    let mut facade = Facade::new().await;
    facade.patient.set("chat_v2_signing_key_file", "");
    let found = facade.examine().await;
    found
        .warning("chat_v2.signing", "nothing is ever sent", "openssl genpkey")
        .only(&["chat_v2.signing"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signing_key_that_cannot_be_used_or_that_everybody_may_read() {
    let mut facade = Facade::new().await;
    let key = facade.dir.path().join("signing.pem");
    mode(&key, 0o644);
    let found = facade.examine().await;
    found
        .warning("config.secret_files", "mode 644", "chmod o-rwx")
        .only(&["config.secret_files"]);
    facade.file("signing.pem", "no key at all");
    let found = facade.examine().await;
    found.error("config.settings", "CHAT_V2_SIGNING_KEY_FILE", "Correct it");
    facade
        .patient
        .set("chat_v2_signing_key_file", "/nowhere/signing.pem");
    let found = facade.examine().await;
    found.error("config.settings", "/nowhere/signing.pem", "may read it");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_clients_without_tls() {
    let mut facade = Facade::new().await;
    facade.patient.set("chat_v2_listen", "0.0.0.0:0");
    let found = facade.examine().await;
    found
        .warning("config.plaintext", "Chat API v2", "chat_v2_tls_cert_file")
        .only(&["config.plaintext"]);
    let authority = Authority::new();
    let issued = authority.server();
    let cert = facade.file("tls.crt", &format!("{}{}", issued.cert, authority.pem()));
    let key = facade.file("tls.key", &issued.key);
    facade
        .patient
        .set("chat_v2_tls_cert_file", &cert)
        .set("chat_v2_tls_key_file", &key);
    let found = facade.examine().await;
    assert_eq!(found.code, 0, "{:#?}", found.wrong());
    assert!(found.of("tls.files").iter().any(|it| it["subject"] == "chat_v2"));
    facade.file("tls.key", &authority.server().key);
    let found = facade.examine().await;
    found.error("tls.files", "does not belong", "chat_v2_tls_key_file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_whose_channels_have_no_webhook() {
    let mut facade = Facade::new().await;
    facade.patient.set("webhook_id", "");
    let found = facade.examine().await;
    found
        .warning("chat_v2.webhook_id", "college-app", "ListWebhooks")
        .only(&["chat_v2.webhook_id"]);
    facade.client("scopes = [\"vcc-chat.channels.read\", \"vcc-chat.conversations.write\"]");
    let found = facade.examine().await;
    assert_eq!(found.code, 0, "it makes no channels: {:#?}", found.wrong());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_whose_webhook_is_gone_or_leads_elsewhere() {
    let mut facade = Facade::new().await;
    facade.patient.set("webhook_id", "gone");
    let found = facade.examine().await;
    found
        .error(
            "chat_v2.webhook_id",
            "8x8 has no such webhook",
            "webhook.registered",
        )
        .only(&["chat_v2.webhook_id"]);
    let elsewhere = json!({
        "name": "other", "uri": "http://127.0.0.1:9/elsewhere", "notificationVersion": "Chat Gateway v1.0",
    });
    let other = facade
        .patient
        .upstream("POST", "/webhooks", Some(elsewhere))
        .await;
    facade.patient.set("webhook_id", other["id"].as_str().unwrap());
    let found = facade.examine().await;
    found
        .error(
            "chat_v2.webhook_id",
            "does not lead to the door",
            "webhook.registered",
        )
        .only(&["chat_v2.webhook_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_who_may_have_anything_sent_anywhere() {
    let mut facade = Facade::new().await;
    facade
        .patient
        .set("chat_v2_webhook_allow", "10.0.0.0/9, 10.128.0.0/9, 127.0.0.1");
    let found = facade.examine().await;
    found
        .warning(
            "chat_v2.webhook_allow",
            "all of 10.0.0.0/8",
            "as small as they can be",
        )
        .warning(
            "chat_v2.webhook_allow",
            "this machine itself",
            "as small as they can be",
        )
        .only(&["chat_v2.webhook_allow"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_something_else_has_or_chatbridge_has_already() {
    let mut facade = Facade::new().await;
    let other = MockServer::start().await;
    facade.patient.set("chat_v2_listen", &other.address().to_string());
    let found = facade.examine().await;
    found
        .error(
            "ports.listen",
            "Something else than Chatbridge",
            "choose another address with chat_v2_listen",
        )
        .only(&["ports.listen"]);
    let config = facade.dir.path().join("chatbridge.toml");
    let mut settings: Vec<(&str, &str)> = vec![("config", config.to_str().unwrap())];
    facade.patient.set("chat_v2_listen", "127.0.0.1:0");
    let own = facade.patient.settings.clone();
    settings.extend(own.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let service = Service::start(&settings).await;
    let address = service.chat_v2.clone().unwrap();
    facade.patient.set("chat_v2_listen", &address);
    let known = eventually("the service is known by its port", async || {
        let found = facade.examine().await;
        let sentence = format!("Chatbridge listens on {address} already.");
        let mut ports = found.of("ports.listen").into_iter();
        ports
            .any(|it| it["sentence"] == sentence.as_str())
            .then_some(found)
    })
    .await;
    assert_eq!(known.code, 0, "{:#?}", known.wrong());
}
