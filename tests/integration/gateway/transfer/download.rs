//! Downloads.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chatbridge::gateway::{
    Download, Gateway, StoredAttachment, UpstreamError,
    UpstreamErrorKind::{
        self, Credentials, NotFound, RateLimited, Throttled, Timeout, Unavailable, Unexpected,
    },
};
use futures_util::StreamExt;
use metrics_exporter_prometheus::PrometheusBuilder;
use rstest::rstest;
use tokio::{sync::mpsc, time::timeout};

use super::{BUFFERS, MIB, SHORT, gateway, gateway_with, impatient, settled};
use crate::gateway::{Op, raw::Raw, tenant};

const PROMPT: Duration = Duration::from_secs(15);
const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

async fn open(gateway: &Gateway) -> Result<Download, UpstreamError> {
    gateway.download_attachment(&tenant(), "c1", "a1").await
}

/// All bytes of a file, and how it ended. After an error nothing comes.
async fn read(mut download: Download) -> (Vec<u8>, Result<(), UpstreamError>) {
    let mut bytes = Vec::new();
    while let Some(item) = download.content.next().await {
        match item {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(error) => {
                assert!(download.content.next().await.is_none());
                return (bytes, Err(error));
            }
        }
    }
    (bytes, Ok(()))
}

/// A server that gives each request this answer, then hangs up or keeps still.
async fn answering(answer: &'static [u8], hangs_up: bool) -> Raw {
    Raw::start(move |mut peer| async move {
        peer.read_request().await?;
        peer.write(answer).await?;
        if !hangs_up {
            peer.wait_for_end().await;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_file_is_described_and_comes_whole() {
    let (told, mut tells) = mpsc::unbounded_channel();
    let server = Raw::start(move |mut peer| {
        let told = told.clone();
        async move {
            told.send(peer.read_head().await?).unwrap();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-disposition: \
                attachment; filename=\"../x\"; filename*=UTF-8''..%2Fna%C3%AFve.txt\r\ncontent-length: 5\r\n\r\nhello";
            peer.write(head.as_bytes()).await
        }
    })
    .await;
    let download = open(&gateway(&server.base)).await.unwrap();
    let expected = StoredAttachment {
        id: "a1".into(),
        file_name: "na\u{ef}ve.txt".into(),
        media_type: "text/plain; charset=utf-8".into(),
        size_bytes: Some(5),
        created_ms: None,
    };
    assert_eq!(download.attachment, expected);
    assert_eq!(read(download).await, (b"hello".to_vec(), Ok(())));
    let head = tells.recv().await.unwrap().to_ascii_lowercase();
    assert!(
        head.starts_with("get /chat-gateway/v1/conversations/c1/attachments/a1/content http/1.1\r\n"),
        "{head}"
    );
    for line in ["accept: */*\r\n", "x-8x8-tenant: tenant01\r\n"] {
        assert!(head.contains(line), "no {line} in {head}");
    }
}

#[tokio::test]
async fn what_is_not_said_is_not_known() {
    let answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let server = answering(answer, false).await;
    let download = open(&gateway(&server.base)).await.unwrap();
    let expected = StoredAttachment {
        id: "a1".into(),
        ..StoredAttachment::default()
    };
    assert_eq!(download.attachment, expected);
    assert_eq!(read(download).await, (b"hello".to_vec(), Ok(())));
}

#[rstest]
#[case(
    b"HTTP/1.1 404 Not Found\r\ncontent-length: 16\r\n\r\n{\"message\":\"no\"}",
    NotFound
)]
#[case(
    b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 16\r\n\r\n{\"message\":\"no\"}",
    Credentials
)]
#[case(
    b"HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 16\r\n\r\n{\"message\":\"no\"}",
    Unexpected
)]
#[tokio::test]
async fn refusals_are_as_for_any_read(#[case] answer: &'static [u8], #[case] kind: UpstreamErrorKind) {
    let server = answering(answer, true).await;
    let error = open(&gateway(&server.base)).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (kind, "no"));
    assert_eq!(server.requests(), 1);
}

#[rstest]
#[case(b"HTTP/1.1 204 No Content\r\n\r\n")]
#[case(b"HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\n\r\nhello")]
#[tokio::test]
async fn a_success_without_the_file_is_none(#[case] answer: &'static [u8]) {
    let server = answering(answer, true).await;
    assert_eq!(open(&gateway(&server.base)).await.unwrap_err().kind, Unexpected);
}

