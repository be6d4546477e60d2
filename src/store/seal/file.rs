//! The master keys that are in use, which may come from a file that is read again when it changes.

use std::{
    fmt,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use secrecy::{
    ExposeSecret as _, SecretString,
    zeroize::{Zeroize as _, Zeroizing},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::master::MasterKeys;

/// How often one looks whether the file has changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The largest file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The master keys that are in use; clones share them.
#[derive(Clone)]
pub struct KeyRing(Arc<Shared>);

struct Shared {
    keys: RwLock<Arc<MasterKeys>>,
    file: Option<PathBuf>,
    last: Mutex<Last>,
}

/// How the last look at the file went.
#[derive(Default)]
struct Last {
    /// What it held: compared, since a time of change may stand still.
    content: Option<SecretString>,
    /// What was wrong with it, if anything was.
    problem: Option<String>,
}

impl KeyRing {
    /// Keys that never change, as [`MasterKeys::parse`] reads them.
    pub fn fixed(text: &str) -> Result<Self, String> {
        MasterKeys::parse(text).map(|keys| Self::new(keys, None))
    }

    /// The keys of the file at `path`. It must be in order now; once it was, a version that is not leaves the keys as they are.
    pub fn from_file(path: &Path) -> Result<Self, String> {
        let content = read(path)?;
        let ring = Self::new(MasterKeys::parse(content.expose_secret())?, Some(path.to_owned()));
        ring.0.last.lock().unwrap_or_else(PoisonError::into_inner).content = Some(content);
        Ok(ring)
    }

    fn new(keys: MasterKeys, file: Option<PathBuf>) -> Self {
        Self(Arc::new(Shared {
            keys: RwLock::new(Arc::new(keys)),
            file,
            last: Mutex::default(),
        }))
    }

    /// The file that they come from; `None`: they never change.
    pub fn file(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// The keys that are in use now.
    pub fn keys(&self) -> Arc<MasterKeys> {
        Arc::clone(&self.0.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the file about once a second, and takes what has changed, until `shutdown`.
    pub async fn watch(self, shutdown: CancellationToken) {
        while shutdown
            .run_until_cancelled(tokio::time::sleep(LOOK_EVERY))
            .await
            .is_some()
        {
            self.refresh().await;
        }
    }

    /// Reads the file if it has changed, on a thread that may wait for a disk.
    pub async fn refresh(&self) {
        let shared = Arc::clone(&self.0);
        // It ends by a panic or not at all, and the keys from before stay.
        tokio::task::spawn_blocking(move || shared.look()).await.ok();
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&self.keys()).finish()
    }
}

impl Shared {
    /// Reads the file if it has changed. One that cannot be used changes no key.
    fn look(&self) {
        let Some(path) = &self.file else { return };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let read = read(path);
        if let (Ok(content), Some(known)) = (&read, &last.content)
            && content.expose_secret() == known.expose_secret()
        {
            // As it was before it could not be read.
            last.problem = None;
            return;
        }
        let taken = read.and_then(|content| {
            let taken = self.take(content.expose_secret());
            last.content = Some(content);
            taken
        });
        let problem = taken.err();
        if let Some(problem) = &problem
            && last.problem.as_ref() != Some(problem)
        {
            warn!(file = %path.display(), problem, "the file of master keys is not taken; the keys from before stay");
        }
        last.problem = problem;
    }

    fn take(&self, text: &str) -> Result<(), String> {
        let new = MasterKeys::parse(text)?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        new.may_follow(&keys)?;
        let first = new.first().map_or("none", |key| key.id());
        info!(first, keys = new.all().len(), "master keys were read");
        *keys = Arc::new(new);
        Ok(())
    }
}

/// Reads a file of keys; says what is wrong with it, and nothing of what it holds.
fn read(path: &Path) -> Result<SecretString, String> {
    let unreadable = |error: std::io::Error| format!("it cannot be read: {error}");
    // Opening a pipe would wait for a writer.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let mut content = Zeroizing::new(Vec::new());
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content))
        .map_err(unreadable)?;
    if content.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("it is larger than {FILE_BYTES_MAX} bytes"));
    }
    let mut text = std::str::from_utf8(&content)
        .map_err(|_| "it is not text".to_owned())?
        .to_owned();
    let secret = SecretString::from(text.as_str());
    text.zeroize();
    Ok(secret)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs::{remove_file, write};

    use super::*;

    const A: &str = "a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const B: &str = "b:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    fn first(ring: &KeyRing) -> String {
        ring.keys().first().unwrap().id().to_owned()
    }

    #[tokio::test]
    async fn a_change_is_taken_and_a_mistake_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys");
        assert!(KeyRing::from_file(&path).is_err_and(|p| p.contains("cannot be read")));
        assert!(KeyRing::from_file(dir.path()).is_err_and(|p| p.contains("not a regular file")));
        write(&path, A).unwrap();
        let ring = KeyRing::from_file(&path).unwrap();
        write(&path, format!("{B}\n{A}")).unwrap();
        ring.refresh().await;
        assert_eq!((first(&ring).as_str(), ring.keys().all().len()), ("b", 2));
        for wrong in ["", "c:SECRET", "\u{0}", &A.replace("a:", "b:")] {
            write(&path, wrong).unwrap();
            ring.refresh().await;
            assert_eq!(first(&ring), "b", "{wrong:?}");
        }
        remove_file(&path).unwrap();
        ring.refresh().await;
        assert_eq!(first(&ring), "b");
        write(&path, A).unwrap();
        ring.refresh().await;
        assert_eq!((first(&ring).as_str(), ring.keys().all().len()), ("a", 1));
        assert!(!format!("{ring:?}").contains("AAAA"));
    }
}
