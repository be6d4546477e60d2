//! A real `redis-server` for tests.

#![allow(clippy::expect_used, reason = "tests")]

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use tempfile::TempDir;

/// How long it may take to answer after its start.
const STARTS_WITHIN: Duration = Duration::from_secs(20);

/// A `redis-server` of our own on a free loopback port, which ends when this is dropped.
pub(crate) struct RedisServer {
    child: Mutex<Option<Child>>,
    dir: TempDir,
    port: u16,
    args: Vec<String>,
}

impl RedisServer {
    /// Starts one that keeps nothing on disk.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with more of its command line options, such as `["--appendonly", "yes"]`.
    pub(crate) fn start_with(args: &[&str]) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        // Somebody else may take the port between our look and its start: then the next one will do.
        for _ in 0..5 {
            let port = free_port();
            if let Ok(child) = spawn(dir.path(), port, &args) {
                return Self {
                    child: Mutex::new(Some(child)),
                    dir,
                    port,
                    args,
                };
            }
        }
        panic!("redis-server did not start on any of five free ports");
    }

    /// The one that tests of this process share; each uses a prefix of its own.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<RedisServer>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it as a crash would (SIGKILL).
    pub(crate) fn stop(&self) {
        if let Some(mut child) = self.child.lock().expect("the server").take() {
            child.kill().expect("redis-server dies");
            child.wait().expect("redis-server is gone");
        }
    }

    /// Starts it again on the same port, with what it had written to disk.
    pub(crate) fn restart(&self) {
        self.stop();
        let deadline = Instant::now() + STARTS_WITHIN;
        let child = loop {
            match spawn(self.dir.path(), self.port, &self.args) {
                Ok(child) => break child,
                Err(problem) => assert!(Instant::now() < deadline, "{problem}"),
            }
        };
        *self.child.lock().expect("the server") = Some(child);
    }

    /// Makes it silent: connections stay open and nothing is answered.
    pub(crate) fn pause(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Ends [`RedisServer::pause`].
    pub(crate) fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, kind: Signal) {
        let child = self.child.lock().expect("the server");
        let pid = child.as_ref().expect("it runs").id();
        let pid = Pid::from_raw(pid.try_into().expect("a process id"));
        signal::kill(pid, kind).expect("the signal is sent");
    }

    /// A connection past the store, to look at or change what is there.
    pub(crate) async fn connection(&self) -> ::redis::aio::MultiplexedConnection {
        let client = ::redis::Client::open(self.url()).expect("its URL");
        client
            .get_multiplexed_async_connection()
            .await
            .expect("a connection")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A key prefix that no other test uses.
pub(crate) fn unique_prefix() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Starts it and waits until it answers.
fn spawn(dir: &Path, port: u16, args: &[String]) -> Result<Child, String> {
    let mut child = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--save", "", "--port"])
        .arg(port.to_string())
        .arg("--dir")
        .arg(dir)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|problem| {
            panic!("redis-server cannot be started ({problem}): install Debian's package redis-server")
        });
    let deadline = Instant::now() + STARTS_WITHIN;
    while !answers(port, child.id()) {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("redis-server ended with {status}"));
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            return Err("redis-server did not answer in time".into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(child)
}

/// Whether this very process answers, and is not loading any more.
fn answers(port: u16, pid: u32) -> bool {
    let ask = || -> ::redis::RedisResult<::redis::InfoDict> {
        let client = ::redis::Client::open(("127.0.0.1", port))?;
        let mut connection = client.get_connection_with_timeout(Duration::from_millis(200))?;
        ::redis::cmd("INFO").query(&mut connection)
    };
    ask().is_ok_and(|info| info.get("process_id") == Some(pid) && info.get("loading") == Some(0_u8))
}
