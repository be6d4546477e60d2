//! gRPC over TLS: who gets in, and what becomes of certificates that change.

use std::time::{Duration, Instant};

use tokio::{io::AsyncReadExt as _, net::TcpStream};

use super::{SOON, address, both, call, channel, files_of, presented, serve, shake};
use crate::support::{
    certificates::{Authority, Issued, Mounted},
    service::{PATIENCE, Service, eventually, program},
    vendor::Vendor,
};

const PORT: &str = r#"port="grpc""#;

async fn reloads(service: &Service, result: &str) -> f64 {
    let name = format!(r#"chatbridge_tls_reloads_total{{{PORT},result="{result}"}}"#);
    service.metric(&name).await
}

async fn expiry(service: &Service) -> f64 {
    let name = format!("chatbridge_tls_certificate_expiry_seconds{{{PORT}}}");
    service.metric(&name).await
}

#[tokio::test]
async fn calls_go_over_tls_and_none_go_without() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let files = files_of(&authority.server());
    let service = serve(&[
        ("grpc_tls_cert_file", &files.text("tls.crt")),
        ("grpc_tls_key_file", &files.text("tls.key")),
    ])
    .await;
    call(channel(&service, &authority.pem(), None).await.unwrap())
        .await
        .unwrap();

    assert!(
        channel(&service, &stranger.pem(), None).await.is_err(),
        "the authority is another"
    );
    let plain = tokio::time::timeout(SOON, async { call(service.channel().await).await });
    assert!(plain.await.unwrap().is_err(), "without TLS nothing is answered");

    // Browsers speak HTTP/1.1 as well as HTTP/2 to gRPC-Web.
    let at = address(&service.grpc);
    for (offered, chosen) in [(&["h2", "http/1.1"][..], "h2"), (&["http/1.1"], "http/1.1")] {
        let stream = shake(at, &authority.pem(), offered).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(chosen.as_bytes()));
    }
    assert!(shake(at, &authority.pem(), &["spdy/3"]).await.is_err());
    let browser = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap()])
        .http1_only()
        .resolve("localhost", at)
        .build()
        .unwrap();
    let url = format!(
        "https://localhost:{}/chatbridge.v1.SessionService/ListSessions",
        at.port()
    );
    let answer = browser
        .post(url)
        .header("content-type", "application/grpc-web+proto")
        .header("x-grpc-web", "1")
        .body(vec![0; 5])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/grpc-web+proto");
    // At least those of the stranger and of the protocol that nobody speaks.
    assert!(service.metric("chatbridge_tls_handshakes_failed_total").await >= 2.0);
    assert_eq!(service.terminate().await, Some(0));
}

#[tokio::test]
async fn clients_prove_who_they_are_where_they_must_and_where_they_may() {
    let (authority, clients, stranger) = (Authority::new(), Authority::new(), Authority::new());
    let server = authority.server();
    let files = Mounted::new(&[
        ("tls.crt", &server.cert),
        ("tls.key", &server.key),
        ("ca.crt", &clients.pem()),
    ]);
    let known = clients.client("spiffe://example.org/bot");
    let unknown = stranger.client("spiffe://example.org/bot");
    for (auth, without) in [("required", false), ("optional", true)] {
        let service = serve(&[
            ("grpc_tls_cert_file", &files.text("tls.crt")),
            ("grpc_tls_key_file", &files.text("tls.key")),
            ("grpc_tls_client_ca_file", &files.text("ca.crt")),
            ("grpc_tls_client_auth", auth),
        ])
        .await;
        // With TLS 1.3 a client hears only with its first call that it is turned away.
        let gets_in =
            async |identity: Option<&Issued>| match channel(&service, &authority.pem(), identity).await {
                Ok(channel) => call(channel).await.is_ok(),
                Err(_) => false,
            };
        assert!(gets_in(Some(&known)).await, "{auth}");
        assert!(!gets_in(Some(&unknown)).await, "{auth}");
        assert_eq!(gets_in(None).await, without, "{auth}");
    }
}

