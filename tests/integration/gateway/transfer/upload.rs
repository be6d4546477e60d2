//! Uploads.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use chatbridge::{
    event::AuthorType,
    gateway::{
        NewAttachment, StoredAttachment, UploadError, UpstreamError,
        UpstreamErrorKind::{self, Credentials, Invalid, OutcomeUnknown, RateLimited, Timeout, Unavailable},
    },
};
use futures_util::{Stream, StreamExt, stream};
use rstest::rstest;
use tokio::{
    io::AsyncReadExt as _,
    net::TcpListener,
    sync::{Notify, mpsc},
    time::timeout,
};

use super::{BUFFERS, MIB, counted, gateway, gateway_with, impatient, settled};
use crate::gateway::{
    KEY,
    raw::{Peer, Raw, content_length},
    tenant,
};

const PROMPT: Duration = Duration::from_secs(15);
/// What the vendor says of a file that it stored.
const STORED: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n\
    {\"id\":\"a1\",\"filename\":\"f.txt\",\"sizeInBytes\":5,\"createdAt\":\"2021-01-30T08:30:00Z\"}";

fn file(size: usize) -> NewAttachment {
    NewAttachment {
        file_name: "f.txt".into(),
        media_type: "text/plain".into(),
        size_bytes: size as u64,
        author: AuthorType::User,
    }
}

fn chunks<const N: usize>(chunks: [&'static str; N]) -> impl Stream<Item = Result<Bytes, String>> {
    stream::iter(chunks.map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))))
}

/// Content that never ends by itself.
fn endless() -> impl Stream<Item = Result<Bytes, String>> {
    stream::repeat_with(|| Ok(Bytes::from_static(&[0; 4096])))
}

async fn upload(
    base: &str,
    new: &NewAttachment,
    content: impl Stream<Item = Result<Bytes, String>> + Send + 'static,
) -> Result<StoredAttachment, UploadError<String>> {
    gateway(base)
        .upload_attachment(&tenant(), "c1", new, content)
        .await
}

fn upstream<T>(result: Result<T, UploadError<String>>) -> UpstreamError {
    match result {
        Err(UploadError::Upstream(error)) => error,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it succeeded"),
    }
}

/// A server that takes what comes, then answers; and what came.
async fn taking(answer: &'static [u8]) -> (Raw, Arc<Mutex<Vec<(String, Vec<u8>)>>>) {
    let came = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&came);
    let server = Raw::start(move |mut peer| {
        let shared = Arc::clone(&shared);
        async move {
            let head = peer.read_head().await?;
            let mut body = vec![0; content_length(&head)];
            peer.stream.read_exact(&mut body).await?;
            shared.lock().unwrap().push((head, body));
            peer.write(answer).await
        }
    })
    .await;
    (server, came)
}

/// Reads to the end of a connection; answers how much of the announced body was missing, which is everything where not even the
/// head came.
async fn missing(peer: &mut Peer) -> i64 {
    let Ok(head) = peer.read_head().await else {
        return i64::MAX;
    };
    let mut rest = Vec::new();
    let _ = peer.stream.read_to_end(&mut rest).await;
    content_length(&head) as i64 - rest.len() as i64
}

/// A server that answers nothing and tells how much was missing when the client gave up.
async fn swallowing() -> (Raw, mpsc::UnboundedReceiver<i64>) {
    let (told, tells) = mpsc::unbounded_channel();
    let server = Raw::start(move |mut peer| {
        let told = told.clone();
        async move {
            told.send(missing(&mut peer).await).unwrap();
            Ok(())
        }
    })
    .await;
    (server, tells)
}

#[tokio::test]
async fn the_request_is_as_the_vendor_wants_it() {
    let (server, came) = taking(STORED).await;
    let new = NewAttachment {
        file_name: "na\u{ef}ve \"x\".txt".into(),
        author: AuthorType::Bot,
        ..file(5)
    };
    let stored = upload(&server.base, &new, chunks(["he", "", "llo"]))
        .await
        .unwrap();
    let expected = StoredAttachment {
        id: "a1".into(),
        file_name: "f.txt".into(),
        media_type: String::new(),
        size_bytes: Some(5),
        created_ms: Some(1_611_995_400_000),
    };
    assert_eq!(stored, expected);

    let came = came.lock().unwrap();
    let [(head, body)] = &came[..] else {
        panic!("{} requests", came.len());
    };
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("post /chat-gateway/v1/conversations/c1/attachments http/1.1\r\n"));
    for line in [format!("x-api-key: {KEY}"), "x-8x8-tenant: tenant01".to_owned()] {
        assert!(head.contains(&line), "no {line} in {head}");
    }
    let (_, boundary) = head
        .lines()
        .find_map(|line| {
            line.strip_prefix("content-type: multipart/form-data")?
                .split_once("boundary=")
        })
        .unwrap();
    let expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"authorType\"\r\n\r\nbot\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"attachment\"; \
         filename=\"na\u{ef}ve \\\"x\\\".txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--{boundary}--\r\n"
    );
    assert_eq!(String::from_utf8_lossy(body), expected);
}

