//! `chatbridge sandbox run` and `chatbridge sandbox fault`, as programs.

use std::{
    path::Path,
    process::{Output, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{process::Child, time::timeout};

use super::{greeted, world::World};
use crate::support::service::{PATIENCE, eventually, program};

/// An agent's and a customer's side of a conversation that is passed on twice, and a bot's by the REST API.
const TWICE: &str = r#"
name: An angry customer is transferred twice
setup:
  agents:
    - {id: maria, name: Maria, skills: [orders], behaviour: absent}
    - {id: ivan, name: Ivan, skills: [returns], behaviour: absent}
begin:
  api:
    user: {name: Anna, userId: anna-1, additionalProperties: [{key: orderId, value: "4711"}]}
    history: {messages: [{authorType: user, text: This is the third time!}]}
steps:
  - agentSignsIn: maria
  - agentSignsIn: ivan
  - expect:
      queue: "100"
      offeredTo: maria
      context: {orderId: "4711"}
      user: {name: Anna}
      message: {from: user, contains: third}
  - agentDeclines: maria
  - agentSignsIn: maria
  - agentAccepts: maria
  - agentTypes: maria
  - agentSays: {agent: maria, prepared: greeting}
  - expect: {message: {from: maria, contains: "Hello Anna"}, agent: maria}
  - customerSays: Not you again!
  - agentTransfers: {agent: maria, toQueue: "200"}
  - agentAccepts: ivan
  - agentTransfers: {agent: ivan, toAgent: maria}
  - agentAccepts: maria
  - agentSays:
      agent: maria
      text: It is found.
      cards: [{contentType: Buttons, content: {title: Track it}}]
  - expect: {message: {from: agent, text: It is found.}, noMessage: {from: bot}, forMs: 50}
  - agentWrapsUp: {agent: maria, code: complaint}
  - expect: {state: idle, transactionCode: complaint}
"#;

const SCRIPTED: &str = r#"
name: Maria answers by the script, late
begin:
  widget: {text: Hello, user: {name: Ben}}
steps:
  - fault: {kind: latency, ms: 50, method: GET}
  - customerSendsFile: {name: a.txt, content: abc, text: Look}
  - expect: {message: {from: user, text: Look}}
  - endFaults
  - pauseMs: 1
  - customerLeaves
  - expect: {state: idle}
"#;

/// Maria leaves before she writes up, and is by the script again when the customer comes back.
const HANDED: &str = r#"
name: An agent leaves, and the customer comes back
begin:
  api: {user: {name: Anna, language: en}}
steps:
  - agentSignsIn: maria
  - agentAccepts: maria
  - agentLeaves: maria
  - expect: {state: active}
  - agentWrapsUp: {agent: maria, code: resolved, note: Told her.}
  - expect: {state: idle, transactionCode: resolved}
  - customerSays: One more thing.
  - expect: {queue: "100", offeredTo: maria}
  - agentSignsOut: maria
  - expect: {agent: maria, message: {from: maria, contains: Hello Anna}}
"#;

async fn run(args: &[&str], dir: &Path) -> (Option<i32>, String, String) {
    let output: Output = program()
        .current_dir(dir)
        .args(["sandbox"])
        .args(args)
        .output()
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn scenarios_are_played_and_reported() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("twice.yaml", TWICE);
    write("scripted.yaml", SCRIPTED);
    write(
        "fails.yaml",
        &SCRIPTED.replace("state: idle", "state: active, withinMs: 100"),
    );
    let (code, out, err) = run(&["run", "twice.yaml", "scripted.yaml"], dir.path()).await;
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert_eq!(out.matches("ok    ").count(), 2, "{out}");

    write("handed.yaml", HANDED);
    let (code, out, err) = run(&["run", "handed.yaml"], dir.path()).await;
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");

    let all = ["run", "twice.yaml", "fails.yaml", "--junit", "report.xml"];
    let (code, out, _) = run(&all, dir.path()).await;
    assert_eq!(code, Some(1), "{out}");
    let why = "step 7, expect: after 100 ms: state is \"idle\", not “active”";
    assert!(out.contains(&format!("      {why}")), "{out}");
    let report = std::fs::read_to_string(dir.path().join("report.xml")).unwrap();
    let expected = [
        "tests=\"2\"",
        "failures=\"1\"",
        "classname=\"twice.yaml\"",
        "name=\"An angry customer is transferred twice\"",
        "<failure message=\"step 7, expect: after 100 ms: state is &quot;idle&quot;, not “active”\"",
    ];
    for part in expected {
        assert!(report.contains(part), "{part} is not in {report}");
    }
}

#[tokio::test]
async fn what_cannot_be_played_is_said_before_anything_is() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("good.yaml", SCRIPTED);
    write("typo.yaml", &SCRIPTED.replace("customerLeaves", "customerLeave"));
    write("field.yaml", &SCRIPTED.replace("{state: idle}", "{stat: idle}"));
    for (file, why) in [
        ("typo.yaml", "customerLeave"),
        ("field.yaml", "stat"),
        ("none.yaml", "none.yaml cannot be read"),
    ] {
        let (code, out, err) = run(&["run", "good.yaml", file], dir.path()).await;
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains(file) && err.contains(why), "{err}");
    }
    let away = ["run", "good.yaml", "--sandbox", "http://127.0.0.1:9"];
    let (code, out, _) = run(&away, dir.path()).await;
    assert_eq!(code, Some(1));
    assert!(out.contains("cannot be reached"), "{out}");
}

