//! A clock that can be stepped while the process that reads it runs: libfaketime, told by a file.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::Result;

/// The library for programs with threads, below the folder of a machine's libraries in `/usr/lib`, as Debian has it.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// The wall clock of some processes. Time that is measured (the monotonic clock) goes on as ever.
#[derive(Clone)]
pub struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    /// One that is right, kept in this folder.
    pub fn right(folder: &Path, name: &str) -> Result<Self> {
        let library = std::fs::read_dir("/usr/lib")?
            .filter_map(|machine| Some(machine.ok()?.path().join(LIBRARY)))
            .find(|place| place.exists())
            .ok_or(
                "libfaketime is not there: run scripts/tools.sh chaos, or install Debian's package faketime",
            )?;
        let clock = Self {
            library,
            file: folder.join(format!("{name}.clock")),
        };
        clock.set("+0")?;
        Ok(clock)
    }

    /// Steps it: so far ahead of the right time from now on.
    pub fn ahead(&self, by: Duration) -> Result<()> {
        self.set(&format!("+{}", by.as_secs()))
    }

    /// Steps it: so far behind the right time from now on.
    pub fn behind(&self, by: Duration) -> Result<()> {
        self.set(&format!("-{}", by.as_secs()))
    }

    fn set(&self, offset: &str) -> Result<()> {
        // Replaced as a whole, since it may be read at any time.
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{offset}\n"))?;
        std::fs::rename(&new, &self.file)?;
        Ok(())
    }

    /// Makes a process go by this clock.
    pub fn rule(&self, command: &mut Command) {
        // Debian's redis-server brings an allocator that asks for the time before libfaketime can tell it; with the C
        // library's own in front of it, it is not used.
        let preload = format!("{}:libc.so.6", self.library.display());
        command
            .env("LD_PRELOAD", preload)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            // The file is read again after a second.
            .env("FAKETIME_CACHE_DURATION", "1");
    }
}
