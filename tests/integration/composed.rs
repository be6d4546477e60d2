//! What Chatbridge does for its callers beyond one call for one operation.

use std::{collections::BTreeSet, time::Duration};

use chatbridge::sandbox::Pace;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::support::{
    dynamic::{call, call_with},
    proxy::{Fault, Seen},
    service::eventually,
    stage::{CHANNEL, OTHER_QUEUE, QUEUE, Stage},
};

const ID: &str = "0d0c2f6a-6f0c-4b43-8f8b-6b6a0a4a0a10";

async fn slow() -> Stage {
    Stage::start(Pace::scaled(30.0).unwrap(), &[]).await
}

async fn one(stage: &Stage, rpc: &str, request: Value) -> Result<Value, Status> {
    Ok(call(&stage.channel, rpc, &[request]).await?.remove(0))
}

async fn create(stage: &Stage, user: &str) -> String {
    let request = json!({ "channelId": CHANNEL, "user": { "userId": user } });
    let created = one(stage, "ConversationService/CreateConversation", request)
        .await
        .unwrap();
    created["conversationId"].as_str().unwrap().to_owned()
}

fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

fn posts(seen: &[Seen], end: &str) -> usize {
    seen.iter()
        .filter(|s| s.method == "POST" && s.path().ends_with(end))
        .count()
}

