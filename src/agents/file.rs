//! Names from a JSON file: an object of identifiers and names, which is read again when it changes.

use std::{
    collections::HashMap,
    fmt,
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Deserializer, de};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Miss, count, name};

/// How often one looks whether the file has changed.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The largest file, in bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Names by identifier; empty where the file says that there is none.
type Names = HashMap<String, Name>;

/// The names of a file; clones share them.
#[derive(Clone)]
pub(super) struct FileNames(Arc<Shared>);

struct Shared {
    path: PathBuf,
    names: watch::Sender<Arc<Names>>,
    last: Mutex<Last>,
}

/// How the last look at the file went.
#[derive(Default)]
struct Last {
    /// The version that was read; `None` where none could be, so that the next look tries again.
    version: Option<Version>,
    /// What was wrong with it, if anything was.
    problem: Option<String>,
}

/// What tells one version of a file from the next.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    modified: SystemTime,
    bytes: u64,
}

/// Why a file is refused, as a sentence that shows nothing of the content.
enum Problem {
    /// It cannot be read now, and perhaps later.
    Unreadable(String),
    /// This version will never do.
    Broken(String),
}

impl FileNames {
    /// The names of the file at `path`, which is not read yet.
    pub(super) fn new(path: &Path) -> Self {
        Self(Arc::new(Shared {
            path: path.to_owned(),
            names: watch::Sender::default(),
            last: Mutex::default(),
        }))
    }

    /// Reads the file anew and says how many names it has, or what is wrong with it.
    pub(super) fn check(&self) -> Result<usize, String> {
        let read = Version::of(&self.0.path).and_then(|_| load(&self.0.path));
        match read {
            Ok(names) => Ok(names.len()),
            Err(Problem::Unreadable(why) | Problem::Broken(why)) => Err(why),
        }
    }

    /// An agent's name.
    pub(super) fn name(&self, id: &str) -> Option<Arc<str>> {
        let name = self.0.names.borrow().get(id).map(|name| Arc::clone(&name.0));
        let name = name.filter(|name| !name.is_empty());
        count(name.as_ref().map_or(Miss::Unknown.outcome(), |_| "found"));
        name
    }

    /// Reads the file whenever it has changed, until `shutdown`.
    pub(super) async fn watch(&self, every: Duration, shutdown: &CancellationToken) {
        while shutdown
            .run_until_cancelled(tokio::time::sleep(every))
            .await
            .is_some()
        {
            self.refresh().await;
        }
    }

    /// Reads the file if it has changed, on a thread that may wait for a disk.
    pub(super) async fn refresh(&self) {
        let shared = Arc::clone(&self.0);
        // It ends by a panic or not at all, and the names from before stay.
        tokio::task::spawn_blocking(move || shared.look()).await.ok();
    }
}

impl Shared {
    /// Reads the file if it has changed. A file that cannot be used changes no name.
    fn look(&self) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, read) = match Version::of(&self.path) {
            Ok(version) if last.version == Some(version) => return,
            Ok(version) => (Some(version), load(&self.path)),
            Err(problem) => (None, Err(problem)),
        };
        let file = self.path.display();
        let (version, problem) = match read {
            Ok(names) => {
                info!(%file, names = names.len(), "agents' names were read");
                self.names.send_replace(Arc::new(names));
                (version, None)
            }
            Err(Problem::Broken(problem)) => (version, Some(problem)),
            Err(Problem::Unreadable(problem)) => (None, Some(problem)),
        };
        // A version is refused once, but one that cannot be read is tried again and again.
        let was_told = version.is_none() && last.problem == problem;
        if let Some(problem) = &problem
            && !was_told
        {
            count(Miss::Unusable.outcome());
            warn!(%file, problem, "the file of agents' names is not taken; the names from before stay");
        }
        *last = Last { version, problem };
    }
}

impl Version {
    fn of(path: &Path) -> Result<Self, Problem> {
        let unreadable = |error: std::io::Error| Problem::Unreadable(format!("it cannot be read: {error}"));
        let metadata = fs::metadata(path).map_err(unreadable)?;
        // Opening a pipe would wait for a writer.
        if !metadata.is_file() {
            return Err(Problem::Unreadable("it is not a regular file".to_owned()));
        }
        Ok(Self {
            modified: metadata.modified().map_err(unreadable)?,
            bytes: metadata.len(),
        })
    }
}

fn load(path: &Path) -> Result<Names, Problem> {
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content))
        .map_err(|error| Problem::Unreadable(format!("it cannot be read: {error}")))?;
    if content.len() as u64 > FILE_BYTES_MAX {
        let problem = format!("it is larger than {FILE_BYTES_MAX} bytes");
        return Err(Problem::Broken(problem));
    }
    parse(&content).map_err(Problem::Broken)
}

fn parse(content: &[u8]) -> Result<Names, String> {
    // Writers on Windows put a byte order mark in front.
    let content = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(content);
    serde_json::from_slice(content).map_err(|error| {
        let what = if error.is_data() {
            "an object of ids and names is expected, each name of at most 256 bytes without control characters"
        } else {
            "this is not JSON"
        };
        format!("line {}, column {}: {what}", error.line(), error.column())
    })
}

/// A name that was checked.
struct Name(Arc<str>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

/// Checks within the visitor: only what fails there gets its line and column.
struct NameVisitor;

impl de::Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Name, E> {
        name::read(text)
            .map(|name| Name(name.into()))
            .ok_or_else(|| E::custom("not a name"))
    }
}

impl fmt::Debug for FileNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileNames")
            .field("path", &self.0.path)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
