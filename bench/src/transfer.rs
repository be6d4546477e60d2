//! Upload and download of a file against the same transfer made directly.

use std::time::Instant;

use bytes::Bytes;
use chatbridge::grpc::proto::{
    AuthorType, DownloadAttachmentRequest, UploadAttachmentRequest, UploadAttachmentStart,
    attachment_service_client::AttachmentServiceClient, download_attachment_response,
    upload_attachment_request,
};
use futures_util::stream;
use reqwest::multipart::{Form, Part};
use serde_json::Value;
use tonic::transport::Channel;

use crate::{
    Result,
    load::median,
    parts::{API_KEY, Stage},
    report::{Goal, Report},
};

/// How often all processes are started anew: where they come to lie on cores and in memory lasts as long as they do.
const STAGES: usize = 4;
/// With what goes before them, as many as the sandbox has room for.
const ROUNDS: usize = 4;
const FILE_BYTES: usize = 100_000_000;
const CHUNK_BYTES: usize = 64 << 10;

/// Of one kind of transfer, made both ways; megabytes a second.
#[derive(Default)]
struct Speeds {
    direct: Vec<f64>,
    ours: Vec<f64>,
}

pub(crate) async fn measure(effort: f64, report: &mut Report) -> Result<()> {
    let size = (FILE_BYTES as f64 * effort) as usize;
    let (mut up, mut down) = (Speeds::default(), Speeds::default());
    for _ in 0..STAGES {
        let stage = Stage::with_sandbox().await?;
        let door = Door::open(&stage, size).await?;
        // Unmeasured: connections, buffers and socket windows are as they stay from here on.
        let id = door.upload_directly().await?;
        door.upload().await?;
        for round in 0..ROUNDS {
            // Whoever goes first finds caches as the other kind of transfer left them, so they take turns at that.
            let order = if round % 2 == 0 {
                [true, false]
            } else {
                [false, true]
            };
            for directly in order {
                if directly {
                    up.direct.push(door.timed(door.upload_directly()).await?);
                } else {
                    up.ours.push(door.timed(door.upload()).await?);
                }
            }
            for directly in order {
                if directly {
                    down.direct.push(door.timed(door.download_directly(&id)).await?);
                } else {
                    down.ours.push(door.timed(door.download(&id)).await?);
                }
            }
        }
    }
    for (what, speeds) in [("UploadAttachment", up), ("DownloadAttachment", down)] {
        let (floor, ours) = (shown(&speeds.direct), shown(&speeds.ours));
        let ratio = median(speeds.ours) / median(speeds.direct);
        report.row(
            format!("{what}, {} MB, the sandbox", size / 1_000_000),
            format!("{floor} direct"),
            ours,
            ratio,
            Goal::AtLeast(0.8),
        );
    }
    Ok(())
}

/// The median, and how far the others lie from it: without that nobody sees that a machine was busy with something else.
fn shown(speeds: &[f64]) -> String {
    let least = speeds.iter().copied().fold(f64::INFINITY, f64::min);
    let most = speeds.iter().copied().fold(0.0, f64::max);
    format!("{:.0} MB/s ({least:.0} to {most:.0})", median(speeds.to_vec()))
}

struct Door {
    http: reqwest::Client,
    attachments: String,
    conversation: String,
    client: AttachmentServiceClient<Channel>,
    chunk: Bytes,
    size: usize,
}

impl Door {
    async fn open(stage: &Stage, size: usize) -> Result<Self> {
        let channel = Channel::from_shared(stage.grpc.clone())?
            .tcp_nodelay(true)
            // As a client that moves files sets it: with frames of 16 KiB, HTTP/2 itself is what takes the time.
            .initial_stream_window_size(8 << 20)
            .initial_connection_window_size(16 << 20)
            .max_frame_size(1 << 20)
            .connect()
            .await?;
        let conversation = &stage.conversation;
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?,
            attachments: format!(
                "{}/chat-gateway/v1/conversations/{conversation}/attachments",
                stage.upstream
            ),
            conversation: conversation.clone(),
            client: AttachmentServiceClient::new(channel),
            chunk: Bytes::from(vec![0x5a; CHUNK_BYTES]),
            size,
        })
    }

    /// Megabytes a second.
    async fn timed<T>(&self, transfer: impl Future<Output = Result<T>>) -> Result<f64> {
        let begun = Instant::now();
        transfer.await?;
        Ok(self.size as f64 / 1e6 / begun.elapsed().as_secs_f64())
    }

    fn chunks(&self) -> impl Iterator<Item = Bytes> + Send + 'static {
        let rest = self.chunk.slice(..self.size % CHUNK_BYTES);
        std::iter::repeat_n(self.chunk.clone(), self.size / CHUNK_BYTES)
            .chain((!rest.is_empty()).then_some(rest))
    }

    async fn upload_directly(&self) -> Result<String> {
        let content = stream::iter(self.chunks().map(Ok::<_, std::io::Error>));
        let part = Part::stream_with_length(reqwest::Body::wrap_stream(content), self.size as u64)
            .file_name("file.bin")
            .mime_str("application/octet-stream")?;
        let answer: Value = self
            .http
            .post(&self.attachments)
            .header("x-api-key", API_KEY)
            .multipart(Form::new().text("authorType", "bot").part("attachment", part))
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        Ok(answer["id"]
            .as_str()
            .ok_or("the upload was answered without an id")?
            .to_owned())
    }

    async fn upload(&self) -> Result<()> {
        use upload_attachment_request::Part;
        let start = UploadAttachmentStart {
            conversation_id: self.conversation.clone(),
            file_name: "file.bin".to_owned(),
            size_bytes: i64::try_from(self.size)?,
            author_type: AuthorType::Bot.into(),
            ..UploadAttachmentStart::default()
        };
        let parts = std::iter::once(Part::Start(start)).chain(self.chunks().map(Part::Chunk));
        let requests = parts.map(|part| UploadAttachmentRequest { part: Some(part) });
        self.client
            .clone()
            .upload_attachment(stream::iter(requests))
            .await?;
        Ok(())
    }

    async fn download_directly(&self, id: &str) -> Result<()> {
        let mut answer = self
            .http
            .get(format!("{}/{id}/content", self.attachments))
            .header("x-api-key", API_KEY)
            .send()
            .await?
            .error_for_status()?;
        let mut received = 0;
        while let Some(chunk) = answer.chunk().await? {
            received += chunk.len();
        }
        self.complete(received)
    }

    async fn download(&self, id: &str) -> Result<()> {
        use download_attachment_response::Part;
        let request = DownloadAttachmentRequest {
            tenant: String::new(),
            conversation_id: self.conversation.clone(),
            attachment_id: id.to_owned(),
        };
        let mut answer = self
            .client
            .clone()
            .download_attachment(request)
            .await?
            .into_inner();
        let mut received = 0;
        while let Some(response) = answer.message().await? {
            if let Some(Part::Chunk(chunk)) = response.part {
                received += chunk.len();
            }
        }
        self.complete(received)
    }

    fn complete(&self, received: usize) -> Result<()> {
        if received == self.size {
            return Ok(());
        }
        Err(format!("{received} bytes came of {}", self.size).into())
    }
}
