//! `chatbridge dev`: the service and the sandbox in one process, wired together.

#![allow(clippy::print_stdout, reason = "a command line prints")]

mod chat_v2;

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    sandbox::{centre::CentreArgs, code},
    start::{bind_sandbox, fail, stop_on_signals, write_ready},
};
use crate::{
    access::token,
    config::{Config, ConfigError, ENV_PREFIX, MEMORY_URL},
    sandbox::{self, Pace, SandboxSettings},
    server::{self, Listeners, ServeError},
};

/// Options of `dev`. Other settings are read from the environment, as by `serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address of the sandbox.
    #[arg(long, env = "CHATBRIDGE_SANDBOX_LISTEN", default_value = "127.0.0.1:8088")]
    sandbox_listen: SocketAddr,
    /// How long the agents take: `human`, `instant`, or a factor from 0 (at once) over 1 (as people) to 100.
    #[arg(long, default_value = "human")]
    pace: Pace,
    /// Serve Chat API v2 too, at this address, such as 127.0.0.1:8081. The client's id and secret are printed.
    #[arg(long, value_name = "ADDRESS")]
    chat_v2_listen: Option<SocketAddr>,
    #[command(flatten)]
    centre: CentreArgs,
    /// Write the addresses that are listened on to this file, as JSON, once all are.
    #[arg(long)]
    ready_file: Option<PathBuf>,
}

/// What to start.
#[derive(Debug, Clone)]
pub struct DevSettings {
    /// Address of the sandbox.
    pub sandbox_listen: SocketAddr,
    /// The sandbox. Where it is and which webhook it has are ours.
    pub sandbox: SandboxSettings,
    /// Settings of the service, as variables of the environment. Those that wire it to the sandbox are ours.
    pub env: BTreeMap<String, String>,
    /// Address of Chat API v2; `None`: it is not served.
    pub chat_v2_listen: Option<SocketAddr>,
}

impl DevSettings {
    /// Everything on free ports of the loopback interface, in memory.
    pub fn on_free_ports(pace: Pace) -> Self {
        let listen =
            ["GRPC", "WEBHOOK", "ADMIN"].map(|p| (format!("{ENV_PREFIX}{p}_LISTEN"), "127.0.0.1:0".into()));
        Self {
            sandbox_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            sandbox: SandboxSettings {
                pace,
                ..SandboxSettings::default()
            },
            env: BTreeMap::from(listen),
            chat_v2_listen: None,
        }
    }
}

