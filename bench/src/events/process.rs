//! Processes that are ended when dropped, and what they use.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::{
        resource::{Resource, getrlimit, setrlimit},
        signal::{Signal, kill},
    },
    unistd::Pid,
};
use serde_json::Value;

use crate::Result;

/// How long something may take to start.
pub(crate) const STARTS_WITHIN: Duration = Duration::from_secs(30);
const ENDS_WITHIN: Duration = Duration::from_secs(3);
/// Ticks of a processor's time in `/proc`, which Linux shows as hundredths of a second everywhere.
const TICKS_PER_S: f64 = 100.0;

/// Raises the number of open files to what the system allows; children inherit it. Answers the limit.
pub(crate) fn raise_open_files() -> Result<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(hard)
}

/// An address on loopback that nobody listens on.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A process.
pub(crate) struct Process {
    child: Child,
    name: &'static str,
}

impl Process {
    /// Starts it. What it writes to standard output is not read, and standard error is shown.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("{name} cannot be started: {error}"))?;
        Ok(Self { child, name })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it listens.
    pub(crate) async fn listens(&mut self, address: SocketAddr) -> Result<()> {
        let begun = Instant::now();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            self.still_starts(begun)?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Waits for its ready file, and reads it.
    pub(crate) async fn ready(&mut self, file: &Path) -> Result<Value> {
        let begun = Instant::now();
        loop {
            if let Ok(text) = fs::read_to_string(file) {
                return Ok(serde_json::from_str(&text)?);
            }
            self.still_starts(begun)?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn still_starts(&mut self, begun: Instant) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            return Err(format!("{} ended at its start: {status}", self.name).into());
        }
        if begun.elapsed() > STARTS_WITHIN {
            return Err(format!("{} did not start within {STARTS_WITHIN:?}", self.name).into());
        }
        Ok(())
    }

    /// Its own memory and that of its children, in bytes. Pages that they share count once.
    pub(crate) fn memory(&self) -> Result<u64> {
        let mut kib = 0;
        for id in self.family()? {
            let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup"))?;
            let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
            let number = line.and_then(|line| line.split_whitespace().next());
            kib += number
                .ok_or("the kernel does not tell memory in smaps_rollup")?
                .parse::<u64>()?;
        }
        Ok(kib * 1024)
    }

    /// The processor time that it and its children have used, in seconds.
    pub(crate) fn cpu(&self) -> Result<f64> {
        let mut ticks = 0.0;
        for id in self.family()? {
            let stat = stat(id)?;
            ticks += stat.get(11).ok_or("no user time")?.parse::<f64>()?;
            ticks += stat.get(12).ok_or("no system time")?.parse::<f64>()?;
        }
        Ok(ticks / TICKS_PER_S)
    }

    /// It and its children.
    fn family(&self) -> Result<Vec<u32>> {
        let parent = self.id();
        let mut family = vec![parent];
        for entry in fs::read_dir("/proc")? {
            let Ok(id) = entry?.file_name().to_string_lossy().parse::<u32>() else {
                continue;
            };
            let is_child = stat(id).is_ok_and(|stat| stat.get(1) == Some(&parent.to_string()));
            family.extend(is_child.then_some(id));
        }
        Ok(family)
    }
}

/// The fields of `/proc/ID/stat` from the third on: the second may hold spaces.
fn stat(id: u32) -> Result<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let (_, rest) = text.rsplit_once(')').ok_or("the process has no state")?;
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}

impl Drop for Process {
    fn drop(&mut self) {
        // A server with workers ends them itself where it is asked; one that does not end is killed.
        let asked = i32::try_from(self.id()).map(|id| kill(Pid::from_raw(id), Signal::SIGTERM));
        let begun = Instant::now();
        while matches!(asked, Ok(Ok(()))) && begun.elapsed() < ENDS_WITHIN {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
