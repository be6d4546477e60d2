//! `chatbridge serve`.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use tracing::info;

use super::start::{fail, stop_on_signals, write_ready};
use crate::{
    config::Config,
    server::{self, Listeners},
};

/// Options of `serve`. All settings are in the file or in the environment.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Settings, as TOML. Variables of the environment win over it.
    #[arg(long, env = "CHATBRIDGE_CONFIG")]
    config: Option<PathBuf>,
    /// Write the addresses that are listened on to this file, as JSON, once all are.
    #[arg(long)]
    ready_file: Option<PathBuf>,
}

pub(super) async fn run(args: Args) -> ExitCode {
    let config = match Config::load(args.config.as_deref(), std::env::vars()) {
        Ok(config) => config,
        Err(error) => return fail(&error.to_string(), 2),
    };
    let served = async {
        let listeners = Listeners::bind(&config).await?;
        let mut addresses = BTreeMap::from([
            ("grpc", listeners.grpc.local_addr()?.to_string()),
            ("webhook", listeners.webhook.local_addr()?.to_string()),
            ("admin", listeners.admin.local_addr()?.to_string()),
        ]);
        if let Some(listener) = &listeners.chat_v2 {
            addresses.insert("chat_v2", listener.local_addr()?.to_string());
        }
        write_ready(args.ready_file.as_deref(), &addresses)?;
        info!(
            grpc = addresses["grpc"],
            webhook = addresses["webhook"],
            admin = addresses["admin"],
            chat_v2 = addresses.get("chat_v2"),
            "listening"
        );
        server::serve(config, listeners, stop_on_signals()?).await
    };
    match served.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string(), 1),
    }
}
