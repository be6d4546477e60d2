//! Events to the webhooks of v2: what is told, in which order, how often, and what one receiver's bad day means to others.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    Facade, facade_that_signs, now_ms,
    receiver::{Receiver, Reply, check_signature},
    schemas,
};
use crate::support::{
    proxy::Fault,
    service::{eventually, program},
    stage::{KEY, OTHER_QUEUE, QUEUE, Stage},
};

const LOOPBACK: (&str, &str) = ("chat_v2_webhook_allow", "127.0.0.0/8");

/// A client of v2 with a webhook, a channel that goes there, and somebody who answers.
struct App {
    facade: Facade,
    receiver: Receiver,
    channel: String,
    key: tempfile::NamedTempFile,
}

impl App {
    async fn new(settings: &[(&str, &str)]) -> Self {
        let settings = [settings, &[LOOPBACK]].concat();
        let (facade, key) = facade_that_signs(&settings).await;
        let receiver = Receiver::new().await;
        let (_, channel) = channel_to(&facade, &receiver.uri).await;
        Self {
            facade,
            receiver,
            channel,
            key,
        }
    }

    async fn conversation(&self) -> String {
        conversation_on(&self.facade, &self.channel).await
    }

    /// A conversation of which an agent has taken hold.
    async fn handled(&self) -> String {
        let id = self.conversation().await;
        self.says(&id, "Good day.").await;
        self.receiver.until_says(&id, &begun(&[])).await;
        id
    }

    async fn agent(&self, id: &str, action: Value) {
        agent(&self.facade.stage, id, action).await;
    }

    async fn says(&self, id: &str, text: &str) {
        self.agent(id, json!({ "action": "say", "text": text })).await;
    }
}

/// What is told of a conversation that [`App::handled`] began, and then this.
fn begun<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["QUEUED", "AGENT_JOINED", "Good day."], more].concat()
}

async fn agent(stage: &Stage, id: &str, action: Value) {
    stage
        .control("POST", &format!("/conversations/{id}/agent"), Some(action))
        .await;
}

/// A webhook, and a channel that goes there.
async fn channel_to(facade: &Facade, uri: &str) -> (String, String) {
    let hook = json!({ "name": "App", "uri": uri, "version": "v2.0" });
    let hook = facade.post("/web-hooks", &hook, 200, schemas::webhook).await;
    let hook = hook["id"].as_str().unwrap().to_owned();
    let routing = json!({ "type": "queue", "id": QUEUE });
    let channel = json!({ "name": "App", "webHookId": hook, "routingOptions": routing });
    let channel = facade.post("/channels", &channel, 200, schemas::channel).await;
    (hook, channel["id"].as_str().unwrap().to_owned())
}

async fn conversation_on(facade: &Facade, channel: &str) -> String {
    let body = json!({ "channelId": channel, "customer": { "name": "Ada" } });
    facade.conversation(&body).await
}

