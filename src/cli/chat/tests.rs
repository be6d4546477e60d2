use std::sync::Arc;

use clap::Parser;
use tokio::sync::mpsc;
use tonic::Status;

use super::*;
use crate::{
    cli::connect::{
        Server,
        fake::{Asked, Fake, Script, Then, becomes, event, heartbeat, member, queued, says},
    },
    grpc::proto::{
        AgentEventsResponse, AuthorType, ConversationState, CreateConversationResponse, MemberChange,
        agent_events_request::Start,
    },
};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn args(more: &[&str]) -> Args {
    Line::try_parse_from([&["chat"], more].concat()).unwrap().args
}

/// Talks in a script's way with these lines to a server that answers calls as `answer` says.
async fn talk(
    lines: &[&str],
    scripted: bool,
    begins_with: Vec<AgentEventsResponse>,
    answer: impl Fn(&Asked) -> Result<Vec<AgentEventsResponse>, Status> + Send + Sync + 'static,
) -> (Fake, String, String, Result<Left, CliError>) {
    let (feed, later) = mpsc::unbounded_channel();
    let feed = Arc::new(feed);
    let fake = Fake::new(vec![Script::new(begins_with, Then::Feeds(later))]).on_call({
        let feed = Arc::clone(&feed);
        move |asked| {
            for response in answer(asked)? {
                feed.send(response).unwrap();
            }
            Ok(())
        }
    });
    let (url, _server) = fake.serve().await;
    let server = Server::new(&url).unwrap();
    let client = ConversationServiceClient::new(server.connect().await.unwrap());
    let created = CreateConversationResponse {
        tenant: "t".to_owned(),
        conversation_id: "c-1".to_owned(),
        create_time: None,
        cursor: "before".into(),
    };
    let (typed, input) = mpsc::channel(16);
    for line in lines {
        typed.send((*line).to_owned()).await.unwrap();
    }
    // At a terminal, nobody presses Ctrl-D by themselves.
    let open = (!scripted).then_some(typed);
    let (mut out, mut notices) = (Vec::new(), Vec::new());
    let talk = Talk {
        style: Style::PLAIN,
        scripted,
        patience: Duration::from_secs(1),
        out: &mut out,
        notices: &mut notices,
    };
    let left = talk.hold(server, client, created, input).await;
    drop(open);
    (
        fake,
        String::from_utf8(out).unwrap(),
        String::from_utf8(notices).unwrap(),
        left,
    )
}

fn joined() -> AgentEventsResponse {
    event("j", 2, member("maria", MemberChange::Joined))
}

fn answers(text: &str) -> Vec<AgentEventsResponse> {
    vec![event("m", 3, says("maria", AuthorType::Agent, text))]
}

fn idle() -> Vec<AgentEventsResponse> {
    vec![event("i", 9, becomes(ConversationState::Idle))]
}

fn sent(asked: &[Asked]) -> Vec<String> {
    let texts = asked.iter().filter_map(|asked| match asked {
        Asked::Sent(request) => Some(request.message.as_ref().unwrap().text.clone()),
        _ => None,
    });
    texts.collect()
}

#[tokio::test]
async fn a_script_speaks_in_turn_and_ends_the_conversation() {
    let greeting = event("g", 3, says("maria", AuthorType::Agent, "Hello"));
    let begins = vec![
        heartbeat("h"),
        event("q", 1, queued("Orders")),
        joined(),
        greeting,
    ];
    let (fake, out, notices, left) = talk(&["one", "two"], true, begins, |asked| match asked {
        Asked::Sent(request) => Ok(answers(&format!("to {}", request.message.as_ref().unwrap().text))),
        Asked::Ended => Ok(idle()),
        _ => Ok(Vec::new()),
    })
    .await;
    assert_eq!(left.unwrap(), Left::Idle);
    assert_eq!(
        out.lines().collect::<Vec<_>>(),
        [
            "* conversation c-1",
            "* waiting in Orders",
            "* agent maria joined",
            "agent maria: Hello",
            "> one",
            "agent maria: to one",
            "> two",
            "agent maria: to two",
            "* the conversation has ended"
        ]
    );
    assert_eq!(notices, "");
    assert_eq!(fake.opened()[0].start, Some(Start::Cursor("before".into())));
    assert_eq!(fake.opened()[0].conversation_ids, ["c-1"]);
}

#[tokio::test]
async fn a_script_waits_no_longer_than_it_was_told() {
    let (fake, _, _, left) = talk(&["one"], true, vec![heartbeat("h")], |_| Ok(Vec::new())).await;
    assert_eq!(
        left.unwrap_err().to_string(),
        "no agent came within 1 s; the conversation was ended"
    );
    assert_eq!(fake.asked(), [Asked::Ended]);

    let (fake, _, notices, left) = talk(&["one", "two"], true, vec![joined()], |asked| match asked {
        Asked::Ended => Ok(idle()),
        _ => Ok(Vec::new()),
    })
    .await;
    assert_eq!(left.unwrap(), Left::Idle);
    assert_eq!(notices, "no answer came within 1 s; going on\n".repeat(2));
    assert_eq!(sent(&fake.asked()), ["one", "two"]);
}