#[tokio::test]
async fn authorities_of_clients_change_like_certificates() {
    let (authority, old, new) = (Authority::new(), Authority::new(), Authority::new());
    let server = authority.server();
    let mount = |ca: &Authority| {
        [
            ("tls.crt", server.cert.clone()),
            ("tls.key", server.key.clone()),
            ("ca.crt", ca.pem()),
        ]
    };
    let before = mount(&old);
    let files = Mounted::new(&before.each_ref().map(|(name, text)| (*name, text.as_str())));
    let service = serve(&[
        ("grpc_tls_cert_file", &files.text("tls.crt")),
        ("grpc_tls_key_file", &files.text("tls.key")),
        ("grpc_tls_client_ca_file", &files.text("ca.crt")),
    ])
    .await;
    let clients = [&old, &new].map(|ca| ca.client("spiffe://example.org/bot"));
    let gets_in = async |client: &Issued| match channel(&service, &authority.pem(), Some(client)).await {
        Ok(channel) => call(channel).await.is_ok(),
        Err(_) => false,
    };
    assert!(gets_in(&clients[0]).await && !gets_in(&clients[1]).await);
    let after = mount(&new);
    files.replace(&after.each_ref().map(|(name, text)| (*name, text.as_str())));
    eventually("the new authority is believed", async || {
        gets_in(&clients[1]).await.then_some(())
    })
    .await;
    assert!(!gets_in(&clients[0]).await, "the old one is not any more");
}

#[tokio::test]
async fn the_command_line_reaches_a_service_over_tls() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let (server, client) = (
        authority.server(),
        clients.client("spiffe://example.org/operator"),
    );
    let files = Mounted::new(&[
        ("tls.crt", &server.cert),
        ("tls.key", &server.key),
        ("ca.crt", &clients.pem()),
        ("server-ca.crt", &authority.pem()),
        ("client.crt", &client.cert),
        ("client.key", &client.key),
    ]);
    let vendor = Vendor::start().await;
    let service = serve(&[
        ("gateway_url", &vendor.server.uri()),
        ("grpc_tls_cert_file", &files.text("tls.crt")),
        ("grpc_tls_key_file", &files.text("tls.key")),
        ("grpc_tls_client_ca_file", &files.text("ca.crt")),
    ])
    .await;
    assert_eq!(
        vendor
            .deliver(&service.webhook, &vendor.message("c1", "over TLS"))
            .await,
        204
    );
    let url = format!("https://localhost:{}", address(&service.grpc).port());
    let tail = async |more: &[(&str, &str)]| {
        let mut command = program();
        command.args(["tail", "--from", "earliest", "--limit", "1", "--server", &url]);
        for (name, file) in more {
            command.args([*name, &files.text(file)]);
        }
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = output.expect("it ends").unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let all = [
        ("--ca-file", "server-ca.crt"),
        ("--client-cert-file", "client.crt"),
        ("--client-key-file", "client.key"),
    ];
    let (succeeded, text) = tail(&all).await;
    assert!(succeeded && text.contains("over TLS"), "{text}");
    let (succeeded, text) = tail(&all[1..]).await;
    assert!(!succeeded && text.contains("let --ca-file name"), "{text}");
}

#[tokio::test]
async fn both_versions_of_tls_that_are_secure_are_spoken() {
    let authority = Authority::new();
    let files = files_of(&authority.server());
    let service = serve(&[
        ("webhook_tls_cert_file", &files.text("tls.crt")),
        ("webhook_tls_key_file", &files.text("tls.key")),
    ])
    .await;
    let at = address(&service.webhook);
    for version in [reqwest::tls::Version::TLS_1_2, reqwest::tls::Version::TLS_1_3] {
        let client = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap()])
            .tls_version_min(version)
            .tls_version_max(version)
            .resolve("localhost", at)
            .build()
            .unwrap();
        let url = format!("https://localhost:{}/webhooks/8x8", at.port());
        let answer = client.post(url).body("{}").send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.version()),
            (400, reqwest::Version::HTTP_11)
        );
    }
    let stream = shake(at, &authority.pem(), &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert!(
        shake(at, &authority.pem(), &["h2"]).await.is_err(),
        "HTTP/2 is not spoken there"
    );
}

#[tokio::test]
async fn clients_that_say_nothing_hold_up_nobody_and_are_given_up() {
    let authority = Authority::new();
    let files = files_of(&authority.server());
    let service = serve(&[
        ("grpc_tls_cert_file", &files.text("tls.crt")),
        ("grpc_tls_key_file", &files.text("tls.key")),
        ("keepalive_ms", "1000"),
        ("keepalive_timeout_ms", "500"),
    ])
    .await;
    let at = address(&service.grpc);
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(at).await.unwrap());
    }
    let begun = Instant::now();
    call(channel(&service, &authority.pem(), None).await.unwrap())
        .await
        .unwrap();
    assert!(
        begun.elapsed() < Duration::from_millis(1500),
        "it took {:?}, as long as the silent ones are waited for",
        begun.elapsed()
    );
    for mut stream in silent {
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 64])).await;
        assert!(matches!(read.expect("it is closed"), Ok(0) | Err(_)));
    }
}

