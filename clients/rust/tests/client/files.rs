use std::{io, sync::atomic::Ordering};

use bytes::Bytes;
use chatbridge_client::{Content, Error, v1};
use futures_util::TryStreamExt as _;
use prost::Message as _;
use tokio::{io::AsyncReadExt as _, sync::mpsc};
use tonic::Code;

use crate::fake::{all, failure, quick, serve, status};

/// The sizes of what was uploaded, and of each piece; `None`: the call broke off.
async fn pieces(mut call: crate::fake::Call) -> Option<(v1::UploadAttachmentStart, Vec<usize>)> {
    use v1::upload_attachment_request::Part;

    let (mut begin, mut sizes) = (None, Vec::new());
    while let Some(message) = call.messages.message().await.ok()? {
        match v1::UploadAttachmentRequest::decode(message).unwrap().part {
            Some(Part::Start(start)) => begin = Some(start),
            Some(Part::Chunk(chunk)) => sizes.push(chunk.len()),
            None => {}
        }
    }
    if call.cancelled.load(Ordering::SeqCst) {
        return None;
    }
    Some((begin?, sizes))
}

#[tokio::test]
async fn a_file_goes_out_in_pieces() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let target = serve(move |call| {
        let tell = tell.clone();
        async move {
            tell.send(pieces(call).await).unwrap();
            all([v1::UploadAttachmentResponse::default()])
        }
    })
    .await;
    let client = quick(&target).connect().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("photo.png");
    std::fs::write(&path, vec![7; 300_000]).unwrap();

    client
        .upload_attachment(v1::UploadAttachmentStart::default(), Content::path(&path))
        .await
        .unwrap();

    let (start, sizes) = told.recv().await.unwrap().unwrap();
    assert_eq!((&*start.file_name, start.size_bytes), ("photo.png", 300_000));
    assert_eq!(start.request_id.len(), 36);
    assert_eq!(sizes.iter().sum::<usize>(), 300_000);
    assert!(sizes.iter().all(|size| *size <= 256 * 1024), "{sizes:?}");

    client
        .upload_attachment(
            v1::UploadAttachmentStart::default(),
            Content::bytes(vec![7; 600_000]),
        )
        .await
        .unwrap();
    assert_eq!(told.recv().await.unwrap().unwrap().1, [262_144, 262_144, 75_712]);
}

#[tokio::test]
async fn what_a_source_raises_ends_the_call() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let target = serve(move |call| {
        let tell = tell.clone();
        async move {
            tell.send(pieces(call).await.is_none()).unwrap();
            all([v1::UploadAttachmentResponse::default()])
        }
    })
    .await;
    let client = quick(&target).connect().await.unwrap();
    let broken = tokio_util::io::StreamReader::new(futures_util::stream::iter([
        Ok(Bytes::from_static(b"beginning")),
        Err(io::Error::other("the disk is gone")),
    ]));

    let error = client
        .upload_attachment(v1::UploadAttachmentStart::default(), Content::reader(broken))
        .await
        .unwrap_err();

    assert!(
        matches!(&error, Error::File(cause) if cause.to_string() == "the disk is gone"),
        "{error}"
    );
    assert!(
        told.recv().await.unwrap(),
        "the server takes the beginning for the whole"
    );
}

#[tokio::test]
async fn an_upload_that_the_server_ends_raises_its_error() {
    let target = serve(|_| async { failure(status(Code::InvalidArgument, "INVALID_FIELD", None)) }).await;
    let client = quick(&target).connect().await.unwrap();

    let error = client
        .upload_attachment(
            v1::UploadAttachmentStart::default(),
            Content::reader(tokio::io::repeat(7)),
        )
        .await
        .unwrap_err();

    assert_eq!(
        (error.code(), error.reason()),
        (Code::InvalidArgument, "INVALID_FIELD")
    );
}

#[tokio::test]
async fn a_download_is_read_or_written_whole() {
    use v1::download_attachment_response::Part;

    let part = |part| v1::DownloadAttachmentResponse { part: Some(part) };
    let target = serve(move |call| async move {
        let start = part(Part::Start(v1::Attachment {
            id: "a1".to_owned(),
            ..Default::default()
        }));
        let answer = all([
            start,
            part(Part::Chunk("he".into())),
            part(Part::Chunk("llo".into())),
        ]);
        // The third download breaks.
        if call.number == 2 {
            Box::pin(futures_util::StreamExt::chain(
                answer,
                failure(tonic::Status::internal("broke")),
            ))
        } else {
            answer
        }
    })
    .await;
    let client = quick(&target).connect().await.unwrap();
    let request = v1::DownloadAttachmentRequest::default;

    let download = client.download_attachment(request()).await.unwrap();
    assert_eq!(download.attachment().id, "a1");
    let mut text = String::new();
    let mut reader = Box::pin(download.into_reader());
    reader.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "hello");

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy.txt");
    client.download_attachment_to(request(), &path).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"hello");

    std::fs::write(&path, "old").unwrap();
    client.download_attachment_to(request(), &path).await.unwrap_err();
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(
        std::fs::read_dir(directory.path()).unwrap().count(),
        1,
        "something is left of the download"
    );

    let pieces: Vec<Bytes> = client
        .download_attachment(request())
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(pieces, ["he", "llo"]);
}