/// Why it did not start.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// A setting is wrong.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The service failed.
    #[error("{0}")]
    Serve(#[from] ServeError),
    /// The sandbox failed.
    #[error("the sandbox cannot run: {0}")]
    Sandbox(#[from] io::Error),
    /// No key could be made.
    #[error("Chat API v2 cannot be served: no key could be made to sign what is sent")]
    Key,
}

/// A service and a sandbox that run.
pub struct DevHandle {
    /// Where the service's gRPC listens.
    pub grpc_url: String,
    /// Where the service's webhook door is.
    pub webhook_url: Url,
    /// Where the service's metrics and probes are.
    pub admin_url: Url,
    /// Where the sandbox is.
    pub sandbox_url: Url,
    /// Where Chat API v2 is, and the secret of its client.
    pub chat_v2: Option<(SocketAddr, String)>,
    stop: CancellationToken,
    service: JoinHandle<Result<(), ServeError>>,
    sandbox: JoinHandle<io::Result<()>>,
}

impl DevHandle {
    /// Stops both.
    pub async fn stop(self) {
        self.stop.cancel();
        let _ = tokio::join!(self.service, self.sandbox);
    }

    /// Waits until they stop: because of `stop`, or by themselves.
    async fn finished(mut self, stop: &CancellationToken) -> Result<(), DevError> {
        let of_service =
            |ended: Result<_, _>| -> Result<(), DevError> { Ok(ended.map_err(ServeError::from).flatten()?) };
        let of_sandbox =
            |ended: Result<_, _>| -> Result<(), DevError> { Ok(ended.map_err(io::Error::other).flatten()?) };
        tokio::select! {
            () = stop.cancelled() => {
                self.stop.cancel();
                let (service, sandbox) = tokio::join!(self.service, self.sandbox);
                of_service(service).and(of_sandbox(sandbox))
            }
            ended = &mut self.service => {
                self.stop.cancel();
                of_service(ended).and(of_sandbox(self.sandbox.await))
            }
            ended = &mut self.sandbox => {
                self.stop.cancel();
                of_sandbox(ended).and(of_service(self.service.await))
            }
        }
    }
}

fn url(address: SocketAddr, path: &str) -> Result<Url, io::Error> {
    Url::parse(&format!("http://{address}{path}")).map_err(io::Error::other)
}

/// Starts both, the sandbox with what its files hold. They listen when this returns.
pub async fn start(settings: DevSettings) -> Result<DevHandle, DevError> {
    let sandbox_listener = bind_sandbox(settings.sandbox_listen).await?;
    let sandbox_url = url(sandbox_listener.local_addr()?, "")?;
    let mut sandbox_settings = settings.sandbox;
    let mut env = settings.env;
    if !env.contains_key(&format!("{ENV_PREFIX}REDIS_URL_FILE")) {
        env.entry(format!("{ENV_PREFIX}REDIS_URL"))
            .or_insert_with(|| MEMORY_URL.into());
    }
    // Spreading the ends of streams serves a fleet of clients; here it only delays the stop.
    env.entry(format!("{ENV_PREFIX}DRAIN_SPREAD_MS"))
        .or_insert_with(|| "0".into());
    let wiring = [
        ("GATEWAY_URL", sandbox_url.to_string()),
        ("TENANT", sandbox_settings.tenant.clone()),
        ("API_KEY", sandbox_settings.api_key.clone()),
    ];
    env.remove(&format!("{ENV_PREFIX}API_KEY_FILE"));
    // Everything is on this machine, and the sandbox would not know the certificate's authority.
    for port in ["GRPC", "WEBHOOK"] {
        let tls = format!("{ENV_PREFIX}{port}_TLS_");
        env.retain(|name, _| !name.starts_with(&tls));
    }
    // Its clients are in a file, and there is none. It has a client of its own where it is asked for.
    env.retain(|name, _| !name.starts_with(&format!("{ENV_PREFIX}CHAT_V2_")));
    env.extend(wiring.map(|(name, value)| (format!("{ENV_PREFIX}{name}"), value)));
    let mut config = Config::load(None, env)?;
    let secret = token::generate();
    if let Some(listen) = settings.chat_v2_listen
        && !chat_v2::serve(&mut config, listen, &sandbox_settings.tenant, &secret)
    {
        return Err(DevError::Key);
    }

    let listeners = Listeners::bind(&config).await?;
    let path = match &config.webhook_path_secret {
        Some(secret) => format!("/webhooks/8x8/{}", secrecy::ExposeSecret::expose_secret(secret)),
        None => "/webhooks/8x8".into(),
    };
    let webhook_url = url(listeners.webhook.local_addr()?, &path)?;
    let grpc_url = format!("http://{}", listeners.grpc.local_addr()?);
    let admin_url = url(listeners.admin.local_addr()?, "")?;
    let chat_v2 = match &listeners.chat_v2 {
        Some(listener) => Some((listener.local_addr()?, secret)),
        None => None,
    };
    sandbox_settings.webhook = Some(webhook_url.clone());

    let stop = CancellationToken::new();
    let opened = sandbox::open(sandbox_settings, sandbox_listener).await?;
    let sandbox = tokio::spawn(opened.serve(stop.clone()));
    let service = tokio::spawn(server::serve(config, listeners, stop.clone()));
    Ok(DevHandle {
        grpc_url,
        webhook_url,
        admin_url,
        sandbox_url,
        chat_v2,
        stop,
        service,
        sandbox,
    })
}

pub(super) async fn run(args: Args) -> ExitCode {
    match run_until_stopped(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ DevError::Config(_)) => fail(&error.to_string(), 2),
        Err(DevError::Sandbox(ref why)) => fail(&format!("the sandbox cannot run: {why}"), code(why)),
        Err(error) => fail(&error.to_string(), 1),
    }
}

async fn run_until_stopped(args: Args) -> Result<(), DevError> {
    let stop = stop_on_signals()?;
    let mut sandbox = SandboxSettings {
        pace: args.pace,
        ..SandboxSettings::default()
    };
    args.centre.apply(&mut sandbox)?;
    let handle = start(DevSettings {
        sandbox_listen: args.sandbox_listen,
        sandbox,
        env: std::env::vars().collect(),
        chat_v2_listen: args.chat_v2_listen,
    })
    .await?;
    let host = |url: &Url| url.authority().to_owned();
    let mut addresses = BTreeMap::from([
        ("grpc", handle.grpc_url.trim_start_matches("http://").to_owned()),
        ("webhook", host(&handle.webhook_url)),
        ("admin", host(&handle.admin_url)),
        ("sandbox", host(&handle.sandbox_url)),
    ]);
    if let Some((address, _)) = &handle.chat_v2 {
        addresses.insert("chat_v2", address.to_string());
    }
    write_ready(args.ready_file.as_deref(), &addresses)?;
    println!("gRPC and gRPC-Web       {}", handle.grpc_url);
    println!(
        "webhook door            http://{}/webhooks/8x8",
        host(&handle.webhook_url)
    );
    println!("metrics and probes      {}", handle.admin_url);
    println!("Chat Gateway (sandbox)  {}", handle.sandbox_url);
    if let Some((address, secret)) = &handle.chat_v2 {
        println!("Chat API v2             http://{address}");
        println!("    client {}, secret {secret}", chat_v2::CLIENT_ID);
    }
    println!();
    // As this program was started: `chatbridge` alone is often not on the path.
    let program = std::env::args().next().unwrap_or_else(|| "chatbridge".into());
    println!("In other terminals:");
    println!("  {program} tail --server {}", handle.grpc_url);
    println!("  {program} chat --server {}", handle.grpc_url);
    println!("Ctrl-C stops.");
    handle.finished(&stop).await
}
