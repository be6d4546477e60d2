//! What the commands that run servers share: signals, ready files, failures.

#![allow(clippy::print_stderr, reason = "a command line tells what went wrong")]

use std::{collections::BTreeMap, io, net::SocketAddr, path::Path, process::ExitCode};

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

/// Prints what went wrong and gives the exit code: 2 for what the user can put right before starting, 1 for the rest.
pub(super) fn fail(problem: &str, code: u8) -> ExitCode {
    eprintln!("chatbridge: {}", problem.trim_end());
    ExitCode::from(code)
}

/// A token that SIGTERM and SIGINT cancel.
pub(super) fn stop_on_signals() -> io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        stop.cancel();
    });
    Ok(token)
}

/// Binds the sandbox's address.
pub(super) async fn bind_sandbox(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let problem = format!(
            "cannot listen on {address}: {error}; stop what uses it, or choose another with CHATBRIDGE_SANDBOX_LISTEN"
        );
        io::Error::new(error.kind(), problem)
    })
}

/// Tells whoever waits for it where everything listens: a JSON object, there as a whole or not at all.
pub(super) fn write_ready(path: Option<&Path>, addresses: &BTreeMap<&str, String>) -> io::Result<()> {
    let Some(path) = path else { return Ok(()) };
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    std::fs::write(&unfinished, serde_json::to_vec(addresses)?)?;
    std::fs::rename(&unfinished, path)
}