#[tokio::test]
async fn a_whole_conversation_is_told_in_order_signed_and_in_v2s_words() {
    let app = App::new(&[]).await;
    let id = app.handled().await;
    app.facade
        .post(
            &format!("/conversations/{id}/messages"),
            &json!({ "text": "Hello. My bill is wrong." }),
            202,
            schemas::nothing,
        )
        .await;
    app.agent(&id, json!({ "action": "typing" })).await;
    app.says(&id, "I'll pass you on.").await;
    app.agent(&id, json!({ "action": "transfer", "queueId": OTHER_QUEUE }))
        .await;
    let kinds =
        |seen: &[super::receiver::Received]| seen.iter().map(|it| it.says().to_owned()).collect::<Vec<_>>();
    app.receiver
        .until("the transfer and its queue", |seen| {
            kinds(seen).iter().filter(|it| *it == "QUEUED").count() == 2
        })
        .await;
    app.says(&id, "How may I help?").await;
    app.receiver
        .until("the second agent", |seen| {
            kinds(seen).iter().filter(|it| *it == "AGENT_JOINED").count() == 2
        })
        .await;
    app.agent(&id, json!({ "action": "leave" })).await;
    let seen = app
        .receiver
        .until("the second agent to leave", |seen| {
            kinds(seen).iter().filter(|it| *it == "AGENT_LEFT").count() == 2
        })
        .await;

    // In which order 8x8 tells of a transfer and of the agent who leaves by it, nobody promises.
    let mut told = kinds(&seen);
    told[4..6].sort_unstable();
    assert_eq!(
        told,
        [
            "QUEUED",
            "AGENT_JOINED",
            "Good day.",
            "I'll pass you on.",
            "AGENT_LEFT",
            "TRANSFER",
            "QUEUED",
            "AGENT_JOINED",
            "How may I help?",
            "AGENT_LEFT",
        ]
    );
    let ids: HashSet<_> = seen.iter().map(|it| it.event_id().to_owned()).collect();
    assert_eq!(ids.len(), seen.len(), "each has an identifier of its own");
    for received in &seen {
        check_signature(&app.facade, received).await.unwrap();
        assert_eq!(received.path, "/hook");
        assert_eq!(received.header("content-type"), "application/json");
        assert_eq!(received.header("x-8x8-tenant-id"), "sandbox");
        assert_eq!(received.retry(), 0);
        assert_eq!(received.body["conversationId"], id.as_str());
        let age_ms = now_ms().abs_diff(received.body["timestamp"].as_u64().unwrap());
        assert!(age_ms < 600_000, "{age_ms}");
    }
    // To the letter, once of each kind.
    let fields = |said: &str| {
        let received = seen.iter().find(|it| it.says() == said).unwrap();
        let object = received.body.as_object().unwrap();
        object.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    };
    let common = "conversationId eventType messageType timestamp";
    assert_eq!(
        fields("QUEUED"),
        "conversationId eventType messageType queueId queueName timestamp"
    );
    let of_agent = "agentId agentName conversationId eventType messageType timestamp";
    assert_eq!(fields("AGENT_JOINED"), of_agent);
    assert_eq!(fields("AGENT_LEFT"), of_agent);
    assert_eq!(fields("TRANSFER"), common);
    assert_eq!(
        fields("Good day."),
        "agentId agentName conversationId eventType message messageType timestamp"
    );
    let queued = &seen[0].body;
    assert_eq!(
        (&queued["queueId"], &queued["messageType"]),
        (&json!(QUEUE), &json!("SYSTEM"))
    );
    let text = &seen[2].body;
    assert_eq!(
        (&text["eventType"], &text["messageType"]),
        (&json!("TEXT"), &json!("AGENT"))
    );
    assert_eq!(text["agentId"], seen[1].body["agentId"]);

    // A check that finds nothing wrong must be able to.
    let mut forged = seen[2].clone();
    forged.raw = forged.raw.iter().map(|byte| byte.to_ascii_uppercase()).collect();
    assert!(check_signature(&app.facade, &forged).await.is_err());
}

#[tokio::test]
async fn what_is_on_other_channels_is_not_told() {
    let app = App::new(&[]).await;
    let other = app.facade.started().await;
    let id = app.handled().await;
    agent(
        &app.facade.stage,
        &other,
        json!({ "action": "say", "text": "Not for you." }),
    )
    .await;
    app.says(&id, "For you.").await;
    app.receiver.until_says(&id, &begun(&["For you."])).await;
    assert!(app.receiver.seen().iter().all(|it| it.is_of(&id)));
}

