//! Large files through a service of its own process, whose memory can be read.

use std::time::Duration;

use chatbridge::{
    grpc::proto::{
        AuthorType, CreateConversationRequest, DownloadAttachmentRequest, UploadAttachmentRequest,
        UploadAttachmentStart, User, download_attachment_response, upload_attachment_request::Part,
    },
    sandbox::Pace,
};
use futures_util::stream;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Code;

use crate::support::{
    service::Service,
    stage::{CHANNEL, Stage},
};

const MIB: usize = 1 << 20;
const FILE_BYTES: usize = 100 * MIB;
const CHUNK_BYTES: usize = 64 << 10;
const GROWTH_MAX: u64 = 16 << 20;

/// The service straight before the sandbox: the proxy would hold whole bodies.
async fn direct(stage: &Stage) -> Service {
    stage.replica(&[("gateway_url", &stage.sandbox)]).await
}

async fn conversation(service: &Service) -> String {
    let request = CreateConversationRequest {
        channel_id: CHANNEL.into(),
        user: Some(User {
            user_id: "u".into(),
            ..User::default()
        }),
        ..CreateConversationRequest::default()
    };
    let created = service.conversations().await.create_conversation(request).await;
    created.unwrap().into_inner().conversation_id
}

fn start(conversation: &str, size: usize) -> UploadAttachmentRequest {
    let start = UploadAttachmentStart {
        conversation_id: conversation.into(),
        file_name: "film.bin".into(),
        size_bytes: i64::try_from(size).unwrap(),
        author_type: AuthorType::User.into(),
        ..UploadAttachmentStart::default()
    };
    UploadAttachmentRequest {
        part: Some(Part::Start(start)),
    }
}

fn chunks(size: usize) -> impl Iterator<Item = UploadAttachmentRequest> + Send + 'static {
    // Each chunk differs, so that order and loss show.
    (0..size / CHUNK_BYTES).map(|n| UploadAttachmentRequest {
        part: Some(Part::Chunk(content(n))),
    })
}

fn content(n: usize) -> bytes::Bytes {
    let mut chunk = vec![u8::try_from(n % 251).unwrap(); CHUNK_BYTES];
    chunk[..8].copy_from_slice(&(n as u64).to_be_bytes());
    chunk.into()
}

#[tokio::test]
async fn a_hundred_megabytes_go_up_and_down_in_a_service_that_stays_small() {
    let stage = Stage::start(Pace::scaled(100.0).unwrap(), &[]).await;
    let service = direct(&stage).await;
    let id = conversation(&service).await;
    let mut files = stage.attachments_of(&service).await;

    // A small file first: what is needed once is there by then.
    let small = std::iter::once(start(&id, CHUNK_BYTES)).chain(chunks(CHUNK_BYTES));
    files.upload_attachment(stream::iter(small)).await.unwrap();
    let (before, _) = service.memory();

    let large = std::iter::once(start(&id, FILE_BYTES)).chain(chunks(FILE_BYTES));
    let uploaded = files.upload_attachment(stream::iter(large)).await.unwrap();
    let uploaded = uploaded.into_inner().attachment.unwrap();
    assert_eq!(uploaded.size_bytes, i64::try_from(FILE_BYTES).unwrap());
    let (_, most) = service.memory();
    assert!(
        most < before + GROWTH_MAX,
        "the upload took {} MiB",
        (most - before) / MIB as u64
    );

    let request = DownloadAttachmentRequest {
        conversation_id: id,
        attachment_id: uploaded.id,
        ..DownloadAttachmentRequest::default()
    };
    let mut answers = files.download_attachment(request).await.unwrap().into_inner();
    let (mut received, mut expected) = (0, bytes::Bytes::new());
    while let Some(answer) = answers.message().await.unwrap() {
        let Some(download_attachment_response::Part::Chunk(mut chunk)) = answer.part else {
            continue;
        };
        while !chunk.is_empty() {
            if expected.is_empty() {
                expected = content(received / CHUNK_BYTES);
            }
            let both = chunk.len().min(expected.len());
            let (came, wanted) = (chunk.split_to(both), expected.split_to(both));
            assert_eq!(came, wanted, "the file differs after {received} bytes");
            received += both;
        }
    }
    assert_eq!(received, FILE_BYTES);
    let (_, most) = service.memory();
    assert!(
        most < before + GROWTH_MAX,
        "both took {} MiB",
        (most - before) / MIB as u64
    );
}

