//! Upload and download of a file against the same transfer made directly.

use std::time::{Duration, Instant};

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
    upstream::FILE,
};

/// How often all processes are started anew: where they come to lie on cores and in memory lasts as long as they do.
const STAGES: usize = 16;
/// With what goes before them, as many as the sandbox has room for.
const ROUNDS: usize = 2;
const FILE_BYTES: usize = 100_000_000;
const CHUNK_BYTES: usize = 64 << 10;
/// What an upstream moves in a second that has no more to do than a link of four gigabits.
const LINK: f64 = 500e6;
const LINK_ROUNDS: usize = 8;

/// A way to the sandbox.
#[derive(Clone, Copy)]
enum Way {
    Direct,
    /// Through a process that passes bytes on.
    Relayed,
    Chatbridge,
}

/// Of one kind of transfer, made each way; megabytes a second.
#[derive(Default)]
struct Speeds {
    direct: Vec<f64>,
    relayed: Vec<f64>,
    ours: Vec<f64>,
}

impl Speeds {
    fn push(&mut self, way: Way, speed: f64) {
        match way {
            Way::Direct => self.direct.push(speed),
            Way::Relayed => self.relayed.push(speed),
            Way::Chatbridge => self.ours.push(speed),
        }
    }

    /// The median over the rounds, since a machine's speed changes from one to the next.
    fn ratio_to(&self, floor: &[f64]) -> f64 {
        median(
            self.ours
                .iter()
                .zip(floor)
                .map(|(ours, floor)| ours / floor)
                .collect(),
        )
    }
}

pub(crate) async fn measure(effort: f64, mut report: Report) -> Result<Report> {
    let size = (FILE_BYTES as f64 * effort) as usize;
    let (mut up, mut down) = (Speeds::default(), Speeds::default());
    // Whoever goes first finds caches as the other kind of transfer left them, so they take turns at that.
    let mut order = [Way::Direct, Way::Relayed, Way::Chatbridge];
    for _ in 0..STAGES {
        let stage = Stage::with_sandbox().await?;
        let door = Door::open(&stage, size).await?;
        // Unmeasured: connections, buffers and socket windows are as they stay from here on.
        let mut id = String::new();
        for way in order {
            id = door.upload(way).await?;
        }
        for _ in 0..ROUNDS {
            for way in order {
                up.push(way, door.timed(door.upload(way)).await?);
            }
            for way in order {
                down.push(way, door.timed(door.download(way, &id)).await?);
            }
            order.rotate_left(1);
        }
    }
    rows(
        &mut report,
        &format!("{} MB, the sandbox", size / 1_000_000),
        up,
        down,
    );
    let (up, down) = over_a_link(size).await?;
    let what = format!(
        "{} MB, an upstream that moves {:.0} MB/s",
        size / 1_000_000,
        LINK / 1e6
    );
    rows(&mut report, &what, up, down);
    Ok(report)
}

async fn over_a_link(size: usize) -> Result<(Speeds, Speeds)> {
    let (mut up, mut down) = (Speeds::default(), Speeds::default());
    let stage = Stage::with_waits(Duration::ZERO, size, LINK).await?;
    let door = Door::open(&stage, size).await?;
    let mut order = [Way::Direct, Way::Chatbridge];
    for round in 0..=LINK_ROUNDS {
        for way in order {
            let sent = door.timed(door.upload(way)).await?;
            let got = door.timed(door.download(way, FILE)).await?;
            // As with the sandbox, the first is not counted.
            if round > 0 {
                up.push(way, sent);
                down.push(way, got);
            }
        }
        order.reverse();
    }
    Ok((up, down))
}

fn rows(report: &mut Report, of: &str, up: Speeds, down: Speeds) {
    for (what, speeds) in [("UploadAttachment", up), ("DownloadAttachment", down)] {
        for (floor, name, goal) in [
            (&speeds.direct, "direct", Goal::AtLeast(0.8)),
            (&speeds.relayed, "through a relay of bytes", Goal::None),
        ] {
            if floor.is_empty() {
                continue;
            }
            report.row(
                format!("{what}, {of}"),
                format!("{} {name}", shown(floor)),
                shown(&speeds.ours),
                speeds.ratio_to(floor),
                goal,
            );
        }
    }
}

/// The median, and how far the others lie from it: without that nobody sees that a machine was busy with something else.
fn shown(speeds: &[f64]) -> String {
    let least = speeds.iter().copied().fold(f64::INFINITY, f64::min);
    let most = speeds.iter().copied().fold(0.0, f64::max);
    format!("{:.0} MB/s ({least:.0} to {most:.0})", median(speeds.to_vec()))
}

struct Door {
    http: reqwest::Client,
    direct: String,
    /// Where there is a relay.
    relayed: Option<String>,
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
        let attachments = |at: &str| format!("{at}/chat-gateway/v1/conversations/{conversation}/attachments");
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?,
            direct: attachments(&stage.upstream),
            relayed: stage.relay.as_deref().map(attachments),
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

    /// The file's identifier.
    async fn upload(&self, way: Way) -> Result<String> {
        match way {
            Way::Direct => self.upload_to(&self.direct).await,
            Way::Relayed => self.upload_to(self.relayed()?).await,
            Way::Chatbridge => self.upload_to_service().await,
        }
    }

    async fn download(&self, way: Way, id: &str) -> Result<()> {
        match way {
            Way::Direct => self.download_from(&self.direct, id).await,
            Way::Relayed => self.download_from(self.relayed()?, id).await,
            Way::Chatbridge => self.download_from_service(id).await,
        }
    }

    fn relayed(&self) -> Result<&str> {
        Ok(self.relayed.as_deref().ok_or("there is no relay")?)
    }

    async fn upload_to(&self, attachments: &str) -> Result<String> {
        let content = stream::iter(self.chunks().map(Ok::<_, std::io::Error>));
        let part = Part::stream_with_length(reqwest::Body::wrap_stream(content), self.size as u64)
            .file_name("file.bin")
            .mime_str("application/octet-stream")?;
        let answer: Value = self
            .http
            .post(attachments)
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

    async fn upload_to_service(&self) -> Result<String> {
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
        let answer = self
            .client
            .clone()
            .upload_attachment(stream::iter(requests))
            .await?;
        let stored = answer.into_inner().attachment;
        Ok(stored.ok_or("the upload was answered without an attachment")?.id)
    }

    async fn download_from(&self, attachments: &str, id: &str) -> Result<()> {
        let mut answer = self
            .http
            .get(format!("{attachments}/{id}/content"))
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

    async fn download_from_service(&self, id: &str) -> Result<()> {
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
