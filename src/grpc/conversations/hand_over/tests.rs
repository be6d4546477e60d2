use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use rstest::rstest;
use tokio_stream::wrappers::ReceiverStream;

use super::*;
use crate::{
    gateway::{StoredAttachment, UpstreamError, UpstreamErrorKind},
    grpc::proto::{AuthorType, HandOver, HandOverFile, hand_over_conversation_request::Part},
};

const LIMITS: FileLimits = FileLimits {
    bytes_max: 100,
    time: Duration::from_secs(20),
};

type Item = Result<HandOverConversationRequest, Status>;

#[allow(clippy::unnecessary_wraps, reason = "an item of a stream")]
fn part(part: Part) -> Item {
    Ok(HandOverConversationRequest { part: Some(part) })
}

fn file(name: &str, size_bytes: i64) -> Item {
    part(Part::File(HandOverFile {
        file_name: name.into(),
        size_bytes,
        author_type: AuthorType::Bot.into(),
        text: format!("here is {name}"),
        ..HandOverFile::default()
    }))
}

fn chunk(bytes: &'static str) -> Item {
    part(Part::Chunk(Bytes::from_static(bytes.as_bytes())))
}

fn start() -> Item {
    part(Part::Start(HandOver::default()))
}

fn uploaded(id: &str) -> FileOutcome {
    FileOutcome {
        attachment: Some(StoredAttachment {
            id: id.into(),
            ..StoredAttachment::default()
        }),
        message_accepted: true,
        error: None,
    }
}

fn failed() -> FileOutcome {
    FileOutcome {
        attachment: None,
        message_accepted: false,
        error: Some(UpstreamError::new(UpstreamErrorKind::Unavailable, "down").into()),
    }
}

/// An upload that reads everything and notes it.
async fn read_all(
    seen: &Mutex<Vec<String>>,
    n: usize,
    text: String,
    mut content: Content,
) -> Result<FileOutcome, Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = content.next().await {
        bytes.extend_from_slice(&piece?);
    }
    let bytes = String::from_utf8(bytes).unwrap();
    seen.lock().unwrap().push(format!("{n}: {text}: {bytes}"));
    Ok(uploaded(&format!("att-{n}")))
}

/// What `files` makes of a stream, and what each upload saw.
async fn run(items: Vec<Item>) -> (Result<Vec<proto::HandOverFileResult>, Error>, Vec<String>) {
    let seen = Mutex::new(Vec::new());
    let mut parts = Parts::new(stream::iter(items));
    let results = files(&mut parts, LIMITS, |n, _, text, content| {
        read_all(&seen, n, text, content)
    })
    .await;
    (results, seen.into_inner().unwrap())
}

#[tokio::test]
async fn each_file_gets_its_own_bytes() {
    let (results, seen) = run(vec![
        file("a", 3),
        chunk("ab"),
        chunk(""),
        chunk("c"),
        file("b", 1),
        chunk("d"),
    ])
    .await;
    assert_eq!(seen, ["0: here is a: abc", "1: here is b: d"]);
    let results = results.unwrap();
    let told: Vec<(&str, &str, bool, &str)> = results
        .iter()
        .map(|r| {
            let id = r.attachment.as_ref().unwrap().id.as_str();
            (
                r.file_name.as_str(),
                id,
                r.message_accepted,
                r.error_reason.as_str(),
            )
        })
        .collect();
    assert_eq!(told, [("a", "att-0", true, ""), ("b", "att-1", true, "")]);
}

#[tokio::test]
async fn a_hand_over_may_have_no_files() {
    let (results, seen) = run(vec![]).await;
    assert!(results.unwrap().is_empty() && seen.is_empty());
}

#[rstest]
#[case::too_few_before_the_end(vec![file("a", 3), chunk("ab")], "file.size_bytes")]
#[case::too_few_before_the_next(vec![file("a", 3), chunk("ab"), file("b", 1), chunk("c")], "file.size_bytes")]
#[case::too_many_in_a_piece(vec![file("a", 3), chunk("abcd")], "file.size_bytes")]
#[case::too_many_behind_it(vec![file("a", 1), chunk("a"), chunk("b")], "chunk")]
#[case::bytes_of_no_file(vec![chunk("a")], "chunk")]
#[case::a_second_start(vec![start()], "start")]
#[case::a_second_start_within_a_file(vec![file("a", 2), chunk("a"), start()], "start")]
#[case::a_file_without_a_name(vec![file("", 1), chunk("a")], "file.file_name")]
#[case::a_file_over_the_limit(vec![file("a", 101)], "file.size_bytes")]
#[case::nothing_said(vec![Ok(HandOverConversationRequest { part: None })], "part")]
#[case::an_endless_message(vec![file("a", 2), Err(Status::out_of_range(""))], "chunk")]
#[case::an_endless_file(vec![Err(Status::out_of_range(""))], "file")]
#[tokio::test]
async fn a_stream_that_breaks_the_rules_fails(#[case] items: Vec<Item>, #[case] field: &str) {
    let (results, _) = run(items).await;
    let Err(Error::Invalid(named)) = results else {
        panic!("{results:?}");
    };
    assert_eq!(named[0].field, field, "{}", named[0].problem);
}

