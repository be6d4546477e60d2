//! Redis over TLS: one server, Sentinels, a cluster, and certificates that will not do.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use ::redis::cmd;
use chatbridge::store::{
    Retention, Store as _, StoreError,
    redis::{RedisSettings, RedisStore, RedisTls},
};
use tempfile::TempDir;

use crate::{
    store::fixture::settings_of,
    support::{
        certificates::{Authority, Issued},
        redis::unique_prefix,
        topologies::{MASTER, Process, free_port},
    },
};

/// Servers that show a certificate, at ports of their own beside the plain ones.
struct Encrypted {
    dir: TempDir,
    authority: Authority,
}

impl Encrypted {
    fn new() -> Self {
        let (dir, authority) = (TempDir::new().unwrap(), Authority::new());
        let this = Self { dir, authority };
        let server = this.authority.server();
        this.write("ca.pem", &this.authority.pem());
        this.put("server", &server);
        this.put(
            "client",
            &this.authority.client("spiffe://example.org/chatbridge"),
        );
        this
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn put(&self, name: &str, issued: &Issued) {
        self.write(&format!("{name}.pem"), &issued.cert);
        self.write(&format!("{name}.key"), &issued.key);
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// Starts a server with these options; its port for TLS. Both ports have one for a cluster's bus above them.
    fn start(&self, more: &[&str]) -> (Process, u16) {
        let (plain, secure) = (free_port(), free_port());
        let mut args: Vec<String> = ["--bind", "127.0.0.1", "--save", ""].map(str::to_owned).into();
        let options = [
            ("port", plain.to_string()),
            ("tls-port", secure.to_string()),
            ("dir", self.path("")),
            ("tls-cert-file", self.path("server.pem")),
            ("tls-key-file", self.path("server.key")),
            ("tls-ca-cert-file", self.path("ca.pem")),
        ];
        for (name, value) in options {
            args.extend([format!("--{name}"), value]);
        }
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        let process = Process::start(plain, args);
        wait(|| process.ask::<String>(&cmd("PING")).is_some());
        (process, secure)
    }

    fn tls(&self, with_client: bool) -> RedisTls {
        RedisTls {
            ca: Some(self.path("ca.pem").into()),
            cert: with_client.then(|| self.path("client.pem").into()),
            key: with_client.then(|| self.path("client.key").into()),
        }
    }
}

fn wait(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "it did not come in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn connect(url: &str, tls: RedisTls) -> Result<RedisStore, StoreError> {
    let settings = settings_of(url, &unique_prefix(), Retention::default());
    RedisStore::connect(RedisSettings { tls, ..settings }).await
}

/// Why connecting fails.
async fn refused(url: &str, tls: RedisTls) -> String {
    match connect(url, tls).await {
        Ok(_) => panic!("{url} is connected to"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn one_server_is_spoken_to_over_tls_and_what_is_wrong_is_said_with_what_to_do() {
    let set = Encrypted::new();
    let (plain, port) = set.start(&["--tls-auth-clients", "no"]);
    let url = format!("rediss://127.0.0.1:{port}");
    let store = connect(&url, set.tls(false)).await.unwrap();
    store.ping().await.unwrap();

    let problem = refused(&url, RedisTls::default()).await;
    assert!(problem.contains("let redis_tls_ca_file name"), "{problem}");
    let stranger = Authority::new();
    set.write("stranger.pem", &stranger.pem());
    let believed = |name: &str| RedisTls {
        ca: Some(set.path(name).into()),
        ..RedisTls::default()
    };
    let problem = refused(&url, believed("stranger.pem")).await;
    assert!(
        problem.contains("an authority that is not believed")
            && problem.contains("let redis_tls_ca_file name"),
        "{problem}"
    );
    let problem = refused(&url, believed("nowhere.pem")).await;
    assert!(problem.contains("nowhere.pem: cannot be read"), "{problem}");
    set.write("rubbish.pem", "rubbish");
    let problem = refused(&url, believed("rubbish.pem")).await;
    assert!(problem.contains("redis_tls_ca_file"), "{problem}");
    let problem = refused(&format!("rediss://127.0.0.2:{port}"), set.tls(false)).await;
    assert!(!problem.is_empty());
    let problem = refused(&format!("rediss://127.0.0.1:{}", plain.port), set.tls(false)).await;
    assert!(problem.contains("does not speak TLS"), "{problem}");
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_gets_one_and_files_are_read_anew_for_each_connection() {
    let set = Encrypted::new();
    let (server, port) = set.start(&["--tls-auth-clients", "yes"]);
    let url = format!("rediss://127.0.0.1:{port}");
    let problem = refused(&url, set.tls(false)).await;
    assert!(
        problem.contains("set redis_tls_cert_file and redis_tls_key_file"),
        "{problem}"
    );
    let store = connect(&url, set.tls(true)).await.unwrap();

    // Everything is issued anew by another authority: the server's certificate, ours, and what both believe.
    let next = Authority::new();
    set.write("ca.pem", &next.pem());
    set.put("server", &next.server());
    set.put("client", &next.client("spiffe://example.org/chatbridge"));
    for (name, file) in [("tls-cert-file", "server.pem"), ("tls-ca-cert-file", "ca.pem")] {
        let mut set_file = cmd("CONFIG");
        set_file.arg("SET").arg(name).arg(set.path(file));
        if name == "tls-cert-file" {
            set_file.arg("tls-key-file").arg(set.path("server.key"));
        }
        server.ask::<()>(&set_file).expect("it takes its new certificate");
    }
    store.ping().await.expect("a connection that is open goes on");
    server.ask::<i64>(cmd("CLIENT").arg("KILL").arg("TYPE").arg("normal"));
    wait_for(async || store.ping().await.is_ok()).await;
}

async fn wait_for(mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so().await {
        assert!(Instant::now() < deadline, "it did not come in time");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn sentinels_and_the_master_that_they_name_are_spoken_to_over_tls() {
    let set = Encrypted::new();
    let options = ["--tls-auth-clients", "no", "--tls-replication", "yes"];
    let (_master, master_port) = set.start(&options);
    let file = set.path("sentinel.conf");
    std::fs::write(
        &file,
        format!("sentinel monitor {MASTER} 127.0.0.1 {master_port} 1\n"),
    )
    .unwrap();
    let (plain, secure) = (free_port(), free_port());
    let mut args = vec![
        file,
        "--sentinel".to_owned(),
        "--bind".to_owned(),
        "127.0.0.1".to_owned(),
    ];
    for (name, value) in [
        ("port", plain.to_string()),
        ("tls-port", secure.to_string()),
        ("tls-cert-file", set.path("server.pem")),
        ("tls-key-file", set.path("server.key")),
        ("tls-ca-cert-file", set.path("ca.pem")),
        ("tls-auth-clients", "no".to_owned()),
        ("tls-replication", "yes".to_owned()),
    ] {
        args.extend([format!("--{name}"), value]);
    }
    let sentinel = Process::start(plain, args);
    wait(|| sentinel.ask::<String>(&cmd("PING")).is_some());
    let url = format!("rediss+sentinel://127.0.0.1:{secure}/{MASTER}");
    let store = connect(&url, set.tls(false)).await.unwrap();
    store.ping().await.unwrap();
    let problem = refused(&url, RedisTls::default()).await;
    assert!(problem.contains("let redis_tls_ca_file name"), "{problem}");
}

#[tokio::test]
async fn all_nodes_of_a_cluster_are_spoken_to_over_tls() {
    let set = Encrypted::new();
    let nodes: Vec<(Process, u16)> = (0..3)
        .map(|n| {
            let file = format!("nodes-{n}.conf");
            set.start(&[
                "--cluster-enabled",
                "yes",
                "--cluster-config-file",
                &file,
                "--tls-cluster",
                "yes",
                "--tls-auth-clients",
                "no",
            ])
        })
        .collect();
    let created = Command::new("redis-cli")
        .args(["--tls", "--cacert", &set.path("ca.pem"), "--cluster", "create"])
        .args(nodes.iter().map(|(_, port)| format!("127.0.0.1:{port}")))
        .args(["--cluster-replicas", "0", "--cluster-yes"])
        .stdin(Stdio::null())
        .output()
        .expect("redis-cli runs");
    let said = [created.stdout, created.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(created.status.success(), "{said}");
    wait(|| {
        nodes.iter().all(|(node, _)| {
            let info = node.ask::<String>(cmd("CLUSTER").arg("INFO")).unwrap_or_default();
            info.contains("cluster_state:ok")
        })
    });
    let url = format!("rediss+cluster://127.0.0.1:{}", nodes[0].1);
    let store = connect(&url, set.tls(false)).await.unwrap();
    store.ping().await.unwrap();
    // Each partition is on some node, and each node was asked.
    assert_eq!(
        store.tails().await.unwrap().len(),
        usize::from(store.partitions())
    );
    let problem = refused(&url, RedisTls::default()).await;
    assert!(problem.contains("let redis_tls_ca_file name"), "{problem}");
}
