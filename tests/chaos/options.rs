//! The command line. It also bears what `cargo test` passes to test programs.

use crate::{Result, scenario::Scenario};

pub struct Options {
    /// Everything, not the short form.
    pub full: bool,
    pub list: bool,
    /// Logs are kept although all went well.
    pub keep: bool,
    pub seed: u64,
    /// Only scenarios whose names contain one of these; empty: all.
    names: Vec<String>,
}

impl Options {
    pub fn read(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            full: false,
            list: false,
            keep: false,
            seed: rand::random_range(0..1_000_000),
            names: Vec::new(),
        };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--full" => options.full = true,
                "--list" => options.list = true,
                "--keep" => options.keep = true,
                "--seed" => options.seed = args.next().ok_or("--seed needs a number")?.parse()?,
                // Of `cargo test` and its friends.
                "--quiet" | "-q" | "--nocapture" | "--exact" | "--include-ignored" | "--show-output" => {}
                "--test-threads" | "--format" | "--skip" | "--color" => drop(args.next()),
                flag if flag.starts_with("--test-threads=") || flag.starts_with("--format=") => {}
                flag if flag.starts_with('-') => {
                    return Err(format!(
                        "{flag} is not known: expected --full, --list, --keep, --seed N and names of scenarios"
                    )
                    .into());
                }
                name => options.names.push(name.to_owned()),
            }
        }
        Ok(options)
    }

    /// Whether a scenario is to be run.
    pub fn chooses(&self, scenario: &Scenario) -> bool {
        let named = self
            .names
            .iter()
            .any(|name| scenario.name.contains(name.as_str()));
        (self.full || scenario.short) && (self.names.is_empty() || named)
    }
}
