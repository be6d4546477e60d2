//! `chatbridge health`: what a probe asks where there is no shell, as in the container.

use std::{io::Write as _, process::ExitCode, time::Duration};

use tokio::time::timeout;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::connect::{CliError, DEFAULT_SERVER, Server, TlsArgs, call};

/// Options of `health`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address of the gRPC listener, or of the admin port, where health is as well.
    #[arg(long, value_name = "URL", env = "CHATBRIDGE_SERVER", default_value = DEFAULT_SERVER)]
    server: String,
    #[command(flatten)]
    tls: TlsArgs,
    /// A service, such as chatbridge.v1.AgentEventService, which is not served while Redis is down. Without it: the process.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    service: String,
    /// How long the answer may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
}

pub(super) async fn run(args: Args) -> ExitCode {
    CliError::exit(ask(&args).await)
}

/// Prints the status, and exits 0 if it is SERVING.
async fn ask(args: &Args) -> Result<ExitCode, CliError> {
    let server = Server::with_tls(&args.server, &args.tls)?;
    let asking = async {
        let mut client = HealthClient::new(server.connect().await?);
        let request = HealthCheckRequest {
            service: args.service.clone(),
        };
        let answer = client.check(call(request)).await;
        answer.map_err(|status| CliError::call("ask for its health", server.url(), &status))
    };
    let answer = timeout(Duration::from_secs(args.timeout), asking)
        .await
        .map_err(|_| {
            let (url, seconds) = (server.url(), args.timeout);
            CliError::Failed(format!(
                "{url} did not answer within {seconds} s: look whether it runs, and listens there"
            ))
        })??;
    let status = answer.into_inner().status();
    writeln!(std::io::stdout(), "{}", status.as_str_name())?;
    Ok(match status {
        ServingStatus::Serving => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
