//! What contact centre a sandbox plays: options that `sandbox` and `dev` share.

use std::{io, path::PathBuf, time::Duration};

use secrecy::SecretString;
use url::Url;

use crate::sandbox::{SandboxSettings, TranslatorSettings};

/// These options.
#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct CentreArgs {
    /// Load this file at the start, if it is there, and save into it at the end.
    #[arg(long)]
    state: Option<PathBuf>,
    /// Set the contact centre up as this file says, YAML or JSON: queues, agents, known customers and what agents have at hand.
    #[arg(long)]
    setup: Option<PathBuf>,
    /// What translates for agents: an address that takes what LibreTranslate's /translate does; without it, nothing is translated.
    #[arg(long, env = "CHATBRIDGE_SANDBOX_TRANSLATOR_URL")]
    translator_url: Option<Url>,
    /// A file with the key that the translator asks for.
    #[arg(long, requires = "translator_url")]
    translator_key_file: Option<PathBuf>,
    /// Let the translator be on another machine: what customers write is then sent there.
    #[arg(long, requires = "translator_url")]
    translator_remote: bool,
    /// How long a translation may take, milliseconds from 100 to 60000.
    #[arg(long, requires = "translator_url", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    translator_timeout_ms: u64,
}

impl CentreArgs {
    /// Puts what was asked for into the settings. Reads the key's file.
    pub(in crate::cli) fn apply(self, settings: &mut SandboxSettings) -> io::Result<()> {
        settings.translator = self.translator()?;
        settings.state = self.state;
        settings.setup = self.setup;
        Ok(())
    }

    fn translator(&self) -> io::Result<Option<TranslatorSettings>> {
        let Some(url) = &self.translator_url else {
            return Ok(None);
        };
        let api_key = match &self.translator_key_file {
            Some(file) => {
                let read = std::fs::read_to_string(file).map_err(|error| {
                    let why = format!(
                        "the translator's key cannot be read from {}: {error}",
                        file.display()
                    );
                    io::Error::new(io::ErrorKind::InvalidInput, why)
                })?;
                Some(SecretString::from(read.trim()))
            }
            None => None,
        };
        Ok(Some(TranslatorSettings {
            api_key,
            remote: self.translator_remote,
            patience: Duration::from_millis(self.translator_timeout_ms),
            ..TranslatorSettings::new(url.clone())
        }))
    }
}
