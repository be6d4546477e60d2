use std::{
    fmt, io,
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_util::{
    Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use http::uri::PathAndQuery;
use tokio::{
    fs,
    io::{AsyncRead, AsyncWriteExt as _},
};
use tokio_util::io::StreamReader;
use tonic::{Status, Streaming};
use tonic_prost::ProstCodec;
use uuid::Uuid;

use crate::{
    Client, Error,
    call::{Deadline, scope},
    connection::Connection,
    methods::DOWNLOAD_ATTACHMENT,
    v1::{
        Attachment, DownloadAttachmentRequest, DownloadAttachmentResponse, download_attachment_response::Part,
    },
};

/// A file on its way: a stream of its bytes. Where it ends with an error, what came is only the beginning.
pub struct Download {
    attachment: Attachment,
    pieces: BoxStream<'static, Result<Bytes, Error>>,
}

struct Source {
    client: Client,
    connection: Connection,
    parts: Streaming<DownloadAttachmentResponse>,
    deadline: Deadline,
}

impl Client {
    /// Downloads a file: what is known of it first, then its bytes as they are asked for.
    pub async fn download_attachment(
        &self,
        mut request: DownloadAttachmentRequest,
    ) -> Result<Download, Error> {
        scope(&mut request.tenant, &self.settings().tenant);
        let deadline = Deadline::after(self.transfer_timeout());
        let opening = Box::pin(self.open_download(request, deadline));
        let mut source = self.bounded(&DOWNLOAD_ATTACHMENT, deadline, opening).await?;
        let (attachment, first) = match source.next().await? {
            Some(Part::Start(attachment)) => (attachment, None),
            Some(Part::Chunk(bytes)) => (Attachment::default(), Some(Ok(bytes))),
            None => (Attachment::default(), None),
        };
        let rest = stream::try_unfold(source, |mut source| async move {
            loop {
                match source.next().await? {
                    Some(Part::Chunk(bytes)) => return Ok(Some((bytes, source))),
                    Some(Part::Start(_)) => {}
                    None => return Ok(None),
                }
            }
        });
        Ok(Download {
            attachment,
            pieces: stream::iter(first).chain(rest).boxed(),
        })
    }

    /// Downloads a file to `path`, which is written or replaced only once the file is complete.
    pub async fn download_attachment_to(
        &self,
        request: DownloadAttachmentRequest,
        path: impl AsRef<Path>,
    ) -> Result<Attachment, Error> {
        let path = path.as_ref();
        let mut download = self.download_attachment(request).await?;
        let partial = Partial::beside(path);
        let mut file = fs::File::create_new(&partial.path).await.map_err(Error::File)?;
        while let Some(bytes) = download.next().await {
            file.write_all(&bytes?).await.map_err(Error::File)?;
        }
        file.flush().await.map_err(Error::File)?;
        fs::rename(&partial.path, path).await.map_err(Error::File)?;
        Ok(download.attachment)
    }

    async fn open_download(
        &self,
        request: DownloadAttachmentRequest,
        deadline: Deadline,
    ) -> Result<Source, Error> {
        let connection = self.pick().await?;
        let mut request = self.request(request).await?;
        request.set_timeout(deadline.left());
        let mut grpc = self.grpc(&connection);
        let opened = async {
            grpc.ready()
                .await
                .map_err(|error| Status::from_error(error.into()))?;
            let path = PathAndQuery::from_static(DOWNLOAD_ATTACHMENT.path);
            grpc.server_streaming(request, path, ProstCodec::default()).await
        };
        match opened.await {
            Ok(response) => Ok(Source {
                client: self.clone(),
                connection,
                parts: response.into_inner(),
                deadline,
            }),
            Err(status) => Err(self.failed(&connection, &status, &DOWNLOAD_ATTACHMENT)),
        }
    }
}

impl Source {
    async fn next(&mut self) -> Result<Option<Part>, Error> {
        let client = self.client.clone();
        let read = async {
            loop {
                match self.parts.message().await {
                    Ok(Some(DownloadAttachmentResponse { part: Some(part) })) => return Ok(Some(part)),
                    Ok(Some(_)) => {}
                    Ok(None) => return Ok(None),
                    Err(status) => {
                        return Err(client.failed(&self.connection, &status, &DOWNLOAD_ATTACHMENT));
                    }
                }
            }
        };
        self.client
            .bounded(&DOWNLOAD_ATTACHMENT, self.deadline, read)
            .await
    }
}

impl Download {
    /// The file's `id`, and its name, type and size as far as the vendor says them with the bytes.
    pub fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    /// All bytes at once.
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        let mut all = BytesMut::new();
        while let Some(bytes) = self.next().await {
            all.extend_from_slice(&bytes?);
        }
        Ok(all.freeze())
    }

    /// The bytes as something to read from.
    pub fn into_reader(self) -> impl AsyncRead + Send {
        StreamReader::new(self.pieces.map(|piece| piece.map_err(io::Error::other)))
    }
}

impl Stream for Download {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.poll_next_unpin(context)
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").finish_non_exhaustive()
    }
}

/// A file that goes away unless it was renamed.
struct Partial {
    path: PathBuf,
}

impl Partial {
    fn beside(path: &Path) -> Self {
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}", Uuid::new_v4()));
        Self {
            path: path.with_file_name(name),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // It is gone where the download was complete.
        let _ = std::fs::remove_file(&self.path);
    }
}
