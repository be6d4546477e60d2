//! The bytes of attachments: in temporary files, counted, and gone with the last that refers to them.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tempfile::{NamedTempFile, TempPath};
use tokio::{
    fs::File,
    io::{AsyncWriteExt as _, BufWriter},
};

/// The largest file, and the most of all files together, in bytes.
const FILE_BYTES: u64 = 200 << 20;
const ALL_BYTES: u64 = 1 << 30;
/// What a file counts at least: it takes room on the disk and in memory however small it is.
const LEAST_CHARGE: u64 = 4096;
/// How much is handed to the disk at once.
const BUFFER_BYTES: usize = 256 << 10;

/// Why a file cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("A file may have at most {} MiB.", .0 >> 20)]
    TooLarge(u64),
    #[error("The files of this sandbox may have {} MiB in all, and this one does not fit.", .0 >> 20)]
    Full(u64),
    #[error("The sandbox cannot use its temporary directory.")]
    Disk(#[from] io::Error),
}

/// Where files are kept. Clones share one.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    used: Arc<AtomicU64>,
    file_bytes: u64,
    all_bytes: u64,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self::with_limits(FILE_BYTES, ALL_BYTES)
    }

    fn with_limits(file_bytes: u64, all_bytes: u64) -> Self {
        Self {
            used: Arc::default(),
            file_bytes,
            all_bytes,
        }
    }

    /// Begins a file.
    pub(crate) async fn begin(&self) -> Result<Upload, FileError> {
        let made = tokio::task::spawn_blocking(|| NamedTempFile::with_prefix("chatbridge-sandbox-")).await;
        let (file, path) = made.map_err(io::Error::other)??.into_parts();
        let mut upload = Upload {
            writer: BufWriter::with_capacity(BUFFER_BYTES, File::from_std(file)),
            path,
            size: 0,
            charge: Charge {
                used: Arc::clone(&self.used),
                bytes: 0,
            },
            limits: self.clone(),
        };
        upload.count()?;
        Ok(upload)
    }
}

/// A file that is being written. Dropped before it is finished, it is as if it had never been.
pub(crate) struct Upload {
    writer: BufWriter<File>,
    path: TempPath,
    size: u64,
    charge: Charge,
    limits: Files,
}

impl Upload {
    /// Adds to the file.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.size += bytes.len() as u64;
        self.count()?;
        Ok(self.writer.write_all(bytes).await?)
    }

    /// Ends the file.
    pub(crate) async fn finish(mut self) -> Result<StoredFile, FileError> {
        self.writer.flush().await?;
        Ok(StoredFile {
            path: self.path,
            size: self.size,
            _charge: self.charge,
        })
    }

    fn count(&mut self) -> Result<(), FileError> {
        if self.size > self.limits.file_bytes {
            return Err(FileError::TooLarge(self.limits.file_bytes));
        }
        let fits = self
            .charge
            .grow_to(self.size.max(LEAST_CHARGE), self.limits.all_bytes);
        fits.then_some(()).ok_or(FileError::Full(self.limits.all_bytes))
    }
}

/// A file that is kept as long as this is.
#[derive(Debug)]
pub(crate) struct StoredFile {
    path: TempPath,
    size: u64,
    _charge: Charge,
}

impl StoredFile {
    /// Bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Opens it from its beginning.
    pub(crate) async fn open(&self) -> io::Result<File> {
        File::open(AsRef::<Path>::as_ref(&self.path)).await
    }
}

/// A share of what all files may have, given back when it is dropped.
#[derive(Debug)]
struct Charge {
    used: Arc<AtomicU64>,
    bytes: u64,
}

impl Charge {
    fn grow_to(&mut self, bytes: u64, all_bytes: u64) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let taken = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(more).filter(|sum| *sum <= all_bytes)
            });
        if taken.is_ok() {
            self.bytes += more;
        }
        taken.is_ok()
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    async fn store(files: &Files, bytes: &[u8]) -> Result<StoredFile, FileError> {
        let mut upload = files.begin().await?;
        for part in bytes.chunks(1000) {
            upload.write(part).await?;
        }
        upload.finish().await
    }

    #[tokio::test]
    async fn a_file_is_there_as_long_as_somebody_holds_it() {
        let files = Files::new();
        let stored = store(&files, &[7; 5000]).await.unwrap();
        let mut read = Vec::new();
        stored.open().await.unwrap().read_to_end(&mut read).await.unwrap();
        assert_eq!((read, stored.size()), (vec![7; 5000], 5000));
        let path = stored.path.to_path_buf();
        assert!(path.exists());
        drop(stored);
        assert!(!path.exists());
        assert_eq!(files.used.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn what_is_too_large_leaves_nothing_behind() {
        let files = Files::with_limits(10_000, 15_000);
        assert!(matches!(
            store(&files, &[0; 10_001]).await,
            Err(FileError::TooLarge(_))
        ));
        assert_eq!(files.used.load(Ordering::Relaxed), 0);
        let first = store(&files, &[0; 10_000]).await.unwrap();
        assert!(matches!(store(&files, &[0; 5001]).await, Err(FileError::Full(_))));
        let second = store(&files, &[0; 5000]).await.unwrap();
        assert!(
            matches!(store(&files, &[0]).await, Err(FileError::Full(_))),
            "a small file counts more than its bytes"
        );
        drop((first, second));
        assert!(store(&files, &[0]).await.is_ok());
    }
}
