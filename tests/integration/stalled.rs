//! A vendor that does not take files, and what that does to everything else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chatbridge::grpc::proto::{
    AuthorType, GetConversationRequest, UploadAttachmentRequest, UploadAttachmentStart,
    attachment_service_client::AttachmentServiceClient,
    conversation_service_client::ConversationServiceClient, upload_attachment_request::Part,
};
use futures_util::stream;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::support::service::{PATIENCE, Service, eventually};

const CHUNK_BYTES: usize = 64 << 10;
const FILE_BYTES: usize = 64 << 20;
/// More than would fit into the window of the connection if each filled it to a quarter.
const UPLOADS: usize = 12;

/// Answers whatever it is asked, and never reads a file.
async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    const CONVERSATION: &[u8] =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{\"id\":\"c1\"}";
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        if head.starts_with(b"POST") {
            std::future::pending::<()>().await;
        }
        stream.write_all(CONVERSATION).await?;
    }
}

async fn vendor() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    base
}

/// A large file whose pieces are counted as they are taken.
fn file(taken: Arc<AtomicUsize>) -> impl Iterator<Item = UploadAttachmentRequest> + Send + 'static {
    let start = UploadAttachmentStart {
        conversation_id: "c1".into(),
        file_name: "film.bin".into(),
        size_bytes: i64::try_from(FILE_BYTES).unwrap(),
        author_type: AuthorType::User.into(),
        ..UploadAttachmentStart::default()
    };
    let chunks = (0..FILE_BYTES / CHUNK_BYTES).map(move |_| {
        taken.fetch_add(1, Ordering::Relaxed);
        Part::Chunk(vec![7; CHUNK_BYTES].into())
    });
    std::iter::once(Part::Start(start))
        .chain(chunks)
        .map(|part| UploadAttachmentRequest { part: Some(part) })
}

#[tokio::test]
async fn uploads_that_stand_still_hold_up_no_other_call_of_their_connection() {
    let vendor = vendor().await;
    let service = Service::start(&[
        ("gateway_url", vendor.as_str()),
        ("gateway_timeout_ms", "60000"),
        ("tenant", "acme"),
        ("api_key", "key"),
        ("redis_url", "memory:"),
    ])
    .await;
    let channel = service.channel().await;
    let taken = Arc::new(AtomicUsize::new(0));
    let uploads: Vec<_> = (0..UPLOADS)
        .map(|_| {
            let mut files = AttachmentServiceClient::new(channel.clone());
            let taken = Arc::clone(&taken);
            tokio::spawn(async move { files.upload_attachment(stream::iter(file(taken))).await })
        })
        .collect();
    let mut before = 0;
    eventually("the uploads stand still", async || {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = taken.load(Ordering::Relaxed);
        let stands_still = now > 0 && now == before;
        before = now;
        stands_still.then_some(())
    })
    .await;
    assert!(uploads.iter().all(|upload| !upload.is_finished()));

    let mut conversations = ConversationServiceClient::new(channel);
    let request = GetConversationRequest {
        conversation_id: "c1".into(),
        ..GetConversationRequest::default()
    };
    let answer = tokio::time::timeout(PATIENCE, conversations.get_conversation(request)).await;
    answer.expect("the call is not held up").unwrap();
}