#[tokio::test]
async fn fifty_callers_on_two_replicas_get_one_conversation() {
    let stage = slow().await;
    let other = stage.replica(&[]).await;
    let doors = [stage.channel.clone(), other.channel().await];
    let ask = |n: usize| {
        let door = doors[n % 2].clone();
        async move {
            let user = json!({ "userId": "anna", "name": format!("Anna {n}") });
            let request = json!({ "channelId": CHANNEL, "user": user });
            let answers = call(&door, "ConversationService/FindOrCreateConversation", &[request]).await;
            answers.unwrap().remove(0)
        }
    };
    let answers = join_all((0..50).map(ask)).await;
    let ids: BTreeSet<&str> = answers
        .iter()
        .map(|a| a["conversation"]["conversationId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let created = answers.iter().filter(|a| a["created"] == true).count();
    assert_eq!(created, 1);
    assert_eq!(stage.count("/conversations").await, 1);
    assert_eq!(posts(&stage.proxy.take(), "/conversations"), 1);

    // Another customer, and the same one on the first replica alone, are told apart.
    let request = json!({ "channelId": CHANNEL, "user": { "userId": "ben" } });
    let ben = one(&stage, "ConversationService/FindOrCreateConversation", request)
        .await
        .unwrap();
    assert_eq!(ben["created"], true);
    assert_eq!(stage.count("/conversations").await, 2);
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_is_found_by_the_next_caller() {
    let stage = slow().await;
    stage.proxy.rule(|seen| {
        (seen.method == "POST" && seen.path().ends_with("/conversations")).then_some(Fault::ResetAfter)
    });
    let request = json!({ "channelId": CHANNEL, "user": { "userId": "anna" } });
    let rpc = "ConversationService/FindOrCreateConversation";
    let lost = one(&stage, rpc, request.clone()).await.unwrap_err();
    assert_eq!(
        (lost.code(), reason(&lost).as_str()),
        (Code::Unknown, "UPSTREAM_OUTCOME_UNKNOWN")
    );
    stage.proxy.calm();
    let found = eventually("it is found", async || {
        one(&stage, rpc, request.clone()).await.ok()
    })
    .await;
    assert_eq!(stage.count("/conversations").await, 1);
    let only = stage.upstream("/conversations").await;
    assert_eq!(
        found["conversation"]["conversationId"],
        only["_embedded"]["conversations"][0]["id"]
    );
}

fn hand_over(policy: &str, messages: usize) -> Value {
    let history: Vec<Value> = (0..messages)
        .map(|n| {
            let author = ["AUTHOR_TYPE_USER", "AUTHOR_TYPE_BOT"][n % 2];
            json!({ "authorType": author, "text": format!("line {n}") })
        })
        .collect();
    json!({ "start": {
        "requestId": ID, "channelId": CHANNEL, "user": { "userId": "anna" }, "history": history,
        "transcriptPolicy": policy,
    } })
}

fn file(name: &str) -> [Value; 2] {
    [
        json!({ "file": {
            "fileName": name, "mediaType": "text/plain", "sizeBytes": "5", "authorType": "AUTHOR_TYPE_USER",
        } }),
        json!({ "chunk": "aGVsbG8=" }),
    ]
}

#[tokio::test]
async fn a_long_transcript_is_cut_with_a_note_and_a_repeat_sends_nothing_again() {
    let stage = slow().await;
    let rpc = "ConversationService/HandOverConversation";
    let mut requests = vec![hand_over("TRANSCRIPT_POLICY_KEEP_LATEST", 450)];
    requests.extend(file("a.txt"));
    requests.extend(file("b.txt"));
    stage.proxy.take();
    let first = call(&stage.channel, rpc, &requests).await.unwrap().remove(0);
    let seen = stage.proxy.take();
    let body = seen
        .iter()
        .find(|s| s.path().ends_with("/conversations"))
        .unwrap()
        .json();
    let sent = body["history"]["messages"].as_array().unwrap();
    assert_eq!(sent.len(), 200);
    let omitted = first["omittedMessages"].as_u64().unwrap();
    assert_eq!(omitted, 251);
    assert_eq!(sent[0]["authorType"], "bot");
    assert!(sent[0]["text"].as_str().unwrap().contains("251"), "{}", sent[0]);
    assert_eq!(sent[1]["text"], "line 251");
    assert_eq!(sent[199]["text"], "line 449");
    let files: Vec<_> = first["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["fileName"].as_str().unwrap(), f["messageAccepted"] == true))
        .collect();
    assert_eq!(files, [("a.txt", true), ("b.txt", true)]);
    assert_eq!((posts(&seen, "/attachments"), posts(&seen, "/messages")), (2, 2));

    let again = call(&stage.channel, rpc, &requests).await.unwrap().remove(0);
    assert_eq!(again, first);
    let seen = stage.proxy.take();
    assert!(seen.iter().all(|s| s.method != "POST"), "{seen:?}");
}

#[tokio::test]
async fn a_long_transcript_is_condensed_or_refused_where_the_caller_says_so() {
    let stage = slow().await;
    let rpc = "ConversationService/HandOverConversation";
    let refused = call(&stage.channel, rpc, &[hand_over("TRANSCRIPT_POLICY_FAIL", 201)])
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(stage.count("/conversations").await, 0);

    let answer = call(
        &stage.channel,
        rpc,
        &[hand_over("TRANSCRIPT_POLICY_SUMMARISE", 300)],
    )
    .await
    .unwrap();
    assert!(answer[0].get("omittedMessages").is_none(), "{}", answer[0]);
    let summarised = answer[0]["summarisedMessages"].as_u64().unwrap();
    let seen = stage.proxy.take();
    let body = seen
        .iter()
        .find(|s| s.path().ends_with("/conversations"))
        .unwrap()
        .json();
    let sent = body["history"]["messages"].as_array().unwrap();
    assert!(sent.len() <= 200, "{}", sent.len());
    let text: String = sent
        .iter()
        .map(|m| m["text"].as_str().unwrap())
        .collect::<Vec<_>>()
        .join("\n");
    for n in 0..300 {
        assert!(text.contains(&format!("line {n}")), "line {n} is gone");
    }
    assert!(summarised >= 100, "{summarised}");
}

#[tokio::test]
async fn a_file_that_is_refused_does_not_undo_the_hand_over() {
    let stage = slow().await;
    stage.proxy.rule(|seen| {
        let refused =
            seen.path().ends_with("/attachments") && String::from_utf8_lossy(&seen.body).contains("bad.exe");
        refused.then(|| Fault::Answer {
            status: 415,
            headers: "",
            body: r#"{"message": "This type of file is not taken."}"#.to_owned(),
        })
    });
    let mut requests = vec![hand_over("TRANSCRIPT_POLICY_UNSPECIFIED", 2)];
    requests.extend(file("bad.exe"));
    requests.extend(file("good.txt"));
    let answer = call(
        &stage.channel,
        "ConversationService/HandOverConversation",
        &requests,
    )
    .await
    .unwrap();
    let files = &answer[0]["files"];
    assert_eq!(files[0]["errorReason"], "UPSTREAM_INVALID");
    assert!(files[0].get("attachment").is_none() && files[0].get("messageAccepted").is_none());
    assert!(
        files[0]["errorMessage"]
            .as_str()
            .unwrap()
            .contains("This type of file")
    );
    assert_eq!(files[1]["messageAccepted"], true);
    let id = answer[0]["conversationId"].as_str().unwrap();
    assert_eq!(stage.count(&format!("/conversations/{id}/attachments")).await, 1);

    // A stream that breaks its own rules fails, and says which conversation is there all the same.
    let mut broken = vec![hand_over("TRANSCRIPT_POLICY_UNSPECIFIED", 2)];
    broken[0]["start"]["requestId"] = "0d0c2f6a-6f0c-4b43-8f8b-6b6a0a4a0a11".into();
    broken.push(file("short.txt")[0].clone());
    let status = call(
        &stage.channel,
        "ConversationService/HandOverConversation",
        &broken,
    )
    .await
    .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let info = status.get_details_error_info().unwrap();
    let id = &info.metadata["conversation_id"];
    assert_eq!(stage.count(&format!("/conversations/{id}/attachments")).await, 0);
}

#[tokio::test]
async fn context_beyond_thirty_pairs_is_refused_by_name() {
    let stage = slow().await;
    let pairs: Vec<Value> = (0..32)
        .map(|n| json!({ "key": format!("key-{n}"), "value": "v" }))
        .collect();
    let mut request = hand_over("TRANSCRIPT_POLICY_UNSPECIFIED", 1);
    request["start"]["user"]["additionalProperties"] = pairs.into();
    let status = call(
        &stage.channel,
        "ConversationService/HandOverConversation",
        &[request],
    )
    .await
    .unwrap_err();
    let wrong = format!("{:?}", status.get_details_bad_request().unwrap());
    assert!(wrong.contains("key-30") && wrong.contains("key-31"), "{wrong}");
    assert!(!wrong.contains("key-29"), "{wrong}");
    assert_eq!(stage.count("/conversations").await, 0);
}

#[tokio::test]
async fn a_conversation_is_transferred_until_an_agent_has_it() {
    let stage = slow().await;
    let id = create(&stage, "anna").await;
    let rpc = "ConversationService/TransferConversation";
    let to = |queue: &str| json!({ "conversationId": id, "assignment": { "type": "ASSIGNMENT_TYPE_QUEUE", "id": queue } });
    stage
        .until(&id, "it waits in its queue", |it| it["state"] == "active")
        .await;
    one(&stage, rpc, to(OTHER_QUEUE)).await.unwrap();
    stage
        .until(&id, "it waits in the other queue", |it| {
            it["assignment"]["id"] == OTHER_QUEUE
        })
        .await;

    // By hand, the agent joins at once.
    let say = json!({ "action": "say", "text": "Hello." });
    stage
        .control("POST", &format!("/conversations/{id}/agent"), Some(say))
        .await;
    stage
        .until(&id, "an agent has it", |it| it["assignment"]["type"] == "agent")
        .await;
    stage.proxy.take();
    let late = one(&stage, rpc, to(QUEUE)).await.unwrap_err();
    assert_eq!(
        (late.code(), reason(&late).as_str()),
        (Code::FailedPrecondition, "CONVERSATION_WITH_AGENT")
    );

    one(
        &stage,
        "ConversationService/EndConversation",
        json!({ "conversationId": id }),
    )
    .await
    .unwrap();
    stage.until(&id, "it is idle", |it| it["state"] == "idle").await;
    let over = one(&stage, rpc, to(QUEUE)).await.unwrap_err();
    assert_eq!(
        (over.code(), reason(&over).as_str()),
        (Code::FailedPrecondition, "CONVERSATION_ENDED")
    );
    let patches = stage
        .proxy
        .take()
        .iter()
        .filter(|s| s.method == "PATCH" && s.path().ends_with(&id))
        .count();
    assert_eq!(patches, 0);
}

#[tokio::test]
async fn what_changes_while_the_customer_waits_is_what_the_agent_sees() {
    let stage = slow().await;
    let id = create(&stage, "anna").await;
    stage
        .until(&id, "it waits in its queue", |it| it["state"] == "active")
        .await;
    let change = json!({
        "conversationId": id, "updateMask": "user.additionalProperties",
        "conversation": { "user": { "additionalProperties": [{ "key": "orderId", "value": "4712" }] } },
    });
    one(&stage, "ConversationService/UpdateConversation", change)
        .await
        .unwrap();
    let seen = stage.control("GET", &format!("/conversations/{id}"), None).await;
    assert_eq!(seen["context"], json!([{ "key": "orderId", "value": "4712" }]));
}

#[tokio::test]
async fn a_message_reopens_what_has_ended() {
    let stage = slow().await;
    let id = create(&stage, "anna").await;
    stage
        .until(&id, "it waits in its queue", |it| it["state"] == "active")
        .await;
    one(
        &stage,
        "ConversationService/EndConversation",
        json!({ "conversationId": id }),
    )
    .await
    .unwrap();
    stage.until(&id, "it is idle", |it| it["state"] == "idle").await;
    let message = json!({
        "conversationId": id, "message": { "authorType": "AUTHOR_TYPE_USER", "text": "One thing more." },
    });
    one(&stage, "ConversationService/SendMessage", message)
        .await
        .unwrap();
    stage
        .until(&id, "it waits again", |it| it["state"] == "active")
        .await;
    let interactions = one(
        &stage,
        "ConversationService/ListInteractions",
        json!({ "conversationId": id }),
    );
    let interactions = interactions.await.unwrap();
    assert_eq!(interactions["totalSize"], 2, "{interactions}");
    let all = interactions["interactions"].as_array().unwrap();
    let ended = all.iter().filter(|it| it.get("endTime").is_some()).count();
    assert_eq!((all.len(), ended), (2, 1));
}

/// Sends a message whose answer the vendor holds back, gives up as `wait` says, and checks what is left of the call.
async fn given_up(wait: impl AsyncFnOnce(&Stage, &str, &Value)) {
    let stage = slow().await;
    let id = create(&stage, "anna").await;
    stage
        .until(&id, "it waits in its queue", |it| it["state"] == "active")
        .await;
    let is_send = |seen: &Seen| seen.method == "POST" && seen.path().ends_with("/messages");
    stage.proxy.rule(move |seen| is_send(seen).then_some(Fault::Hold));
    let message = json!({
        "conversationId": id, "requestId": ID,
        "message": { "authorType": "AUTHOR_TYPE_BOT", "text": "Are you there?" },
    });
    let rpc = "ConversationService/SendMessage";
    wait(&stage, rpc, &message).await;
    // Nobody waits any more, so the request upstream is over, long before its own time limit.
    eventually("the request upstream is given up", async || {
        stage
            .proxy
            .saw(|seen| is_send(seen) && seen.hung_up)
            .then_some(())
    })
    .await;
    stage.proxy.calm();
    // What is left is not a call that seems to run, but one of unknown outcome, which the repeat looks up.
    eventually("the repeat knows", async || {
        match one(&stage, rpc, message.clone()).await {
            Ok(_) => Some(()),
            Err(status) => {
                assert!(
                    matches!(status.code(), Code::Aborted | Code::Unknown),
                    "{status:?}"
                );
                None
            }
        }
    })
    .await;
    let messages = stage.count(&format!("/conversations/{id}/messages")).await;
    assert_eq!(messages, 1);
}

#[tokio::test]
async fn the_callers_deadline_ends_the_request_upstream() {
    given_up(async |stage, rpc, message| {
        let mut request = Request::new(vec![message.clone()]);
        request.set_timeout(Duration::from_millis(700));
        let late = call_with(&stage.channel, rpc, request).await;
        assert!(late.is_err(), "{late:?}");
    })
    .await;
}

#[tokio::test]
async fn a_caller_who_goes_away_ends_the_request_upstream() {
    given_up(async |stage, rpc, message| {
        let gone = tokio::time::timeout(Duration::from_millis(700), one(stage, rpc, message.clone())).await;
        assert!(gone.is_err(), "{gone:?}");
    })
    .await;
}
