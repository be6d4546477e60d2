//! Processes of our own: each ends, by its id, when its handle is dropped, and its output is kept in a file.

use std::{
    ffi::OsStr,
    fs::File,
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};

use crate::Result;

/// How long a start, or an orderly end, may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What ends a process, by the kernel's hand, when the run ends without having done so itself: of util-linux, which every
/// Linux has.
const ENDS_WITH_US: [&str; 4] = ["setpriv", "--pdeathsig", "KILL", "--"];

/// A command whose process ends with the run, however that ends.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let [keeper, args @ ..] = ENDS_WITH_US;
    let mut command = Command::new(keeper);
    command.args(args).arg(program);
    command
}

/// A process that runs, or was ended by us.
pub struct Process {
    name: String,
    child: Child,
}

impl Process {
    /// Starts what [`command`] made; what it prints is added to `NAME.log` in the folder.
    pub fn start(name: &str, mut command: Command, logs: &Path) -> Result<Self> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(log_file(logs, name))?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // So that Ctrl-C reaches only us, and we end it when we have stopped using it.
            .process_group(0);
        let child = command
            .spawn()
            .map_err(|error| format!("{name} cannot be started ({error})"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
        })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, where it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Fails where it ended although nobody asked it to.
    pub fn must_run(&mut self) -> Result<()> {
        match self.ended() {
            Some(status) => Err(format!("{} ended by itself ({status})", self.name).into()),
            None => Ok(()),
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, kind: Signal) -> Result<()> {
        let pid = Pid::from_raw(self.child.id().try_into()?);
        signal::kill(pid, kind).map_err(|error| format!("{} takes no {kind}: {error}", self.name).into())
    }

    /// Ends it without any warning (SIGKILL), and waits until it is gone.
    pub fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end (SIGTERM) and waits for that.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::SIGTERM)?;
        let name = self.name.clone();
        until(&format!("{name} ends after SIGTERM"), PATIENCE, async || {
            self.ended()
        })
        .await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where a process's output is kept.
pub fn log_file(logs: &Path, name: &str) -> PathBuf {
    logs.join(format!("{name}.log"))
}

/// A free loopback port. Somebody else may take it before we do, which then shows as a failed start.
pub fn free_port() -> Result<u16> {
    // The cluster's bus wants ports below 55536 only where it derives them; ours are named.
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Waits until something can be had.
pub async fn until<T>(
    what: &str,
    patience: Duration,
    mut attempt: impl AsyncFnMut() -> Option<T>,
) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = attempt().await {
            return Ok(found);
        }
        if begun.elapsed() > patience {
            return Err(format!("waited {patience:?} in vain: {what}").into());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