#[tokio::test]
async fn a_conversation_that_others_began_on_the_channel_is_told_of_once_8x8_says_where_it_lies() {
    let app = App::new(&[]).await;
    // Nobody here knows of it, and 8x8 cannot be asked at first.
    let may_ask = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&may_ask);
    app.facade.stage.proxy.rule(move |seen| {
        let asks = seen.method == "GET" && seen.path().contains("/conversations/");
        (asks && !asked.load(Ordering::SeqCst)).then(|| Fault::Answer {
            status: 503,
            headers: "content-type: application/json\r\n",
            body: r#"{"message":"later"}"#.to_owned(),
        })
    });
    let created = app
        .facade
        .http
        .post(format!(
            "{}/chat-gateway/v1/conversations",
            app.facade.stage.sandbox
        ))
        .header("x-api-key", KEY)
        .json(&json!({ "channelId": app.channel, "user": { "name": "Ada" } }))
        .send()
        .await
        .unwrap();
    assert_eq!(created.status(), 202);
    let created: Value = created.json().await.unwrap();
    let id = created["conversationId"].as_str().unwrap().to_owned();
    app.facade
        .stage
        .until(&id, "it waits in its queue", |it| it["state"] == "active")
        .await;
    app.says(&id, "one").await;
    // One of a conversation that is known goes on meanwhile.
    let known = app.handled().await;
    assert!(app.receiver.seen().iter().all(|it| it.is_of(&known)));
    may_ask.store(true, Ordering::SeqCst);
    app.says(&id, "two").await;
    app.receiver
        .until_says(&id, &["QUEUED", "AGENT_JOINED", "one", "two"])
        .await;
}