#[tokio::test]
async fn a_reader_who_stops_reading_holds_the_download_back() {
    let stage = Stage::start(Pace::scaled(100.0).unwrap(), &[]).await;
    let service = direct(&stage).await;
    let id = conversation(&service).await;
    let mut files = stage.attachments_of(&service).await;
    let size = 40 * MIB;
    let all = std::iter::once(start(&id, size)).chain(chunks(size));
    let uploaded = files.upload_attachment(stream::iter(all)).await.unwrap();
    let (before, _) = service.memory();
    let request = DownloadAttachmentRequest {
        conversation_id: id,
        attachment_id: uploaded.into_inner().attachment.unwrap().id,
        ..DownloadAttachmentRequest::default()
    };
    let mut answers = files.download_attachment(request).await.unwrap().into_inner();
    answers.message().await.unwrap();
    // Long enough for the whole file to come, if nothing held it back.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (now, _) = service.memory();
    assert!(
        now < before + GROWTH_MAX,
        "{} MiB wait for their reader",
        now.saturating_sub(before) / MIB as u64
    );
}

#[tokio::test]
async fn callers_may_send_a_piece_of_256_kib_in_one_frame() {
    const MAX_FRAME_SIZE: u16 = 5;
    let service = Service::start(&[("tenant", "acme"), ("api_key", "key"), ("redis_url", "memory:")]).await;
    let mut connection = TcpStream::connect(service.grpc.trim_start_matches("http://"))
        .await
        .unwrap();
    // The preface, and settings without an entry.
    let hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    connection.write_all(hello).await.unwrap();
    let mut head = [0; 9];
    connection.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4, "settings come first");
    let mut settings = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
    connection.read_exact(&mut settings).await.unwrap();
    let allowed = settings
        .chunks_exact(6)
        .find(|entry| entry[..2] == MAX_FRAME_SIZE.to_be_bytes())
        .map(|entry| u32::from_be_bytes([entry[2], entry[3], entry[4], entry[5]]));
    // With what goes before it in its message.
    assert_eq!(allowed, Some((256 << 10) + 1024));
}

#[tokio::test]
async fn a_stream_that_breaks_the_rules_stores_nothing() {
    let limit = ("attachment_max_bytes", "100000");
    let stage = Stage::start(Pace::scaled(100.0).unwrap(), &[limit]).await;
    let id = conversation(&stage.service).await;
    let chunk = |bytes: usize| UploadAttachmentRequest {
        part: Some(Part::Chunk(vec![7; bytes].into())),
    };
    let nothing = UploadAttachmentRequest { part: None };
    let cases = [
        ("no message at all", vec![]),
        ("no start", vec![chunk(5)]),
        ("an empty message", vec![nothing.clone()]),
        ("an empty message later", vec![start(&id, 5), nothing]),
        ("too few bytes", vec![start(&id, 5), chunk(4)]),
        ("too many bytes", vec![start(&id, 5), chunk(6)]),
        ("a second start", vec![start(&id, 5), start(&id, 5), chunk(5)]),
        ("no bytes", vec![start(&id, 0)]),
        ("a file over the limit", vec![start(&id, 100_001), chunk(100_001)]),
        (
            "a chunk over the limit",
            vec![start(&id, 100_000), chunk(MIB + 1)],
        ),
    ];
    for (what, requests) in cases {
        let answer = stage
            .attachments()
            .upload_attachment(stream::iter(requests))
            .await;
        let status = answer.expect_err(what);
        assert_eq!(status.code(), Code::InvalidArgument, "{what}: {status:?}");
    }
    let stored = stage.count(&format!("/conversations/{id}/attachments")).await;
    assert_eq!(stored, 0);
}
