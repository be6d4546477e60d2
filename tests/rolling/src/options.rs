//! The command line.

use std::path::{Path, PathBuf};

use crate::Result;

/// What is run.
pub struct Options {
    pub streams: usize,
    pub events_per_second: f64,
    pub bots: usize,
    pub seed: u64,
    /// Not the restart alone, but upgrade and rollback between two formats of entries, forth and back.
    pub upgrade: bool,
    pub program: PathBuf,
    /// The program that knows one more format.
    pub next: PathBuf,
    pub values: PathBuf,
    /// Logs are kept although all went well.
    pub keep: bool,
}

impl Options {
    pub fn read(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut options = Self {
            streams: 1000,
            events_per_second: 500.0,
            bots: 8,
            seed: rand::random_range(0..1_000_000),
            upgrade: false,
            program: root.join("target/release/chatbridge"),
            next: root.join("target/release/chatbridge-next"),
            values: root.join("helm/chatbridge/values.yaml"),
            keep: false,
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
            match arg.as_str() {
                "--streams" => options.streams = value()?.parse()?,
                "--events" => options.events_per_second = value()?.parse()?,
                "--bots" => options.bots = value()?.parse()?,
                "--seed" => options.seed = value()?.parse()?,
                "--program" => options.program = value()?.into(),
                "--next" => options.next = value()?.into(),
                "--values" => options.values = value()?.into(),
                "--upgrade" => options.upgrade = true,
                "--keep" => options.keep = true,
                _ => {
                    return Err(format!(
                        "{arg} is not known: expected --upgrade, --streams N, --events N (a second), --bots N, --seed N, --program FILE, \
                         --next FILE, --values FILE, --keep"
                    )
                    .into());
                }
            }
        }
        let next = options.upgrade.then_some(&options.next);
        for program in [&options.program].into_iter().chain(next) {
            if !program.is_file() {
                return Err(format!("{} is not there: `make rolling` builds it", program.display()).into());
            }
        }
        Ok(options)
    }
}
