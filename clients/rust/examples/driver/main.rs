//! The driver of this client for the scenarios of the project: see `tests/scenarios/driver.proto`.

mod answer;
mod cursor_file;
mod dispatch;
/// The messages that the runner and the driver exchange.
#[allow(clippy::all, missing_docs, unreachable_pub)]
mod protocol;
mod streams;
mod world;

use std::{io, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost::Message as _;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    sync::mpsc,
    task::JoinSet,
};
use tracing_subscriber::EnvFilter;

use protocol::{Request, Response};
use world::World;

#[tokio::main]
async fn main() -> io::Result<()> {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("chatbridge_client=debug"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();

    let (answers, mut answered) = mpsc::unbounded_channel::<Response>();
    let writer = tokio::spawn(async move {
        let mut out = tokio::io::stdout();
        while let Some(response) = answered.recv().await {
            let line = STANDARD.encode(response.encode_to_vec()) + "\n";
            out.write_all(line.as_bytes()).await?;
            out.flush().await?;
        }
        io::Result::Ok(())
    });

    let world = Arc::new(World::default());
    let mut running = JoinSet::new();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let encoded = STANDARD.decode(line.trim()).map_err(io::Error::other)?;
        let request = Request::decode(&*encoded).map_err(io::Error::other)?;
        let (world, answers) = (Arc::clone(&world), answers.clone());
        // What is told first is done first, as far as names go: a client that a later request names is there then.
        let started = world.start(request.command);
        running.spawn(async move {
            let _ = answers.send(Response {
                id: request.id,
                result: Some(started.await),
            });
        });
        while running.try_join_next().is_some() {}
    }
    running.shutdown().await;
    world.close().await;
    drop(answers);
    writer.await.map_err(io::Error::other)?
}
