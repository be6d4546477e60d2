//! The command line.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::Result;

/// What is run.
pub struct Options {
    pub webhooks: usize,
    /// Of each webhook.
    pub conversations: usize,
    pub events_per_second: f64,
    /// How long all receivers are well.
    pub healthy: Duration,
    /// How long some are not, before replicas are ended.
    pub troubled: Duration,
    /// How long it goes on from the first end of a replica.
    pub restarts: Duration,
    pub seed: u64,
    pub program: PathBuf,
    /// What replicas log.
    pub log: String,
    /// Logs are kept although all went well.
    pub keep: bool,
}

impl Options {
    pub fn read(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut options = Self {
            webhooks: 200,
            conversations: 10,
            events_per_second: 500.0,
            healthy: Duration::from_secs(20),
            troubled: Duration::from_secs(30),
            restarts: Duration::from_secs(65),
            seed: rand::random_range(0..1_000_000),
            program: root.join("target/release/chatbridge"),
            log: "info".to_owned(),
            keep: false,
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
            match arg.as_str() {
                "--webhooks" => options.webhooks = value()?.parse()?,
                "--conversations" => options.conversations = value()?.parse()?,
                "--events" => options.events_per_second = value()?.parse()?,
                "--healthy" => options.healthy = seconds(&value()?)?,
                "--troubled" => options.troubled = seconds(&value()?)?,
                "--restarts" => options.restarts = seconds(&value()?)?,
                "--seed" => options.seed = value()?.parse()?,
                "--program" => options.program = value()?.into(),
                "--log" => options.log = value()?,
                "--keep" => options.keep = true,
                _ => {
                    return Err(format!(
                        "{arg} is not known: expected --webhooks N, --conversations N (of each), --events N (a second), --healthy S, \
                         --troubled S, --restarts S, --seed N, --program FILE, --log LEVEL, --keep"
                    )
                    .into());
                }
            }
        }
        if options.webhooks == 0 || options.webhooks > 900 || options.conversations == 0 {
            return Err("there must be 1 to 900 webhooks, and conversations of each".into());
        }
        if !options.program.is_file() {
            return Err(format!(
                "{} is not there: `make deliveries` builds it",
                options.program.display()
            )
            .into());
        }
        Ok(options)
    }
}

fn seconds(text: &str) -> Result<Duration> {
    Ok(Duration::try_from_secs_f64(text.parse()?)?)
}