#[tokio::test]
async fn a_conversation_that_does_not_end_is_a_failure() {
    let (_, _, _, left) = talk(&[], true, vec![joined()], |_| Ok(Vec::new())).await;
    assert_eq!(
        left.unwrap_err().to_string(),
        "conversation c-1 did not become idle within 1 s"
    );
}

#[tokio::test]
async fn at_a_terminal_lines_go_at_once_and_mistakes_are_told() {
    let lines = ["before anybody came", "", "/ent", "/quit"];
    let (fake, _, notices, left) = talk(&lines, false, vec![heartbeat("h")], |_| Ok(Vec::new())).await;
    assert_eq!(left.unwrap(), Left::Quit);
    assert_eq!(sent(&fake.asked()), ["before anybody came"]);
    assert!(notices.starts_with("there is no command /ent"), "{notices}");
    assert!(!fake.asked().contains(&Asked::Ended));
}

#[tokio::test]
async fn a_refused_message_is_told_at_a_terminal_and_ends_a_script() {
    let refuse = |asked: &Asked| match asked {
        Asked::Sent(_) => Err(Status::unknown("nobody knows")),
        _ => Ok(Vec::new()),
    };
    let (fake, _, notices, left) = talk(&["one", "/quit"], false, vec![heartbeat("h")], refuse).await;
    assert_eq!(left.unwrap(), Left::Quit);
    assert_eq!(notices, "could not send the message: nobody knows (Unknown)\n");
    assert_eq!(
        sent(&fake.asked()).len(),
        1,
        "what may have happened is not sent again"
    );
    let (_, _, _, left) = talk(&["one"], true, vec![joined()], refuse).await;
    assert!(left.unwrap_err().to_string().contains("nobody knows"));
}

#[tokio::test]
async fn a_message_that_did_not_go_is_sent_again_under_the_same_id() {
    let failures = std::sync::atomic::AtomicU32::new(2);
    let (fake, _, _, left) = talk(
        &["one", "/quit"],
        false,
        vec![heartbeat("h")],
        move |asked| match asked {
            Asked::Sent(_) if failures.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) > 0 => {
                Err(Status::unavailable("later"))
            }
            _ => Ok(Vec::new()),
        },
    )
    .await;
    assert_eq!(left.unwrap(), Left::Quit);
    let asked = fake.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|each| *each == asked[0]), "{asked:?}");
}

#[tokio::test]
async fn an_agent_who_ends_it_ends_the_talk() {
    let (_, out, _, left) = talk(&[], false, [vec![joined()], idle()].concat(), |_| Ok(Vec::new())).await;
    assert_eq!(left.unwrap(), Left::Idle);
    assert!(
        out.contains("/quit leaves it open") && out.ends_with("* the conversation has ended\n"),
        "{out}"
    );
}

#[test]
fn everything_given_is_in_the_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.txt");
    std::fs::write(&file, "bot: Hi\nuser: My kettle\n").unwrap();
    let args = args(&[
        "--name",
        "Ada",
        "--user-id",
        "u-1",
        "--language",
        "de",
        "--context",
        "order=A-1042",
        "--context",
        "note=a=b",
        "--transcript",
        file.to_str().unwrap(),
        "--tenant",
        "t",
    ]);
    let request = request(&args).unwrap();
    let user = request.user.unwrap();
    let context: Vec<_> = user
        .additional_properties
        .iter()
        .map(|p| (p.key.as_str(), p.value.as_str()))
        .collect();
    assert_eq!(
        (user.name.as_str(), user.user_id.as_str(), user.language.as_str()),
        ("Ada", "u-1", "de")
    );
    assert_eq!(context, [("order", "A-1042"), ("note", "a=b")]);
    assert_eq!(request.history.len(), 2);
    assert_eq!(
        (request.tenant.as_str(), request.channel_id.as_str()),
        ("t", "sandbox-chat")
    );
    assert_eq!(request.assignment.unwrap().id, "100");
    assert!(Uuid::parse_str(&request.request_id).is_ok());
}

#[test]
fn an_empty_queue_leaves_the_routing_to_the_channel() {
    assert_eq!(request(&args(&["--queue", ""])).unwrap().assignment, None);
}

#[rstest::rstest]
#[case("order")]
#[case("=A-1042")]
fn context_without_a_key_is_refused(#[case] given: &str) {
    let error = Line::try_parse_from(["chat", "--context", given])
        .unwrap_err()
        .to_string();
    assert!(error.contains("such as order=A-1042"), "{error}");
}