#[tokio::test]
async fn a_mistake_says_in_which_file_it_is() {
    for items in [
        vec![file("a", 1), chunk("a"), file("", 1), chunk("b")],
        vec![file("a", 1), chunk("a"), file("b", 2), chunk("b")],
    ] {
        let (results, _) = run(items).await;
        let Err(Error::Invalid(named)) = results else {
            panic!("{results:?}");
        };
        assert!(named[0].problem.contains("(file 2 "), "{}", named[0].problem);
    }
}

#[tokio::test]
async fn fifty_files_are_taken_and_no_more() {
    let items = |count: usize| {
        (0..count)
            .flat_map(|_| [file("a", 1), chunk("a")])
            .collect::<Vec<_>>()
    };
    assert_eq!(run(items(50)).await.0.unwrap().len(), 50);
    let (refused, seen) = run(items(51)).await;
    assert!(matches!(refused, Err(Error::Invalid(named)) if named[0].field == "file"));
    assert_eq!(seen.len(), 50);
}

#[tokio::test]
async fn a_mistake_within_a_file_reaches_its_upload() {
    let told = AtomicBool::new(false);
    let mut parts = Parts::new(stream::iter(vec![
        file("a", 3),
        chunk("ab"),
        Err(Status::unknown("reset")),
    ]));
    let results = files(&mut parts, LIMITS, |_, _, _, mut content| {
        let told = &told;
        async move {
            while let Some(piece) = content.next().await {
                told.store(piece.is_err(), Ordering::Relaxed);
                piece?;
            }
            Ok(uploaded("a"))
        }
    })
    .await;
    assert!(matches!(results, Err(Error::CallerGone)));
    assert!(
        told.load(Ordering::Relaxed),
        "an upload must not take the end for the whole"
    );
}

#[tokio::test]
async fn the_rest_of_a_file_that_failed_is_passed_over_and_the_next_one_goes_on() {
    let seen = Mutex::new(Vec::new());
    let mut items = vec![file("a", 100)];
    items.extend((0..50).map(|_| chunk("xy")));
    items.extend([file("b", 1), chunk("d")]);
    let mut parts = Parts::new(stream::iter(items));
    let results = files(&mut parts, LIMITS, |n, _, text, content| {
        let seen = &seen;
        async move {
            if n == 0 {
                drop(content);
                return Ok(failed());
            }
            read_all(seen, n, text, content).await
        }
    })
    .await
    .unwrap();
    assert_eq!(seen.into_inner().unwrap(), ["1: here is b: d"]);
    assert_eq!(results[0].error_reason, "UPSTREAM_UNAVAILABLE");
    assert!(results[0].error_message.contains("down") && results[0].attachment.is_none());
    assert_eq!(results[1].error_reason, "");
}

/// The caller's stream is read no faster than the upload reads.
#[tokio::test]
async fn an_upload_that_does_not_read_holds_the_caller_up() {
    let (to, from) = mpsc::channel::<Item>(1);
    let mut parts = Parts::new(ReceiverStream::new(from));
    let limits = FileLimits {
        bytes_max: 1000,
        ..LIMITS
    };
    let handing = files(&mut parts, limits, |_, _, _, content: Content| async move {
        std::future::pending::<()>().await;
        drop(content);
        Ok(uploaded("a"))
    });
    let calling = async {
        to.send(file("a", 1000)).await.unwrap();
        let mut sent = 0;
        while tokio::time::timeout(Duration::from_millis(100), to.send(chunk("x")))
            .await
            .is_ok()
        {
            sent += 1;
        }
        sent
    };
    let sent = tokio::select! {
        _ = handing => panic!("it ended"),
        sent = calling => sent,
    };
    assert!(
        sent <= CHUNKS_AHEAD + 2,
        "{sent} pieces were taken and not uploaded"
    );
}

/// Who sends nothing, or nothing that counts, between two files or within one.
#[rstest]
#[case::silent_before_a_file(vec![])]
#[case::empty_pieces_before_a_file(vec![chunk("")])]
#[case::silent_within_a_file(vec![file("a", 100), chunk("a")])]
#[case::drips_into_a_file(vec![file("a", 100), chunk("a"), chunk("b"), chunk("c"), chunk("d"), chunk("e"), chunk("f")])]
#[tokio::test]
async fn a_caller_who_keeps_the_stream_open_is_not_waited_for_for_ever(#[case] items: Vec<Item>) {
    let limits = FileLimits {
        time: Duration::from_millis(200),
        ..LIMITS
    };
    let dripping = stream::iter(items).then(|item| async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        item
    });
    let mut parts = Parts::new(Box::pin(dripping.chain(stream::pending())));
    let seen = Mutex::new(Vec::new());
    let handing = files(&mut parts, limits, |n, _, text, content| {
        read_all(&seen, n, text, content)
    });
    let results = tokio::time::timeout(Duration::from_secs(10), handing).await;
    assert!(matches!(results.expect("it ends"), Err(Error::CallerGone)));
}

#[rstest]
#[case(vec![])]
#[case(vec![file("a", 1), start()])]
#[case(vec![chunk("a")])]
#[case::an_endless_start(vec![Err(Status::out_of_range(""))])]
#[tokio::test]
async fn a_stream_begins_with_its_start(#[case] items: Vec<Item>) {
    let refused = Parts::new(stream::iter(items)).start().await.unwrap_err();
    assert!(matches!(refused, Error::Invalid(named) if named[0].field == "start"));
}