#[tokio::test]
async fn an_event_that_was_refused_comes_again_before_the_next() {
    let app = App::new(&[]).await;
    let id = app.handled().await;
    let mut refusals = 0;
    app.receiver.rule(move |received| {
        let refuses = received.says() == "one" && refusals < 2;
        refusals += u32::from(refuses);
        Reply::Status(if refuses { 500 } else { 200 })
    });
    for text in ["one", "two", "three"] {
        app.says(&id, text).await;
    }
    app.receiver
        .until_says(&id, &begun(&["one", "two", "three"]))
        .await;
    let seen = app.receiver.seen();
    let all: Vec<_> = seen.iter().map(|it| it.says()).collect();
    assert_eq!(all, begun(&["one", "one", "one", "two", "three"]));
    let ones = &seen[3..6];
    assert_eq!(ones.iter().map(|it| it.retry()).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(
        ones.iter()
            .all(|it| it.event_id() == ones[0].event_id() && it.raw == ones[0].raw)
    );
    for received in ones {
        check_signature(&app.facade, received).await.unwrap();
    }
}

#[tokio::test]
async fn a_conversation_that_is_refused_delays_no_other_of_its_webhook() {
    let app = App::new(&[]).await;
    let (bad, good) = (app.handled().await, app.handled().await);
    let of_bad = bad.clone();
    app.receiver
        .rule(move |received| Reply::Status(if received.is_of(&of_bad) { 500 } else { 200 }));
    app.says(&bad, "nobody takes this").await;
    app.receiver
        .until("the refused one", |seen| {
            seen.iter().any(|it| it.says() == "nobody takes this")
        })
        .await;
    for n in 0..5 {
        app.says(&good, &format!("{n}")).await;
    }
    app.receiver
        .until_says(&good, &begun(&["0", "1", "2", "3", "4"]))
        .await;
}

#[tokio::test]
async fn an_event_that_is_refused_too_often_is_a_dead_letter_and_the_next_comes() {
    let app = App::new(&[("chat_v2_webhook_attempts", "2")]).await;
    let id = app.handled().await;
    app.receiver
        .rule(|received| Reply::Status(if received.says() == "poison" { 422 } else { 200 }));
    app.says(&id, "poison").await;
    app.says(&id, "bread").await;
    app.receiver.until_says(&id, &begun(&["poison", "bread"])).await;
    let seen = app.receiver.seen();
    assert_eq!(seen.iter().filter(|it| it.says() == "poison").count(), 2);
    let dead = r#"chatbridge_chat_v2_dead_letters_total{reason="refused"}"#;
    assert!((app.facade.stage.service.metric(dead).await - 1.0).abs() < 0.1);

    // An operator finds it, and sends it again once the receiver is well.
    let shown = dead_letters(&app.facade.stage, &[]).await;
    assert_eq!(shown, "webhook 1 (App): 0 wait, 0 are being sent, 1 dead\n");
    let listed = dead_letters(&app.facade.stage, &["list", "1"]).await;
    assert!(
        listed.contains(&format!("refused after 2 tries: conversation {id}")),
        "{listed}"
    );
    assert!(!listed.contains("poison"), "{listed}");
    app.receiver.rule(|_| Reply::Status(200));
    let revived = dead_letters(&app.facade.stage, &["revive", "1"]).await;
    assert_eq!(revived, "1 events go to webhook 1 again.\n");
    let seen = app
        .receiver
        .until("it once more", |seen| {
            seen.iter().filter(|it| it.says() == "poison").count() == 3
        })
        .await;
    assert_eq!(seen.last().unwrap().retry(), 0);
    eventually("nothing left", async || {
        let shown = dead_letters(&app.facade.stage, &[]).await;
        shown.starts_with("No webhook of tenant sandbox").then_some(())
    })
    .await;
}

/// Runs `dead-letters`: what it printed.
async fn dead_letters(stage: &Stage, args: &[&str]) -> String {
    let mut command = program();
    command
        .arg("dead-letters")
        .args(args)
        .envs(stage.store_settings());
    command.env("CHATBRIDGE_API_KEY", KEY);
    let output = command.output().await.unwrap();
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{problem}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn receivers_that_are_away_or_silent_delay_no_other() {
    let app = App::new(&[("chat_v2_webhook_timeout_ms", "1000")]).await;
    // Nobody listens at the one, the other never answers.
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let away_uri = format!("http://{}/hook", away.local_addr().unwrap());
    drop(away);
    let silent = Receiver::new().await;
    silent.rule(|_| Reply::Never);
    let (_, to_away) = channel_to(&app.facade, &away_uri).await;
    let (_, to_silent) = channel_to(&app.facade, &silent.uri).await;
    for channel in [&to_away, &to_silent] {
        for _ in 0..5 {
            conversation_on(&app.facade, channel).await;
        }
    }
    silent.until("something to answer", |seen| !seen.is_empty()).await;
    let id = app.handled().await;
    for n in 0..5 {
        app.says(&id, &format!("{n}")).await;
    }
    app.receiver
        .until_says(&id, &begun(&["0", "1", "2", "3", "4"]))
        .await;
    assert!(
        silent.seen().len() < 20,
        "while it is silent, it is asked now and then"
    );
}

#[tokio::test]
async fn what_waits_for_receivers_that_are_away_comes_when_they_are_back() {
    let app = App::new(&[("chat_v2_webhook_timeout_ms", "1000")]).await;
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = away.local_addr().unwrap();
    let (_, channel) = channel_to(&app.facade, &format!("http://{address}/hook")).await;
    drop(away);
    let id = conversation_on(&app.facade, &channel).await;
    app.says(&id, "one").await;
    let failed = r#"chatbridge_chat_v2_deliveries_total{result="unreachable"}"#;
    eventually("an attempt", async || {
        (app.facade.stage.service.metric(failed).await >= 1.0).then_some(())
    })
    .await;
    let back = eventually("its port", async || TcpListener::bind(address).await.ok()).await;
    let back = Receiver::at(back);
    app.says(&id, "two").await;
    back.until_says(&id, &["QUEUED", "AGENT_JOINED", "one", "two"])
        .await;
}

#[tokio::test]
async fn a_silent_receiver_does_not_hold_up_a_stop() {
    let app = App::new(&[
        ("chat_v2_webhook_timeout_ms", "60000"),
        ("drain_deadline_ms", "60000"),
    ])
    .await;
    app.receiver.rule(|_| Reply::Never);
    app.conversation().await;
    app.receiver
        .until("something to answer", |seen| !seen.is_empty())
        .await;
    let stopped = app.facade.stage.service.terminate();
    let stopped = tokio::time::timeout(Duration::from_secs(30), stopped).await;
    assert_eq!(stopped.expect("it does not wait for the receiver"), Some(0));
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_pause_gets_one() {
    let app = App::new(&[]).await;
    let id = app.handled().await;
    let mut asked = false;
    app.receiver.rule(move |_| {
        let first = !std::mem::replace(&mut asked, true);
        match first {
            true => Reply::With(503, "retry-after", "3"),
            false => Reply::Status(204),
        }
    });
    app.says(&id, "one").await;
    app.receiver.until_says(&id, &begun(&["one"])).await;
    let first = tokio::time::Instant::now();
    let before = app.receiver.seen().len();
    app.receiver.until("it again", |seen| seen.len() > before).await;
    // Less than a tenth of it is lost between the answer and this clock.
    assert!(first.elapsed() >= Duration::from_millis(2200));
    assert_eq!(app.receiver.seen().last().unwrap().retry(), 1);
}

#[tokio::test]
async fn redirects_are_not_followed_and_private_addresses_not_sent_to() {
    let app = App::new(&[]).await;
    let elsewhere = Receiver::new().await;
    let uri: &'static str = elsewhere.uri.clone().leak();
    app.receiver.rule(move |_| Reply::With(307, "location", uri));
    let id = app.conversation().await;
    app.receiver
        .until("it twice", |seen| {
            seen.iter().filter(|it| it.is_of(&id)).count() >= 2
        })
        .await;
    assert!(elsewhere.seen().is_empty());

    // The same address, where it is not allowed.
    let (facade, _key) = facade_that_signs(&[]).await;
    let (_, channel) = channel_to(&facade, &elsewhere.uri).await;
    conversation_on(&facade, &channel).await;
    let refused = r#"chatbridge_chat_v2_deliveries_total{result="not_allowed"}"#;
    eventually("the refusal", async || {
        (facade.stage.service.metric(refused).await >= 1.0).then_some(())
    })
    .await;
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_webhook_that_moves_takes_with_it_what_waits() {
    let app = App::new(&[]).await;
    let id = app.handled().await;
    app.receiver.rule(|_| Reply::Status(500));
    app.says(&id, "one").await;
    app.receiver
        .until("it", |seen| seen.iter().any(|it| it.says() == "one"))
        .await;
    let other = Receiver::new().await;
    let body = json!({ "name": "App", "uri": other.uri, "version": "v2.0" });
    app.facade.put("/web-hooks/1", &body, 200, schemas::webhook).await;
    other.until_says(&id, &["one"]).await;
}

#[tokio::test]
async fn a_replica_that_is_killed_and_a_service_that_begins_anew_lose_nothing() {
    let app = App::new(&[]).await;
    let id = app.handled().await;
    app.receiver.rule(|_| Reply::Status(503));
    app.says(&id, "before").await;
    app.receiver
        .until("an attempt", |seen| seen.iter().any(|it| it.says() == "before"))
        .await;
    let App {
        facade,
        receiver,
        key,
        ..
    } = app;
    let config = facade.files.path("settings.toml");
    let key = key.path().to_str().unwrap().to_owned();
    let settings = [
        ("config", config.as_str()),
        ("chat_v2_listen", "127.0.0.1:0"),
        ("chat_v2_token_secret", super::TOKEN_SECRET),
        ("webhook_id", super::WEBHOOK),
        ("chat_v2_signing_key_file", key.as_str()),
        LOOPBACK,
    ];
    let stage = facade.stage.kill_service(&settings).await;
    receiver.rule(|_| Reply::Status(200));
    agent(&stage, &id, json!({ "action": "say", "text": "after" })).await;
    receiver.until_says(&id, &begun(&["before", "after"])).await;
}