#[rstest]
#[case("a\r\nX-Evil: 1", "text/plain", AuthorType::User)]
#[case("", "text/plain", AuthorType::User)]
#[case("f", "no media type", AuthorType::User)]
#[case("f", "text/plain\r\nX-Evil: 1", AuthorType::User)]
#[case("f", "text/plain", AuthorType::Agent)]
#[tokio::test]
async fn what_cannot_be_sent_is_refused_before(
    #[case] name: &str,
    #[case] media_type: &str,
    #[case] author: AuthorType,
) {
    let (server, _) = taking(STORED).await;
    let new = NewAttachment {
        file_name: name.into(),
        media_type: media_type.into(),
        author,
        ..file(5)
    };
    let (content, taken) = counted(5, 5);
    let error = upstream(upload(&server.base, &new, content).await);
    assert_eq!((error.kind, error.status), (Invalid, None));
    assert_eq!(server.connections(), 0);
    assert_eq!(taken.load(Ordering::SeqCst), 0);
}

#[rstest]
#[case("413 Payload Too Large", Invalid)]
#[case("401 Unauthorized", Credentials)]
#[tokio::test]
async fn an_early_refusal_is_that_refusal(
    #[case] status: &'static str,
    #[case] kind: UpstreamErrorKind,
    #[values(true, false)] closes: bool,
) {
    let server = Raw::start(move |mut peer| async move {
        peer.read_head().await?;
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 20\r\n\r\n{{\"message\":\"enough\"}}");
        peer.write(answer.as_bytes()).await?;
        if !closes {
            peer.wait_for_end().await;
        }
        Ok(())
    })
    .await;
    // The content pauses now and then, as one from a network does.
    let content = endless().then(|chunk| async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        chunk
    });
    let (dropped, mut drops) = mpsc::channel::<()>(1);
    let content = content.inspect(move |_| {
        let _held = &dropped;
    });
    let error = upstream(upload(&server.base, &file(64 * MIB), content).await);
    assert_eq!((error.kind, error.message.as_str()), (kind, "enough"));
    assert_eq!(server.connections(), 1);
    // Nobody goes on reading the content.
    assert_eq!(timeout(PROMPT, drops.recv()).await.unwrap(), None);
}

#[tokio::test]
async fn a_reset_midway_leaves_nothing_behind() {
    let server = Raw::start(|mut peer| async move {
        peer.read_head().await?;
        peer.stream.read_exact(&mut vec![0; MIB]).await?;
        peer.reset()
    })
    .await;
    let error = upstream(upload(&server.base, &file(64 * MIB), counted(64 * MIB, MIB).0).await);
    assert_eq!((error.kind, error.status), (Unavailable, None));
    // Its content is gone, so it is not repeated.
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_server_that_stops_reading_is_given_up() {
    let server = Raw::start(|mut peer| async move {
        peer.read_head().await?;
        std::future::pending().await
    })
    .await;
    let (content, taken) = counted(64 * MIB, MIB);
    let started = Instant::now();
    let result = impatient(&server.base)
        .upload_attachment(&tenant(), "c1", &file(64 * MIB), content)
        .await;
    let error = upstream(result);
    assert_eq!((error.kind, error.status), (Timeout, None));
    assert!(started.elapsed() < PROMPT);
    assert!(taken.load(Ordering::SeqCst) < BUFFERS);
}

#[tokio::test]
async fn content_that_stops_coming_is_given_up() {
    let (server, mut tells) = swallowing().await;
    let content = chunks(["he"]).chain(stream::pending());
    let result = impatient(&server.base)
        .upload_attachment(&tenant(), "c1", &file(5), content)
        .await;
    // That the vendor did not answer would be untrue.
    assert!(matches!(result, Err(UploadError::Starved)), "{result:?}");
    assert!(timeout(PROMPT, tells.recv()).await.unwrap().unwrap() >= 3);
}

#[tokio::test]
async fn an_upload_that_always_moves_ends_all_the_same() {
    let (server, mut tells) = swallowing().await;
    let content = endless().then(|chunk| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        chunk
    });
    let started = Instant::now();
    let result = gateway_with(&server.base, Duration::from_secs(20), Duration::from_millis(700))
        .upload_attachment(&tenant(), "c1", &file(64 * MIB), content)
        .await;
    assert_eq!(upstream(result).kind, Timeout);
    assert!(started.elapsed() < PROMPT);
    assert!(timeout(PROMPT, tells.recv()).await.unwrap().unwrap() > 0);
}

