//! What is recorded of a service that runs, and what another makes of it.

mod replays;

use std::{
    fs::{self, File},
    io::BufReader,
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use chatbridge::{
    grpc::proto::{
        AgentEvent, AgentEventsRequest, Assignment, AssignmentType, AuthorType, ConversationState,
        CreateConversationRequest, MessageInput, SendMessageRequest, StartPosition, User, agent_event::Body,
        agent_events_request::Start,
    },
    recording::{Entry, Recording, Stage, Tap, TapSettings},
    sandbox::{Pace, SandboxSettings, serve},
};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::{
    service::{Events, Service, eventually, program},
    stage::{CHANNEL, KEY, QUEUE, TENANT},
};

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

async fn service(gateway: &str) -> Service {
    let settings = [
        ("gateway_url", gateway),
        ("tenant", TENANT),
        ("api_key", KEY),
        ("redis_url", "memory:"),
        ("heartbeat_ms", "200"),
        ("drain_spread_ms", "100"),
    ];
    Service::start(&settings).await
}

async fn all_events(service: &Service) -> Events {
    let request = AgentEventsRequest {
        include_echoes: true,
        start: Some(Start::Position(StartPosition::Earliest.into())),
        ..AgentEventsRequest::default()
    };
    service.events(request).await
}

/// What of an event is the same when it is replayed: all but when and under which id it came, and what people said.
fn kept(event: &AgentEvent) -> (String, String, i32, u64, bool) {
    (
        event.conversation_id.clone(),
        event.vendor_event_type.clone(),
        event.kind,
        event.sequence,
        event.echo,
    )
}

/// The events up to the end of a conversation, without checks of addresses.
async fn until_idle(events: &mut Events) -> Vec<AgentEvent> {
    let mut all = Vec::new();
    loop {
        let event = events.event().await;
        let is_over = matches!(&event.body, Some(Body::ConversationUpdated(it)) if it.state() == ConversationState::Idle);
        if !event.conversation_id.is_empty() {
            all.push(event);
        }
        if is_over {
            return all;
        }
    }
}

/// Talks with the sandbox's agent through a service that is recorded; answers the events that its stream gave.
async fn record(file: &Path) -> Vec<AgentEvent> {
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    let (for_service, gateway) = listen().await;
    let (for_vendor, door) = listen().await;
    let (sandbox_listener, sandbox) = listen().await;
    let service = service(&gateway).await;
    let settings = TapSettings {
        door: format!("http://{}", service.webhook).parse().unwrap(),
        gateway: sandbox.parse().unwrap(),
    };
    let tap = Tap::new(settings, Box::new(File::create(file).unwrap())).unwrap();
    tokio::spawn(tap.serve(for_vendor, for_service, stop.clone()));
    let of_sandbox = SandboxSettings {
        pace: Pace::instant(),
        webhook: Some(format!("{door}/webhooks/8x8").parse().unwrap()),
        ..SandboxSettings::default()
    };
    tokio::spawn(serve(of_sandbox, sandbox_listener, stop));

    let mut events = all_events(&service).await;
    let mut conversations = service.conversations().await;
    let create = CreateConversationRequest {
        channel_id: CHANNEL.into(),
        user: Some(User {
            name: "Secretname".into(),
            email: "secretname@example.com".into(),
            ..User::default()
        }),
        assignment: Some(Assignment {
            r#type: AssignmentType::Queue.into(),
            id: QUEUE.into(),
            ..Assignment::default()
        }),
        ..CreateConversationRequest::default()
    };
    let created = conversations
        .create_conversation(create)
        .await
        .unwrap()
        .into_inner();
    let say = SendMessageRequest {
        conversation_id: created.conversation_id,
        message: Some(MessageInput {
            author_type: AuthorType::User.into(),
            text: "Bye, says Secretname".into(),
            ..MessageInput::default()
        }),
        ..SendMessageRequest::default()
    };
    conversations.send_message(say).await.unwrap();
    let heard = until_idle(&mut events).await;
    // The last one is written once its answer has come back to the recorder, which the stream does not wait for.
    eventually("the last webhook is written", async || {
        let is_last =
            |entry: &Entry| matches!(entry, Entry::Webhook(hook) if hook.body["data"]["state"] == "idle");
        read(file).entries.iter().any(is_last).then_some(())
    })
    .await;
    heard
}

fn read(file: &Path) -> Recording {
    Recording::read(BufReader::new(File::open(file).unwrap())).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_gives_the_same_events_and_says_nothing_of_people() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("recording.jsonl");
    let heard = record(&file).await;
    assert!(
        heard
            .iter()
            .any(|event| matches!(event.body, Some(Body::Message(_))))
    );

    let text = fs::read_to_string(&file).unwrap();
    for gone in ["Secretname", "secretname", "Bye", KEY, "RS256"] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
    let recording = read(&file);
    let called = |method: &str, path: &str| {
        recording.entries.iter().any(|entry| {
            matches!(entry, Entry::Call(call) if call.method == method && call.path.ends_with(path) && call.status == 202)
        })
    };
    assert!(
        called("POST", "/conversations") && called("POST", "/messages"),
        "{text}"
    );

    // Another service, to which the recording stands in for 8x8.
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    let (listener, gateway) = listen().await;
    let stage = Stage::new(recording).unwrap();
    tokio::spawn(stage.clone().serve(listener, stop));
    let other = service(&gateway).await;
    let mut events = all_events(&other).await;
    let door = format!("http://{}/webhooks/8x8", other.webhook).parse().unwrap();
    for hook in stage.webhooks() {
        let played = stage.play(hook, &door).await;
        assert!(played.is_as_recorded && played.status == Some(204), "{played:?}");
    }
    let heard_again = until_idle(&mut events).await;
    let both = [&heard, &heard_again].map(|all| all.iter().map(kept).collect::<Vec<_>>());
    assert_eq!(both[0], both[1]);
    // What its agent said is there, by stand-ins.
    let texts = heard_again.iter().filter_map(|event| match &event.body {
        Some(Body::Message(message)) => Some(message.text.clone()),
        _ => None,
    });
    assert!(texts.clone().count() > 0 && texts.into_iter().all(|text| text.starts_with("text-")));

    // It answers calls as 8x8 did.
    let mut conversations = other.conversations().await;
    let again = CreateConversationRequest {
        channel_id: CHANNEL.into(),
        user: Some(User {
            name: "Somebody".into(),
            ..User::default()
        }),
        ..CreateConversationRequest::default()
    };
    let created = conversations
        .create_conversation(again)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(created.conversation_id, heard[0].conversation_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_record_and_replay() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("recording.jsonl");
    let heard = record(&file).await;

    // The same once more by the command, into a service that believes its key.
    let (listener, gateway) = listen().await;
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let other = service(&gateway).await;
    let mut events = all_events(&other).await;
    let door = format!("http://{}/webhooks/8x8", other.webhook);
    let mut replay = program();
    replay
        .arg("replay")
        .arg(&file)
        .args(["--listen", &address, "--webhook-url", &door, "--speed", "0"]);
    let output = replay.output().await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        printed.contains("MESSAGE") && printed.contains(" 204"),
        "{printed}"
    );
    let again = until_idle(&mut events).await;
    assert_eq!(again.len(), heard.len());

    // Into one that asks somebody else for the key, it says that nothing was taken.
    let stranger = service("http://127.0.0.1:9").await;
    let door = format!("http://{}/webhooks/8x8", stranger.webhook);
    let mut replay = program();
    replay
        .arg("replay")
        .arg(&file)
        .args(["--listen", "127.0.0.1:0", "--webhook-url", &door, "--speed", "0"]);
    let output = replay.output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("were not taken"));

    // A recorder hands things on from its first moment, and makes its file for its owner alone.
    let made = dir.path().join("made.jsonl");
    let mut recorder = program();
    recorder.arg("record").arg(&made).args([
        "--webhook-listen",
        "127.0.0.1:0",
        "--gateway-listen",
        "127.0.0.1:0",
    ]);
    recorder.stdout(std::process::Stdio::null());
    let mut recorder = recorder.spawn().unwrap();
    eventually("the file is begun", async || {
        fs::read_to_string(&made).ok().filter(|text| text.ends_with('\n'))
    })
    .await;
    assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(read(&made).entries.is_empty());
    recorder.kill().await.unwrap();
    let mut second = program();
    second.arg("record").arg(&made);
    let refused = second.output().await.unwrap();
    assert_eq!(
        refused.status.code(),
        Some(2),
        "a recording is never written over"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_that_reaches_nobody_says_so_and_writes_what_came() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("recording.jsonl");
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    let ((for_vendor, _door), (for_service, gateway)) = (listen().await, listen().await);
    let nobody: url::Url = "http://127.0.0.1:9".parse().unwrap();
    let settings = TapSettings {
        door: nobody.clone(),
        gateway: nobody,
    };
    let tap = Tap::new(settings, Box::new(File::create(&file).unwrap())).unwrap();
    tokio::spawn(tap.serve(for_vendor, for_service, stop));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{gateway}/chat-gateway/v1/conversations?filter=secret");
    let answer = http
        .post(url)
        .json(&json!({ "text": "secret" }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 502);
    let entries = eventually("it is written", async || {
        Some(read(&file).entries).filter(|entries| !entries.is_empty())
    })
    .await;
    assert!(
        matches!(&entries[..], [Entry::Call(call)] if call.status == 0 && call.request["text"] == "text-1")
    );
    assert!(!fs::read_to_string(&file).unwrap().contains("secret"));
}