#[tokio::test]
async fn a_scenario_waits_for_a_conversation_that_somebody_else_begins() {
    let world = World::start().await;
    let dir = tempfile::tempdir().unwrap();
    let scenario = "name: Begun by the bot\nbegin: {awaitUser: u-7}\nwithinMs: 15000\nsteps:\n  \
                    - agentSignsIn: maria\n  - agentAccepts: maria\n  - expect: {agent: maria}\n";
    std::fs::write(dir.path().join("await.yaml"), scenario).unwrap();
    let args = ["run", "await.yaml", "--sandbox", world.base.as_str()];
    let played = run(&args, dir.path());
    let begun = async {
        world
            .agent("maria", "she is signed in", |it| it["signedIn"] == true)
            .await;
        world.create(json!({"user": {"userId": "u-7"}})).await
    };
    let ((code, out, _), _) = tokio::join!(played, begun);
    assert_eq!(code, Some(0), "{out}");
    world
        .agent("maria", "she is signed out", |it| it["signedIn"] == false)
        .await;
}

/// A contact centre of a team's own.
const TEAM: &str =
    "queues:\n  - {id: '7', name: Support, skill: help}\nagents:\n  - {id: ann, name: Ann, skills: [help]}\n";

/// Starts a program that serves a sandbox on a free port; where it is, once it is.
async fn serving(args: &[&str], dir: &Path) -> (Child, String) {
    let ready = dir.join("ready.json");
    let mut server = program();
    server
        .current_dir(dir)
        .args(args)
        .args(["--pace", "instant", "--ready-file", "ready.json"]);
    for port in ["GRPC", "WEBHOOK", "ADMIN", "SANDBOX"] {
        server.env(format!("CHATBRIDGE_{port}_LISTEN"), "127.0.0.1:0");
    }
    server.stdout(Stdio::null());
    let server = server.spawn().unwrap();
    let addresses: Value = eventually("it listens", async || {
        let text = std::fs::read(&ready).ok()?;
        Some(serde_json::from_slice(&text).unwrap())
    })
    .await;
    std::fs::remove_file(&ready).unwrap();
    (
        server,
        format!("http://{}/sandbox/v1", addresses["sandbox"].as_str().unwrap()),
    )
}

#[tokio::test]
async fn a_teams_own_contact_centre_and_what_was_said_are_there_again() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("team.yaml"), TEAM).unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |url: String| -> Value { http.get(url).send().await.unwrap().json().await.unwrap() };
    // What `sandbox` has saved, `dev` goes on with.
    for (round, command) in ["sandbox", "dev", "dev"].into_iter().enumerate() {
        let args = [command, "--setup", "team.yaml", "--state", "state.json"];
        let (mut server, base) = serving(&args, dir.path()).await;
        let setup = get(format!("{base}/setup")).await;
        assert_eq!(
            (
                &setup["queues"][0]["name"],
                &setup["agents"][0]["id"],
                &setup["offerSeconds"]
            ),
            (&json!("Support"), &json!("ann"), &json!(30))
        );
        let begin = http.post(format!("{base}/widget/conversations"));
        assert_eq!(
            begin.json(&json!({"text": "Hi"})).send().await.unwrap().status(),
            201
        );
        let all = get(format!("{base}/conversations")).await;
        assert_eq!(
            all["conversations"].as_array().unwrap().len(),
            round + 1,
            "{command}"
        );
        kill(
            Pid::from_raw(i32::try_from(server.id().unwrap()).unwrap()),
            Signal::SIGTERM,
        )
        .unwrap();
        let ended = timeout(PATIENCE, server.wait()).await;
        assert_eq!(ended.expect("it ends").unwrap().code(), Some(0), "{command}");
    }
}

