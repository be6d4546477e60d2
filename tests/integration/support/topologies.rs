//! Real sets of Redis servers for tests: a master with replicas and Sentinels, and a cluster.

#![allow(clippy::expect_used, reason = "tests")]

use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use ::redis::{Client, InfoDict, cmd};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use tempfile::TempDir;

/// How long a set may take to be ready after its start.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The name by which Sentinels know the master.
pub(crate) const MASTER: &str = "main";

/// A server that ends when this is dropped, and also when the test process ends without dropping it: its shell waits for
/// the end of its input, which is the end of whoever holds the other end.
pub(crate) struct Process {
    shell: Mutex<Child>,
    pub(crate) port: u16,
    args: Vec<String>,
}

impl Process {
    pub(crate) fn start(port: u16, args: Vec<String>) -> Self {
        Self {
            shell: Mutex::new(run(&args)),
            port,
            args,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// Asks it past the store; `None` where it does not answer, or refuses.
    pub(crate) fn ask<T: ::redis::FromRedisValue>(&self, command: &::redis::Cmd) -> Option<T> {
        let client = Client::open(self.url()).expect("its URL");
        let mut connection = client
            .get_connection_with_timeout(Duration::from_millis(500))
            .ok()?;
        connection.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        command.query(&mut connection).ok()
    }

    fn info(&self) -> Option<InfoDict> {
        self.ask(&cmd("INFO"))
    }

    fn info_is(&self, name: &str, value: &str) -> bool {
        let info = self.info();
        info.is_some_and(|info| info.get::<String>(name).as_deref() == Some(value))
    }

    fn pid(&self) -> Pid {
        let info = self.info().expect("it answers");
        Pid::from_raw(info.get("process_id").expect("its process id"))
    }

    /// Kills it as a crash would.
    pub(crate) fn kill(&self) {
        signal::kill(self.pid(), Signal::SIGKILL).expect("it dies");
    }

    /// Makes it silent until the answer is dropped: connections stay open and nothing is answered.
    pub(crate) fn pause(&self) -> Paused {
        let pid = self.pid();
        signal::kill(pid, Signal::SIGSTOP).expect("it stops");
        Paused(pid)
    }

    /// Starts it again after [`Process::kill`].
    pub(crate) fn restart(&self) {
        self.end();
        *self.shell.lock().expect("its shell") = run(&self.args);
        eventually("its start", || self.info().is_some());
    }

    fn end(&self) {
        let mut shell = self.shell.lock().expect("its shell");
        drop(shell.stdin.take());
        let _ = shell.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// A server that is silent for as long as this lives.
pub(crate) struct Paused(Pid);

impl Drop for Paused {
    fn drop(&mut self) {
        let _ = signal::kill(self.0, Signal::SIGCONT);
    }
}

fn run(args: &[String]) -> Child {
    Command::new("sh")
        .args([
            "-c",
            "\"$@\" & server=$!; cat > /dev/null; kill -9 $server; wait $server",
            "sh",
            "redis-server",
        ])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server starts")
}

fn eventually(what: &str, is_so: impl Fn() -> bool) {
    assert!(becomes(is_so), "{what} did not happen in time");
}

fn becomes(is_so: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + READY_WITHIN;
    while !is_so() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

/// A port that is free and was given to no other test, and ten thousand above it one for a cluster's bus. Below those
/// that connections are given.
pub(crate) fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        // By chance: others who start servers at the same time look for ports too.
        let port = rand::random_range(12_000..22_000);
        let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if free(port)
            && free(port + 10_000)
            && GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port)
        {
            return port;
        }
    }
}

fn args(dir: &TempDir, port: u16, more: &[&str]) -> Vec<String> {
    let (dir, port) = (dir.path().to_str().expect("a path"), port.to_string());
    // They share a directory, and a test may let them keep what they hold.
    let appended = format!("appended-{port}");
    let common = [
        "--appenddirname",
        &appended,
        "--bind",
        "127.0.0.1",
        "--port",
        &port,
        "--dir",
        dir,
        "--save",
        "",
        "--repl-diskless-sync-delay",
        "0",
        "--repl-timeout",
        "5",
        "--repl-ping-replica-period",
        "1",
    ];
    common.iter().chain(more).map(|arg| (*arg).to_owned()).collect()
}

/// A master, two replicas and three Sentinels, which depose a master that is silent for half a second.
pub(crate) struct SentinelSet {
    pub(crate) servers: Vec<Process>,
    pub(crate) sentinels: Vec<Process>,
    _dir: TempDir,
}

impl SentinelSet {
    /// The one that tests of this process share; each uses a prefix of its own, and leaves the master alone.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<SentinelSet> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts one.
    pub(crate) fn start() -> Self {
        // Somebody else may take a port between our look and a server's start: then others will do.
        (0..3)
            .find_map(|_| Self::try_start())
            .expect("Sentinels on any of three sets of ports")
    }

    fn try_start() -> Option<Self> {
        let dir = TempDir::new().expect("a temporary directory");
        let master = free_port();
        let port = master.to_string();
        let mut servers = vec![Process::start(master, args(&dir, master, &[]))];
        for _ in 0..2 {
            let replica = free_port();
            let options = ["--replicaof", "127.0.0.1", &port];
            servers.push(Process::start(replica, args(&dir, replica, &options)));
        }
        // Sentinels that first see a master without replicas look again only after ten seconds.
        let is_whole = || {
            servers[0].info_is("connected_slaves", "2")
                && servers[1..]
                    .iter()
                    .all(|replica| replica.info_is("master_link_status", "up"))
        };
        if !becomes(is_whole) {
            return None;
        }
        let sentinels: Vec<Process> = (0..3)
            .map(|_| {
                let port = free_port();
                let file = dir.path().join(format!("sentinel-{port}.conf"));
                let text = format!(
                    "bind 127.0.0.1\nport {port}\nsentinel monitor {MASTER} 127.0.0.1 {master} 2\n\
                     sentinel down-after-milliseconds {MASTER} 500\nsentinel failover-timeout {MASTER} 3000\n\
                     sentinel parallel-syncs {MASTER} 2\n"
                );
                fs::write(&file, text).expect("its configuration is written");
                Process::start(
                    port,
                    vec![file.to_str().expect("a path").to_owned(), "--sentinel".into()],
                )
            })
            .collect();
        let set = Self {
            servers,
            sentinels,
            _dir: dir,
        };
        becomes(|| set.is_complete()).then_some(set)
    }

    /// Whether the Sentinels know each other and the replicas.
    fn is_complete(&self) -> bool {
        self.sentinels.iter().all(|sentinel| {
            let about = sentinel
                .ask::<std::collections::HashMap<String, String>>(cmd("SENTINEL").arg("MASTER").arg(MASTER));
            let is = |name, value: &str| {
                about
                    .as_ref()
                    .is_some_and(|a| a.get(name).is_some_and(|v| v == value))
            };
            is("num-slaves", "2") && is("num-other-sentinels", "2")
        })
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        let sentinels: Vec<String> = self.sentinels.iter().map(Process::address).collect();
        format!("redis+sentinel://{}/{MASTER}", sentinels.join(","))
    }

    /// The server that is the master, as it sees itself.
    pub(crate) fn master(&self) -> &Process {
        let is_master = |server: &&Process| server.info_is("role", "master");
        self.servers.iter().find(is_master).expect("a master")
    }
}

/// Three masters with a replica each.
pub(crate) struct RedisCluster {
    pub(crate) nodes: Vec<Process>,
    _dir: TempDir,
}

impl RedisCluster {
    /// One whose nodes give a silent one up soon.
    pub(crate) fn start() -> Self {
        Self::start_with("1500")
    }

    /// The one that tests of this process share; each uses a prefix of its own, and leaves the nodes alone.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisCluster> = OnceLock::new();
        // A machine that is busy must not look like one that is down.
        SHARED.get_or_init(Self::start_patient)
    }

    /// One whose nodes wait long for a silent one.
    pub(crate) fn start_patient() -> Self {
        Self::start_with("15000")
    }

    fn start_with(node_timeout: &str) -> Self {
        // Somebody else may take a port between our look and a node's start: then others will do.
        (0..3)
            .find_map(|_| Self::try_start(node_timeout))
            .expect("a cluster on any of three sets of ports")
    }

    fn try_start(node_timeout: &str) -> Option<Self> {
        let dir = TempDir::new().expect("a temporary directory");
        let node = || {
            let port = free_port();
            let file = format!("nodes-{port}.conf");
            let options = [
                "--cluster-enabled",
                "yes",
                "--cluster-config-file",
                &file,
                "--cluster-node-timeout",
                node_timeout,
                "--cluster-replica-validity-factor",
                "0",
            ];
            Process::start(port, args(&dir, port, &options))
        };
        let nodes: Vec<Process> = (0..6).map(|_| node()).collect();
        if !becomes(|| nodes.iter().all(|node| node.info().is_some())) {
            return None;
        }
        let created = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(nodes.iter().map(Process::address))
            .args(["--cluster-replicas", "1", "--cluster-yes"])
            .stdin(Stdio::null())
            .output()
            .expect("redis-cli runs");
        let cluster = Self { nodes, _dir: dir };
        (created.status.success() && becomes(|| cluster.is_well())).then_some(cluster)
    }

    /// Whether all nodes find the cluster well, and the replicas follow their masters.
    fn is_well(&self) -> bool {
        let well = |node: &Process| {
            let info = node.ask::<String>(cmd("CLUSTER").arg("INFO")).unwrap_or_default();
            info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384")
        };
        let follows = |node: &&Process| node.info_is("master_link_status", "up");
        self.nodes.iter().all(well) && self.nodes.iter().filter(follows).count() == 3
    }

    /// Its URL, which names only two of its nodes: the others are found.
    pub(crate) fn url(&self) -> String {
        let (first, last) = (&self.nodes[0], &self.nodes[5]);
        format!("redis+cluster://{},{}", first.address(), last.address())
    }

    /// The nodes that are masters.
    pub(crate) fn masters(&self) -> Vec<&Process> {
        let is_master = |node: &&Process| node.info_is("role", "master");
        self.nodes.iter().filter(is_master).collect()
    }

    /// The nodes that are replicas.
    pub(crate) fn replicas(&self) -> Vec<&Process> {
        let is_replica = |node: &&Process| node.info_is("role", "slave");
        self.nodes.iter().filter(is_replica).collect()
    }

    /// The master of a key.
    pub(crate) fn master_of(&self, key: &str) -> &Process {
        let has = |node: &&&Process| node.ask::<i64>(cmd("EXISTS").arg(key)) == Some(1);
        self.masters().iter().find(has).expect("the key is somewhere")
    }
}
