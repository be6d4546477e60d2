use clap::Parser;
use tonic::Status;

use super::*;
use crate::{
    cli::connect::fake::{Fake, Script, Then, event, heartbeat, queued, says},
    grpc::proto::{AuthorType, Gap, StartPosition},
};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn args(server: &str, more: &[&str]) -> Args {
    let line = [&["tail", "--server", server], more].concat();
    Line::try_parse_from(line).unwrap().args
}

async fn output(args: &Args) -> (String, String, Result<(), CliError>) {
    let (mut out, mut notices) = (Vec::new(), Vec::new());
    let ended = tail(args, Style::PLAIN, &mut out, &mut notices).await;
    (
        String::from_utf8(out).unwrap(),
        String::from_utf8(notices).unwrap(),
        ended,
    )
}

#[test]
fn everything_asked_for_is_in_the_request() {
    let args = args(
        "http://s",
        &[
            "--tenant",
            "t",
            "--conversation",
            "a",
            "--conversation",
            "b",
            "--kind",
            "message",
            "--kind",
            "MEMBER_CHANGED",
            "--echoes",
            "--raw",
            "--on-gap",
            "fail",
            "--from",
            "earliest",
        ],
    );
    assert_eq!(
        request(&args, args.from.start()),
        AgentEventsRequest {
            changeable: false,
            tenant: "t".to_owned(),
            conversation_ids: vec!["a".to_owned(), "b".to_owned()],
            kinds: vec![EventKind::Message.into(), EventKind::MemberChanged.into()],
            include_echoes: true,
            include_raw: true,
            gap_policy: GapPolicy::Fail.into(),
            start: Some(Start::Position(StartPosition::Earliest.into())),
            ..AgentEventsRequest::default()
        }
    );
}

#[rstest::rstest]
#[case(&["--kind", "gossip"], "expected one of conversation-updated, queued, member-changed,")]
#[case(&["--from", "12:00"], "not a time with date and zone")]
#[case(&["--limit", "0"], "1..")]
#[case(&["--on-gap", "ignore"], "possible values: fail, earliest, latest")]
fn wrong_arguments_are_refused_with_what_is_expected(#[case] more: &[&str], #[case] expected: &str) {
    let line = [&["tail"], more].concat();
    let error = Line::try_parse_from(line).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[tokio::test]
async fn it_prints_breaks_on_one_side_and_events_on_the_other_until_the_limit() {
    let fake = Fake::new(vec![
        Script::new(
            vec![heartbeat("a"), event("b", 1, queued("Orders"))],
            Then::Fails(Status::unavailable("down")),
        ),
        Script::new(
            vec![
                event("c", 2, says("maria", AuthorType::Agent, "Hello")),
                event("d", 3, says("maria", AuthorType::Agent, "never seen")),
            ],
            Then::Hangs,
        ),
    ]);
    let (url, _server) = fake.serve().await;
    let (out, notices, ended) = output(&args(&url, &["--limit", "2"])).await;
    ended.unwrap();
    assert_eq!(
        out,
        "-  c-1  #1   with-agent    queued in Orders (100)\n-  c-1  #2   with-agent    agent maria: Hello\n"
    );
    assert!(
        notices.starts_with("down (Unavailable); try again in a moment; connecting again in 0."),
        "{notices}"
    );
}

#[tokio::test]
async fn a_second_run_goes_on_where_the_first_ended() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cursor");
    let fake = Fake::new(vec![
        Script::new(
            vec![event("one", 1, queued("Q")), event("two", 2, queued("Q"))],
            Then::Hangs,
        ),
        Script::new(vec![event("two", 2, queued("Q"))], Then::Hangs),
    ]);
    let (url, _server) = fake.serve().await;
    let more = [
        "--limit",
        "1",
        "--from",
        "earliest",
        "--cursor-file",
        file.to_str().unwrap(),
    ];
    for _ in 0..2 {
        output(&args(&url, &more)).await.2.unwrap();
    }
    let starts: Vec<_> = fake
        .opened()
        .into_iter()
        .map(|request| request.start.unwrap())
        .collect();
    assert_eq!(
        starts,
        [
            Start::Position(StartPosition::Earliest.into()),
            Start::Cursor("one".into())
        ]
    );
}

#[tokio::test]
async fn a_gap_that_ends_it_is_printed_and_found_again_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cursor");
    let gap = AgentEventsResponse {
        share: 0,
        cursor: "behind".into(),
        payload: Some(Payload::Gap(Gap::default())),
    };
    let fake = Fake::new(vec![Script::new(
        vec![heartbeat("a"), gap],
        Then::Fails(Status::out_of_range("gone")),
    )]);
    let (url, _server) = fake.serve().await;
    let more = ["--on-gap", "fail", "--cursor-file", file.to_str().unwrap()];
    let (out, _, ended) = output(&args(&url, &more)).await;
    assert!(out.starts_with("GAP: events are gone"), "{out}");
    assert!(ended.unwrap_err().to_string().contains("gone"));
    assert_eq!(CursorFile::new(file).read().unwrap().unwrap(), "a");
}

#[tokio::test]
async fn json_is_one_object_on_a_line_also_for_heartbeats() {
    let fake = Fake::new(vec![Script::new(
        vec![heartbeat("a"), event("b", 1, queued("Q"))],
        Then::Hangs,
    )]);
    let (url, _server) = fake.serve().await;
    let (out, _, ended) = output(&args(&url, &["--output", "json", "--heartbeats", "--limit", "1"])).await;
    ended.unwrap();
    let lines: Vec<serde_json::Value> = out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines[0], serde_json::json!({"cursor": "YQ==", "heartbeat": {}}));
    assert_eq!(lines[1]["event"]["queued"]["queueName"], "Q");
    assert_eq!(lines.len(), 2);
}

#[tokio::test]
async fn the_raw_body_is_shown_and_cannot_drive_the_terminal() {
    let mut response = event("b", 1, queued("Q"));
    if let Some(Payload::Event(event)) = &mut response.payload {
        event.raw_json = "{\"a\":\n\"\u{1b}\"}".into();
    }
    let fake = Fake::new(vec![Script::new(vec![response], Then::Hangs)]);
    let (url, _server) = fake.serve().await;
    let (out, _, _) = output(&args(&url, &["--raw", "--limit", "1"])).await;
    assert!(out.ends_with("\n    {\"a\":\\n\"\\u{1b}\"}\n"), "{out}");
}

#[tokio::test]
async fn a_reader_that_has_gone_ends_it() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let fake = Fake::new(vec![Script::new(vec![event("b", 1, queued("Q"))], Then::Hangs)]);
    let (url, _server) = fake.serve().await;
    let ended = tail(&args(&url, &[]), Style::PLAIN, &mut Closed, &mut Vec::new()).await;
    assert!(matches!(ended, Err(CliError::BrokenPipe)), "{ended:?}");
}
