//! Faults in settings, files, certificates and ports.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use tempfile::TempDir;
use wiremock::MockServer;

use super::Patient;
use crate::support::certificates::{Authority, Issued};

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_is_missing_or_wrong() {
    let mut patient = Patient::new().await;
    patient
        .set("api_key", "")
        .set("partitions", "0")
        .set("heartbeat_ms", "x");
    let found = patient.examine(&[]).await;
    found.error(
        "config.settings",
        "CHATBRIDGE_API_KEY: is required",
        "Set it in the file or as a variable",
    );
    found.error(
        "config.settings",
        "CHATBRIDGE_PARTITIONS",
        "Correct it as the sentence says",
    );
    found.error(
        "config.settings",
        "CHATBRIDGE_HEARTBEAT_MS",
        "docs/configuration.md",
    );
    assert_eq!(found.findings.len(), 3, "there is nothing else to look at");
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_nobody_asks_who_they_are() {
    let mut patient = Patient::new().await;
    patient.set("grpc_listen", "0.0.0.0:0");
    let found = patient.examine(&[]).await;
    found.error(
        "config.settings",
        "nobody would be asked who they are",
        "token_sha256",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_file_that_cannot_be_read() {
    let mut patient = Patient::new().await;
    patient.set("api_key", "").set("api_key_file", "/nowhere/key");
    let found = patient.examine(&[]).await;
    found.error("config.settings", "/nowhere/key", "may read it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_everybody_may_read() {
    let dir = TempDir::new().unwrap();
    let (key, config) = (dir.path().join("key"), dir.path().join("chatbridge.toml"));
    fs::write(&key, "sandbox-key\n").unwrap();
    fs::write(&config, "webhook_path_secret = \"0123456789abcdef\"\n").unwrap();
    let mode = |file, mode| fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    mode(&key, 0o644);
    mode(&config, 0o640);
    let mut patient = Patient::new().await;
    patient
        .set("api_key", "")
        .set("api_key_file", key.to_str().unwrap());
    patient
        .webhook("http://127.0.0.1:9/webhooks/8x8/0123456789abcdef")
        .await;
    let config_args = ["--config", config.to_str().unwrap()];
    let found = patient.examine(&config_args).await;
    found
        .warning("config.secret_files", "mode 644", "chmod o-rwx")
        .only(&["config.secret_files"]);
    assert_eq!(
        found.of("config.secret_files").len(),
        1,
        "the other one is all right"
    );
    mode(&key, 0o600);
    mode(&config, 0o604);
    let found = patient.examine(&config_args).await;
    found.warning("config.secret_files", "mode 604", "chatbridge.toml");
    mode(&config, 0o600);
    assert_eq!(patient.examine(&config_args).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_that_others_reach_unprotected() {
    let mut patient = Patient::new().await;
    patient
        .set("grpc_listen", "0.0.0.0:0")
        .set("webhook_listen", "0.0.0.0:0")
        .set("token_sha256", &"ab".repeat(32));
    let found = patient.examine(&[]).await;
    found
        .warning("config.plaintext", "gRPC port", "grpc_tls_cert_file")
        .warning("config.path_secret", "no secret", "openssl rand -hex 24")
        .only(&["config.plaintext", "config.path_secret"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_without_tls() {
    let mut patient = Patient::new().await;
    // A name that leads nowhere: nothing is sent.
    patient
        .set("gateway_url", "http://gateway.invalid")
        .set("gateway_timeout_ms", "500");
    let found = patient.examine(&[]).await;
    found.error("config.plaintext", "without TLS", "https://").error(
        "upstream.reachable",
        "does not answer",
        "name resolution",
    );
}

/// Files of a certificate for the webhook door.
struct Files(TempDir);

impl Files {
    fn new(cert: &str, key: &str) -> Self {
        let dir = TempDir::new().unwrap();
        for (name, content) in [("tls.crt", cert), ("tls.key", key)] {
            let file = dir.path().join(name);
            fs::write(&file, content).unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        Self(dir)
    }

    /// The certificate with its authority behind it.
    fn whole(issued: &Issued, authority: &Authority) -> Self {
        Self::new(&format!("{}{}", issued.cert, authority.pem()), &issued.key)
    }

    fn set(&self, patient: &mut Patient) {
        let file = |name| self.0.path().join(name).to_str().unwrap().to_owned();
        patient
            .set("webhook_tls_cert_file", &file("tls.crt"))
            .set("webhook_tls_key_file", &file("tls.key"));
    }
}

/// What is found with these files, and a webhook at this URL.
async fn with_certificate(files: &Files, url: &str) -> super::Diagnosis {
    let mut patient = Patient::new().await;
    files.set(&mut patient);
    patient.webhook(url).await;
    patient.examine(&["--webhook-url", url]).await
}

const HERE: &str = "https://localhost:8443/webhooks/8x8";

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_has_expired_or_soon_will() {
    let authority = Authority::new();
    let found = with_certificate(&Files::whole(&authority.expired(), &authority), HERE).await;
    found
        .error("tls.dates", "has expired", "Renew it")
        .only(&["tls.dates"]);
    let soon = authority.client_for("urn:nobody", Duration::from_secs(3 * 24 * 3600));
    let found = with_certificate(&Files::whole(&soon, &authority), HERE).await;
    found.has("tls.dates", "warning", "only until", "Renew it");
    let good = with_certificate(&Files::whole(&authority.server(), &authority), HERE).await;
    assert_eq!(good.code, 0, "{:#?}", good.wrong());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_names_another_host_or_none() {
    let authority = Authority::new();
    let files = Files::whole(&authority.server(), &authority);
    let found = with_certificate(&files, "https://127.0.0.2:8443/webhooks/8x8").await;
    found
        .error("tls.names", "127.0.0.2", "subject alternative name")
        .only(&["tls.names"]);
    let nameless = authority.client("urn:somebody");
    let mut patient = Patient::new().await;
    Files::whole(&nameless, &authority).set(&mut patient);
    let files = Files::whole(&nameless, &authority);
    files.set(&mut patient);
    let found = patient.examine(&[]).await;
    found.error("tls.names", "names no host", "subject alternative name");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_alone_without_who_issued_it() {
    let authority = Authority::new();
    let issued = authority.server();
    let found = with_certificate(&Files::new(&issued.cert, &issued.key), HERE).await;
    found
        .warning("tls.chain", "alone", "behind it")
        .only(&["tls.chain"]);
    let stranger = format!("{}{}", issued.cert, Authority::new().pem());
    let found = with_certificate(&Files::new(&stranger, &issued.key), HERE).await;
    found.warning("tls.chain", "did not issue it", "behind it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_certificate_and_files_that_hold_none() {
    let authority = Authority::new();
    let (issued, other) = (authority.server(), authority.server());
    let chain = format!("{}{}", issued.cert, authority.pem());
    let found = with_certificate(&Files::new(&chain, &other.key), HERE).await;
    found
        .error("tls.files", "does not belong", "Put the key of this certificate")
        .only(&["tls.files"]);
    let found = with_certificate(&Files::new("nothing", &issued.key), HERE).await;
    found.error("tls.files", "holds no certificate", "webhook_tls_cert_file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_something_else_has() {
    // A web server, which is no Chatbridge.
    let other = MockServer::start().await;
    let address = other.address().to_string();
    let mut patient = Patient::new().await;
    for port in ["grpc", "webhook", "admin"] {
        patient.set(&format!("{port}_listen"), &address);
        let found = patient.examine(&[]).await;
        let says = format!("choose another address with {port}_listen");
        found
            .error("ports.listen", "Something else than Chatbridge", &says)
            .only(&["ports.listen"]);
        patient.set(&format!("{port}_listen"), "127.0.0.1:0");
    }
    patient.set("admin_listen", "192.0.2.1:9090");
    let found = patient.examine(&[]).await;
    found.error(
        "ports.listen",
        "cannot be listened on",
        "an address of this machine",
    );
}