#[tokio::test]
async fn a_file_that_makes_no_contact_centre_is_refused_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("typo.yaml", &TEAM.replace("agents:", "agent:"));
    write(
        "twice.yaml",
        &TEAM.replace("[help]}", "[help]}\n  - {id: ann, name: Other}"),
    );
    for (option, file, why) in [
        ("--setup", "typo.yaml", "the set-up in typo.yaml cannot be taken"),
        ("--setup", "twice.yaml", "There are two of the agent ann."),
        ("--setup", "none.yaml", "none.yaml"),
        (
            "--translator-url",
            "http://translate.example/",
            "is not on this machine",
        ),
        (
            "--translator-url",
            "ftp://127.0.0.1/",
            "must begin with http:// or https://",
        ),
    ] {
        for command in ["sandbox", "dev"] {
            let mut server = program();
            server.current_dir(dir.path()).args([command, option, file]);
            for port in ["GRPC", "WEBHOOK", "ADMIN", "SANDBOX"] {
                server.env(format!("CHATBRIDGE_{port}_LISTEN"), "127.0.0.1:0");
            }
            let output = timeout(PATIENCE, server.output()).await.unwrap().unwrap();
            let err = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{command} {file}: {err}");
            assert!(err.contains(why), "{command} {file}: {err}");
        }
    }
}

#[tokio::test]
async fn faults_are_set_listed_and_ended() {
    let world = World::start().await;
    let id = greeted(&world).await;
    let dir = tempfile::tempdir().unwrap();
    let base = world.base.clone();
    let fault = async |args: &[&str]| {
        let all = [&["fault"][..], args, &["--sandbox", base.as_str()]].concat();
        run(&all, dir.path()).await
    };
    let add = [
        "add",
        "status",
        "--status",
        "429",
        "--retry-after",
        "7",
        "--times",
        "1",
        "--method",
        "get",
        "--path",
        "/conversations",
        "--conversation",
        id.as_str(),
    ];
    let (code, out, err) = fault(&add).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("\"id\":1"), "{out}");
    let answer = world
        .rest(Method::GET, &format!("/conversations/{id}"), None)
        .await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    world.get(&format!("/conversations/{id}")).await;
    fault(&["add", "never-accepts", "--agent", "maria"]).await;
    fault(&["add", "forge", "--forgery", "kid", "--event-type", "MESSAGE"]).await;
    let (_, out, _) = fault(&["list"]).await;
    assert_eq!(out.lines().count(), 3, "{out}");
    assert!(
        out.contains("\"hits\":1") && out.contains("\"forgery\":\"kid\""),
        "{out}"
    );
    assert_eq!(fault(&["end", "1"]).await.0, Some(0));
    assert_eq!(fault(&["end", "1"]).await.0, Some(2));
    let (code, _, err) = fault(&["add", "drop", "--path", "/x"]).await;
    assert_eq!(code, Some(2));
    assert!(
        err.contains("path does not belong to this kind of fault."),
        "{err}"
    );
    assert_eq!(fault(&["add", "rotate-key", "--forget-old"]).await.0, Some(0));
    assert_eq!(fault(&["clear"]).await.0, Some(0));
    let faults = world.control(Method::GET, "/faults", None, 200).await;
    assert_eq!(faults, json!({"faults": []}));
    let (code, _, err) = run(&["fault", "list", "--sandbox", "http://127.0.0.1:9"], dir.path()).await;
    assert_eq!(code, Some(1));
    assert!(err.contains("cannot be reached"), "{err}");
}

#[tokio::test]
async fn every_kind_of_fault_can_be_set_from_the_command_line() {
    let world = World::start().await;
    let dir = tempfile::tempdir().unwrap();
    let kinds: [(&str, &[&str], &str); 13] = [
        ("latency", &["--ms", "5"], "latency"),
        ("status", &["--status", "503"], "status"),
        ("lost-answer", &["--method", "POST"], "lostAnswer"),
        ("duplicate", &["--copies", "2"], "duplicate"),
        ("delay", &["--ms", "5"], "delay"),
        ("reorder", &["--event-type", "MESSAGE"], "reorder"),
        ("forge", &["--forgery", "body"], "forge"),
        ("forge", &["--forgery", "key"], "forge"),
        ("forge", &["--forgery", "stale"], "forge"),
        ("forge", &["--forgery", "tenant"], "forge"),
        ("drop", &["--times", "1"], "drop"),
        ("rotate-key", &[], "rotateKey"),
        ("never-accepts", &["--agent", "ivan"], "neverAccepts"),
    ];
    let mut set = Vec::new();
    for (kind, options, name) in kinds {
        let args = [
            &["fault", "add", kind, "--sandbox", world.base.as_str()][..],
            options,
        ]
        .concat();
        let (code, _, err) = run(&args, dir.path()).await;
        assert_eq!((code, err.as_str()), (Some(0), ""), "{args:?}");
        // A new key is there at once, and not set.
        if kind != "rotate-key" {
            set.push(name);
        }
    }
    let faults = world.control(Method::GET, "/faults", None, 200).await;
    let faults = faults["faults"].as_array().unwrap().iter();
    let listed: Vec<&str> = faults.map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(listed, set);
}
