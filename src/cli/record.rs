//! `chatbridge record`.

#![allow(clippy::print_stdout, reason = "a command line prints")]

use std::{
    fs::OpenOptions, io, net::SocketAddr, os::unix::fs::OpenOptionsExt as _, path::PathBuf, process::ExitCode,
};

use tokio::net::TcpListener;
use url::Url;

use super::start::{fail, stop_on_signals};
use crate::recording::{Tap, TapSettings};

/// Options of `record`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to make. It must not be there yet, and only you may read it.
    file: PathBuf,
    /// Address for 8x8: its webhooks are recorded, and handed on to the door.
    #[arg(long, default_value = "127.0.0.1:8081")]
    webhook_listen: SocketAddr,
    /// Scheme, host and port of the service's webhook door.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    door: Url,
    /// Address for the service, which is its gateway_url meanwhile: its calls are recorded, and handed on to 8x8.
    #[arg(long, default_value = "127.0.0.1:8089")]
    gateway_listen: SocketAddr,
    /// The Chat Gateway.
    #[arg(long, default_value = "https://api.8x8.com")]
    gateway: Url,
}

pub(super) async fn run(args: Args) -> ExitCode {
    match record(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err((problem, code)) => fail(&problem, code),
    }
}

async fn record(args: Args) -> Result<(), (String, u8)> {
    let shown = args.file.display().to_string();
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&args.file)
        .map_err(|error| {
            (
                format!("{shown}: cannot be made: {error}; name a file that is not there yet"),
                2,
            )
        })?;
    let bind = async |address: SocketAddr, option: &str| {
        let bound = TcpListener::bind(address).await;
        bound.map_err(|error| {
            (
                format!("cannot listen on {address}: {error}; choose another with {option}"),
                2,
            )
        })
    };
    let for_vendor = bind(args.webhook_listen, "--webhook-listen").await?;
    let for_service = bind(args.gateway_listen, "--gateway-listen").await?;
    let settings = TapSettings {
        door: args.door,
        gateway: args.gateway,
    };
    let failed = |error: io::Error| (format!("the recorder failed: {error}"), 1);
    let tap = Tap::new(settings, Box::new(file)).map_err(|error| (error.to_string(), 1))?;
    println!(
        "Recording to {shown} until Ctrl-C.\nLet 8x8 post webhooks to {}, and the service have gateway_url = http://{}",
        for_vendor.local_addr().map_err(failed)?,
        for_service.local_addr().map_err(failed)?,
    );
    let stop = stop_on_signals().map_err(failed)?;
    tap.serve(for_vendor, for_service, stop).await.map_err(failed)
}
