//! `chatbridge entry-format`: in which format the events of the log are stored, and by whom.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use super::{render::escape, start::fail};
use crate::{
    config::Config,
    server::redis_settings,
    store::redis::{Formats, RedisSettings, ReplicaFormats, SETTLED, formats, set_format},
};

/// How often it is looked whether all have followed.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Options of `entry-format`. The settings are read as `serve` reads them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Settings, as TOML. Variables of the environment win over it.
    #[arg(long, global = true, env = "CHATBRIDGE_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show it, and which formats the replicas read and write; so it does without a word, too.
    Show,
    /// Have all replicas write another format. Refused while a replica runs that does not read it
    Set {
        /// The format
        #[arg(value_parser = clap::value_parser!(u16).range(1..))]
        format: u16,
        /// For how many seconds to wait until no replica is in the way, and until all have followed
        #[arg(long, value_name = "SECONDS", default_value_t = 30)]
        wait: u64,
    },
}

pub(super) async fn run(args: Args) -> ExitCode {
    let config = match Config::load(args.config.as_deref(), std::env::vars()) {
        Ok(config) => config,
        Err(error) => return fail(&error.to_string(), 2),
    };
    let Some(url) = config.redis_url.clone() else {
        return fail(
            "without redis_url events are in the memory of one process, and have no format",
            2,
        );
    };
    let redis = redis_settings(&config, url);
    let done = match args.action {
        None | Some(Action::Show) => show(&redis).await,
        Some(Action::Set { format, wait }) => set(&redis, format, Duration::from_secs(wait)).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => fail(&problem, 1),
    }
}

async fn look(redis: &RedisSettings) -> Result<Formats, String> {
    formats(redis).await.map_err(|error| error.to_string())
}

async fn show(redis: &RedisSettings) -> Result<(), String> {
    let known = look(redis).await?;
    say(&match known.written {
        Some(format) => format!("Events are stored in format {format}."),
        None => "There is no log yet.".to_owned(),
    })?;
    if known.replicas.is_empty() {
        say("No replica runs.")?;
    }
    known.replicas.iter().try_for_each(|replica| say(&line(replica)))
}

fn line(replica: &ReplicaFormats) -> String {
    let (oldest, newest) = replica.reads;
    format!(
        "{}: version {}, reads {oldest} to {newest}, writes {}; heard of {:.1} s ago",
        escape(&replica.name),
        escape(&replica.version),
        replica.writes,
        replica.seen_ago.as_secs_f64()
    )
}

async fn set(redis: &RedisSettings, format: u16, wait: Duration) -> Result<(), String> {
    let until = Instant::now() + wait;
    let before = loop {
        let known = set_format(redis, format)
            .await
            .map_err(|error| error.to_string())?;
        if known.written.is_none() {
            return Err("there is no log yet: start a replica first".to_owned());
        }
        let in_the_way: Vec<&ReplicaFormats> = known
            .replicas
            .iter()
            .filter(|replica| !replica.does_read(format))
            .collect();
        if in_the_way.is_empty() {
            break known.written;
        }
        if Instant::now() >= until {
            let lines: Vec<String> = in_the_way.into_iter().map(line).collect();
            return Err(format!(
                "nothing was changed: these replicas do not read format {format}; upgrade or stop them first\n{}",
                lines.join("\n")
            ));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    follow(redis, format, until).await?;
    if before != Some(format) {
        // What a replica had begun to store in the format before.
        tokio::time::sleep(SETTLED).await;
    }
    say(&format!("All replicas store events in format {format}."))
}

/// Waits until all replicas write it.
async fn follow(redis: &RedisSettings, format: u16, until: Instant) -> Result<(), String> {
    loop {
        let known = look(redis).await?;
        let behind: Vec<&ReplicaFormats> = known
            .replicas
            .iter()
            .filter(|replica| replica.writes != format)
            .collect();
        if behind.is_empty() {
            return Ok(());
        }
        if Instant::now() >= until {
            let lines: Vec<String> = behind.into_iter().map(line).collect();
            return Err(format!(
                "format {format} is noted, and these replicas have not followed yet: run the command again\n{}",
                lines.join("\n")
            ));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn say(line: &str) -> Result<(), String> {
    match writeln!(io::stdout(), "{line}") {
        Ok(()) => Ok(()),
        // Whoever read it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(format!("standard output cannot be written to: {error}")),
    }
}