#[rstest]
#[case::short(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", true)]
#[case::chunk_cut(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", true)]
#[case::stalled(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", false)]
#[tokio::test]
async fn a_file_that_does_not_come_whole_ends_with_an_error(
    #[case] answer: &'static [u8],
    #[case] hangs_up: bool,
) {
    let server = answering(answer, hangs_up).await;
    let started = Instant::now();
    let (bytes, end) = read(open(&impatient(&server.base)).await.unwrap()).await;
    assert_eq!(bytes, b"hello");
    let error = end.unwrap_err();
    assert_eq!((error.kind, error.status), (Unavailable, Some(200)));
    assert!(started.elapsed() < PROMPT);
    // Part of it was passed on, so it is not begun again.
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_reset_midway_ends_with_an_error() {
    let server = Raw::start(|mut peer| async move {
        peer.read_request().await?;
        peer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello")
            .await?;
        // The beginning is to arrive before the reset, which would overtake it.
        tokio::time::sleep(Duration::from_millis(200)).await;
        peer.reset()
    })
    .await;
    let (bytes, end) = read(open(&gateway(&server.base)).await.unwrap()).await;
    assert_eq!(bytes, b"hello");
    assert_eq!(end.unwrap_err().kind, Unavailable);
}

#[tokio::test]
async fn a_file_that_drips_may_take_as_long_as_is_set_and_no_longer() {
    let server = Raw::start(|mut peer| async move {
        peer.read_request().await?;
        peer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
            .await?;
        loop {
            peer.write(b"x").await?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let total = Duration::from_millis(1500);
    let started = Instant::now();
    let (bytes, end) = read(open(&gateway_with(&server.base, SHORT, total)).await.unwrap()).await;
    assert!(bytes.len() > 5, "{}", bytes.len());
    assert_eq!(end.unwrap_err().kind, Timeout);
    assert!(started.elapsed() >= total && started.elapsed() < PROMPT);
}

#[tokio::test]
async fn the_callers_deadline_ends_it() {
    let server = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", false).await;
    let deadline = tokio::time::Instant::now() + SHORT;
    let gateway = gateway(&server.base).within(Some(deadline));
    let (_, end) = read(open(&gateway).await.unwrap()).await;
    assert_eq!(end.unwrap_err().kind, Timeout);
    assert!(tokio::time::Instant::now() < deadline + PROMPT);
}

#[tokio::test]
async fn opening_is_repeated_as_any_read() {
    let count = Arc::new(AtomicUsize::new(0));
    let server = Raw::start(move |mut peer| {
        let n = count.fetch_add(1, Ordering::SeqCst);
        async move {
            peer.read_request().await?;
            match n {
                0 => peer.reset(),
                1 => {
                    let answer =
                        b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
                    peer.write(answer).await
                }
                _ => peer.write(HELLO).await,
            }
        }
    })
    .await;
    let download = open(&gateway(&server.base)).await.unwrap();
    assert_eq!(read(download).await, (b"hello".to_vec(), Ok(())));
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_the_callers() {
    let answer = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n";
    let server = answering(answer, false).await;
    let error = open(&gateway(&server.base)).await.unwrap_err();
    assert_eq!(error.kind, RateLimited);
    assert_eq!(error.retry_after, Some(Duration::from_secs(60)));
}

#[tokio::test]
async fn a_place_is_held_until_the_file_is_over() {
    let server = Raw::start(|mut peer| async move {
        loop {
            peer.read_request().await?;
            peer.write(HELLO).await?;
        }
    })
    .await;
    let gateway = gateway(&server.base);
    let soon = || gateway.within(Some(tokio::time::Instant::now() + SHORT));
    let download = open(&gateway).await.unwrap();
    assert_eq!(Op::End.call(&soon(), "c1").await.unwrap_err().kind, Throttled);
    read(download).await.1.unwrap();
    Op::End.call(&soon(), "c1").await.unwrap();
    // So it is when nobody wants the rest.
    let download = open(&gateway).await.unwrap();
    assert_eq!(Op::End.call(&soon(), "c1").await.unwrap_err().kind, Throttled);
    drop(download);
    Op::End.call(&soon(), "c1").await.unwrap();
}

#[tokio::test]
async fn a_reader_that_dawdles_holds_the_vendor_back() {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let server = Raw::start(move |mut peer| {
        let ended = ended.clone();
        async move {
            peer.read_request().await?;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 64 * MIB);
            peer.write(head.as_bytes()).await?;
            let mut result = Ok(());
            for n in 0..64 * 16 {
                result = peer.write(&vec![n as u8; MIB / 16]).await;
                if result.is_err() {
                    break;
                }
            }
            ended.send(result.is_ok()).unwrap();
            Ok(())
        }
    })
    .await;
    let gateway = gateway(&server.base);
    let mut download = open(&gateway).await.unwrap();
    let mut came = download.content.next().await.unwrap().unwrap().len();
    let held = settled(|| server.written()).await;
    assert!(held < BUFFERS, "{held} bytes were sent while nobody read them");
    while let Some(chunk) = download.content.next().await {
        came += chunk.unwrap().len();
    }
    assert_eq!(came, 64 * MIB);
    assert_eq!(timeout(PROMPT, ends.recv()).await.unwrap(), Some(true));

    // Whoever drops it hangs up.
    let mut download = open(&gateway).await.unwrap();
    download.content.next().await.unwrap().unwrap();
    drop(download);
    assert_eq!(timeout(PROMPT, ends.recv()).await.unwrap(), Some(false));
}

#[tokio::test]
async fn a_download_is_counted_when_it_is_over() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let server = answering(HELLO, true).await;
    let gateway = gateway(&server.base);
    let download = open(&gateway).await.unwrap();
    assert!(!metrics.render().contains("outcome=\"success\""));
    read(download).await.1.unwrap();
    drop(open(&gateway).await.unwrap());
    let broken = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", true).await;
    let (_, end) = read(open(&super::gateway(&broken.base)).await.unwrap()).await;
    end.unwrap_err();
    let text = metrics.render();
    for outcome in ["success", "cancelled", "unavailable"] {
        let line = format!(
            "chatbridge_upstream_requests_total{{operation=\"download_attachment\",outcome=\"{outcome}\"}} 1"
        );
        assert!(text.contains(&line), "no {line} in\n{text}");
    }
}
