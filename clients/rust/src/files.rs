//! What files are given as, and how they go out piece by piece.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    pin::Pin,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream, stream::BoxStream};
use tokio::{fs::File, io::AsyncRead};
use tokio_util::io::ReaderStream;

/// The contract takes up to 1 MiB; smaller pieces keep less in memory and are as fast.
const PIECE_BYTES: usize = 256 * 1024;

/// What a file holds: read piece by piece while it is sent.
pub struct Content(Source);

enum Source {
    Path(PathBuf),
    Bytes(Bytes),
    Reader(Pin<Box<dyn AsyncRead + Send>>),
}

impl Content {
    /// A file of this machine. Its name and size are filled in where the request leaves them empty.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self(Source::Path(path.into()))
    }

    /// The bytes themselves. Their number is filled in where the request leaves it empty.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(Source::Bytes(bytes.into()))
    }

    /// Anything that can be read. The request says how many bytes it has.
    pub fn reader(reader: impl AsyncRead + Send + 'static) -> Self {
        Self(Source::Reader(Box::pin(reader)))
    }

    /// Fills in what is known of the file, and opens it.
    pub(crate) async fn open(
        self,
        file_name: &mut String,
        size_bytes: &mut i64,
    ) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        let known = match self.0 {
            Source::Path(path) => {
                let file = File::open(&path).await?;
                if file_name.is_empty() {
                    *file_name = last_part(&path);
                }
                let size = file.metadata().await?.len();
                (Some(size), ReaderStream::with_capacity(file, PIECE_BYTES).boxed())
            }
            Source::Bytes(bytes) => (u64::try_from(bytes.len()).ok(), pieces(bytes).map(Ok).boxed()),
            Source::Reader(reader) => (None, ReaderStream::with_capacity(reader, PIECE_BYTES).boxed()),
        };
        if let (0, Some(size)) = (*size_bytes, known.0) {
            *size_bytes = i64::try_from(size).unwrap_or(i64::MAX);
        }
        Ok(known.1)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Path(_) => "Content(path)",
            Source::Bytes(_) => "Content(bytes)",
            Source::Reader(_) => "Content(reader)",
        })
    }
}

fn last_part(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn pieces(mut bytes: Bytes) -> impl Stream<Item = Bytes> {
    stream::iter(std::iter::from_fn(move || {
        (!bytes.is_empty()).then(|| bytes.split_to(bytes.len().min(PIECE_BYTES)))
    }))
}