#[tokio::test]
async fn a_slow_upload_that_moves_is_not_given_up() {
    let (server, came) = taking(STORED).await;
    let content = chunks(["h", "e", "l", "l", "o"]).then(|chunk| async {
        tokio::time::sleep(Duration::from_millis(120)).await;
        chunk
    });
    let result = impatient(&server.base)
        .upload_attachment(&tenant(), "c1", &file(5), content)
        .await;
    assert_eq!(result.unwrap().id, "a1");
    assert_eq!(came.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn content_that_fails_breaks_the_request_off() {
    let (server, mut tells) = swallowing().await;
    let content = chunks(["he"]).chain(stream::iter([Err("the caller is gone".to_owned())]));
    match upload(&server.base, &file(5), content).await {
        Err(UploadError::Content(error)) => assert_eq!(error, "the caller is gone"),
        other => panic!("{other:?}"),
    }
    assert!(timeout(PROMPT, tells.recv()).await.unwrap().unwrap() > 0);
}

#[rstest]
#[case::fewer(8, 5)]
#[case::none(1, 0)]
#[case::more(3, 5)]
#[tokio::test]
async fn content_of_another_size_breaks_the_request_off(#[case] announced: usize, #[case] comes: usize) {
    let (server, mut tells) = swallowing().await;
    match upload(&server.base, &file(announced), counted(comes, comes.max(1)).0).await {
        Err(UploadError::Length { expected, got }) => {
            assert_eq!((expected, got), (announced as u64, comes as u64));
        }
        other => panic!("{other:?}"),
    }
    assert!(timeout(PROMPT, tells.recv()).await.unwrap().unwrap() > 0);
}

#[tokio::test]
async fn hanging_up_breaks_the_request_off() {
    let (server, mut tells) = swallowing().await;
    let started = Arc::new(Notify::new());
    let told = Arc::clone(&started);
    let content = chunks(["he"]).chain(stream::once(async move {
        told.notify_one();
        std::future::pending().await
    }));
    let base = server.base.clone();
    let call = tokio::spawn(async move { upload(&base, &file(5), content).await });
    timeout(PROMPT, started.notified()).await.unwrap();
    call.abort();
    assert!(timeout(PROMPT, tells.recv()).await.unwrap().unwrap() >= 3);
}

#[rstest]
#[tokio::test]
async fn an_answer_that_is_lost_leaves_it_open(#[values(true, false)] resets: bool) {
    let server = Raw::start(move |mut peer| async move {
        peer.read_request().await?;
        if resets {
            peer.reset()
        } else {
            std::future::pending().await
        }
    })
    .await;
    let result = impatient(&server.base)
        .upload_attachment(&tenant(), "c1", &file(5), chunks(["hello"]))
        .await;
    let error = upstream(result);
    assert_eq!((error.kind, error.status), (OutcomeUnknown, None));
    assert_eq!(server.requests(), 1);
}

#[rstest]
#[case(
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
    OutcomeUnknown
)]
#[case(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n", RateLimited)]
#[case(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", OutcomeUnknown)]
#[case(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n{}", OutcomeUnknown)]
#[case(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", Invalid)]
#[tokio::test]
async fn it_is_sent_once_whatever_comes_of_it(
    #[case] answer: &'static [u8],
    #[case] kind: UpstreamErrorKind,
) {
    let (server, came) = taking(answer).await;
    let error = upstream(upload(&server.base, &file(5), chunks(["hello"])).await);
    assert_eq!(error.kind, kind);
    assert_eq!(came.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn nothing_is_taken_where_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (content, taken) = counted(5, 5);
    let error = upstream(upload(&base, &file(5), content).await);
    assert_eq!((error.kind, error.status), (Unavailable, None));
    assert_eq!(taken.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_server_that_dawdles_holds_the_content_back() {
    let go_on = Arc::new(Notify::new());
    let gate = Arc::clone(&go_on);
    let server = Raw::start(move |mut peer| {
        let gate = Arc::clone(&gate);
        async move {
            let head = peer.read_head().await?;
            peer.stream.read_exact(&mut vec![0; MIB]).await?;
            gate.notified().await;
            let mut left = content_length(&head) - MIB;
            let mut buffer = vec![0; MIB];
            while left > 0 {
                left -= peer.stream.read(&mut buffer).await?;
            }
            peer.write(STORED).await
        }
    })
    .await;
    let (content, taken) = counted(64 * MIB, 256 * 1024);
    let base = server.base.clone();
    let call = tokio::spawn(async move { upload(&base, &file(64 * MIB), content).await });
    let held = settled(|| taken.load(Ordering::SeqCst)).await;
    assert!(held >= MIB, "{held}");
    assert!(
        held < MIB + BUFFERS,
        "{held} bytes were taken while nobody read them"
    );
    go_on.notify_one();
    assert_eq!(
        timeout(Duration::from_secs(60), call)
            .await
            .unwrap()
            .unwrap()
            .unwrap()
            .id,
        "a1"
    );
    assert_eq!(taken.load(Ordering::SeqCst), 64 * MIB);
}