#[tokio::test]
async fn a_certificate_that_changes_is_taken_up_and_one_that_does_not_fit_is_not() {
    let (first, second) = (Authority::new(), Authority::new());
    let ca = both(&first, &second);
    let old = first.until(2035);
    let files = files_of(&old);
    let service = serve(&[
        ("grpc_tls_cert_file", &files.text("tls.crt")),
        ("grpc_tls_key_file", &files.text("tls.key")),
    ])
    .await;
    let at = address(&service.grpc);
    assert_eq!(presented(at, &ca).await.as_ref(), Some(&old.der));
    let of_old = expiry(&service).await;
    let open = channel(&service, &ca, None).await.unwrap();

    let (other, expired) = (second.server(), second.expired());
    let bad = [
        ("another's key", other.cert.as_str(), old.key.as_str()),
        ("no certificate", "", &other.key),
        ("no key", &other.cert, &other.cert),
        (
            "rubbish",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            &other.key,
        ),
        ("expired", &expired.cert, &expired.key),
    ];
    for (count, (name, cert, key)) in (1_u8..).zip(bad) {
        files.replace(&[("tls.crt", cert), ("tls.key", key)]);
        eventually(name, async || {
            (reloads(&service, "refused").await >= f64::from(count)).then_some(())
        })
        .await;
        assert_eq!(presented(at, &ca).await.as_ref(), Some(&old.der), "{name}");
    }
    std::fs::remove_file(files.path("tls.crt")).unwrap();
    eventually("a file that is gone is told", async || {
        (reloads(&service, "refused").await >= 6.0).then_some(())
    })
    .await;
    assert_eq!(reloads(&service, "refused").await, 6.0, "each is told once");
    assert_eq!(reloads(&service, "loaded").await, 0.0);
    assert_eq!(expiry(&service).await, of_old);

    let new = second.until(2036);
    std::fs::write(files.path("tls.crt"), &new.cert).unwrap();
    files.serve(&new);
    eventually("the new one is served", async || {
        presented(at, &ca).await.filter(|der| *der == new.der)
    })
    .await;
    assert_eq!(reloads(&service, "loaded").await, 1.0);
    // A year, give or take a leap day.
    let later = expiry(&service).await - of_old;
    assert!((31_536_000.0..=31_622_400.0).contains(&later), "{later}");
    call(open).await.expect("a connection that is open goes on");
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_stops_the_start_with_the_file_and_what_to_do() {
    let (authority, other) = (Authority::new().server(), Authority::new().server());
    let expired = Authority::new().expired();
    for (cert, key, words) in [
        (
            &authority.cert,
            &other.key,
            "does not belong to the certificate in",
        ),
        (
            &expired.cert,
            &expired.key,
            "has expired: put a valid one in its place",
        ),
        (&authority.key, &authority.key, "holds no certificate"),
        (&authority.cert, &authority.cert, "holds no private key"),
    ] {
        let files = Mounted::new(&[("tls.crt", cert), ("tls.key", key)]);
        let output = program()
            .arg("serve")
            .env("CHATBRIDGE_TENANT", "acme")
            .env("CHATBRIDGE_API_KEY", "k3y")
            .env("CHATBRIDGE_REDIS_URL", "memory:")
            .env("CHATBRIDGE_GRPC_LISTEN", "127.0.0.1:0")
            .env("CHATBRIDGE_WEBHOOK_LISTEN", "127.0.0.1:0")
            .env("CHATBRIDGE_ADMIN_LISTEN", "127.0.0.1:0")
            .env("CHATBRIDGE_GRPC_TLS_CERT_FILE", files.text("tls.crt"))
            .env("CHATBRIDGE_GRPC_TLS_KEY_FILE", files.text("tls.key"))
            .output()
            .await
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(
            text.contains("the certificate of the grpc port: ")
                && text.contains(words)
                && text.contains("/tls."),
            "{text}"
        );
        assert!(!text.contains("PRIVATE KEY-"), "{text}");
    }
}
