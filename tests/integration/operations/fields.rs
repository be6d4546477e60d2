//! What the vendor alone can refuse, called through gRPC against the sandbox: the caller's own field is named.

use chatbridge::sandbox::Pace;
use serde_json::{Value, json};
use tonic_types::StatusExt as _;

use crate::support::{
    dynamic::call,
    stage::{CHANNEL, QUEUE, Stage},
};

const CREATE: &str = "ConversationService/CreateConversation";
const FIND: &str = "ConversationService/FindOrCreateConversation";
const HAND_OVER: &str = "ConversationService/HandOverConversation";
const UPDATE: &str = "ConversationService/UpdateConversation";
const REPLACE: &str = "ConversationService/ReplaceConversation";

/// A call, and the fields that its refusal must name.
struct Row {
    rpc: &'static str,
    request: Value,
    fields: Vec<String>,
}

fn row(rpc: &'static str, request: Value, fields: &[&str]) -> Row {
    Row {
        rpc,
        request,
        fields: fields.iter().map(|&field| field.to_owned()).collect(),
    }
}

/// What can be wrong with a new conversation: fields that replace those of a good one, and what is named.
fn wrong_beginnings() -> Vec<(Value, Vec<&'static str>)> {
    let queue = |kind: &str, id: &str| json!({"type": format!("ASSIGNMENT_TYPE_{kind}"), "id": id});
    let said = |extra: Value| {
        let mut message = json!({"authorType": "AUTHOR_TYPE_USER"});
        message
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        message
    };
    vec![
        (json!({"channelId": "gone"}), vec!["channel_id"]),
        (json!({"channelId": "sandbox-widget"}), vec!["channel_id"]),
        (
            json!({"user": {"userId": "u", "email": "nobody"}}),
            vec!["user.email"],
        ),
        (json!({"assignment": queue("QUEUE", "9")}), vec!["assignment.id"]),
        (json!({"assignment": queue("SCRIPT", "9")}), vec!["assignment.id"]),
        (
            json!({"history": [
                said(json!({"text": "one"})),
                said(json!({"externalProvider": {"name": "Y", "externalMessageId": "1"}})),
            ]}),
            vec!["history[1].external_provider.name"],
        ),
        (
            json!({"history": [said(json!({"cards": [{"contentType": "Hologram", "content": {}}]}))]}),
            vec!["history[0].cards[0].content_type"],
        ),
        (
            json!({"channelId": "gone", "user": {"userId": "u", "email": "@"}, "assignment": queue("QUEUE", "9")}),
            vec!["channel_id", "user.email", "assignment.id"],
        ),
    ]
}

fn beginnings() -> Vec<Row> {
    let mut rows = Vec::new();
    for (wrong, fields) in wrong_beginnings() {
        let mut start = json!({"channelId": CHANNEL, "user": {"userId": "u"}});
        start
            .as_object_mut()
            .unwrap()
            .extend(wrong.as_object().unwrap().clone());
        let under_start: Vec<String> = fields.iter().map(|field| format!("start.{field}")).collect();
        rows.push(row(CREATE, start.clone(), &fields));
        rows.push(row(FIND, start.clone(), &fields));
        rows.push(Row {
            rpc: HAND_OVER,
            request: json!({"start": start}),
            fields: under_start,
        });
    }
    rows
}

fn changes(conversation: &str) -> Vec<Row> {
    let queue = |id: &str| json!({"type": "ASSIGNMENT_TYPE_QUEUE", "id": id});
    let update = |mask: &str, it: Value| json!({"conversationId": conversation, "updateMask": mask, "conversation": it});
    let replacement = |channel: &str, email: &str, queue_id: &str| {
        json!({"conversation": {
            "conversationId": conversation, "channelId": channel, "user": {"email": email},
            "assignment": queue(queue_id),
        }})
    };
    let good = "a@example.com";
    vec![
        row(
            UPDATE,
            update("user.email", json!({"user": {"email": "nobody"}})),
            &["conversation.user.email"],
        ),
        row(
            UPDATE,
            update("assignment", json!({"assignment": queue("9")})),
            &["conversation.assignment.id"],
        ),
        row(
            REPLACE,
            replacement("gone", good, QUEUE),
            &["conversation.channel_id"],
        ),
        row(
            REPLACE,
            replacement(CHANNEL, "x", QUEUE),
            &["conversation.user.email"],
        ),
        row(
            REPLACE,
            replacement("sandbox-widget", good, "9"),
            &["conversation.channel_id", "conversation.assignment.id"],
        ),
        row(
            "ConversationService/TransferConversation",
            json!({"conversationId": conversation, "assignment": queue("9")}),
            &["assignment.id"],
        ),
    ]
}

fn configuration(webhook: &str, channel: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for rpc in [
        "ConfigurationService/CreateWebhook",
        "ConfigurationService/ReplaceWebhook",
    ] {
        let id = if rpc.ends_with("ReplaceWebhook") {
            webhook
        } else {
            ""
        };
        let of = |uri: &str, version: &str| json!({"webhook": {"id": id, "name": "w", "uri": uri, "version": version}});
        rows.push(row(rpc, of("https://example.com", "v7"), &["webhook.version"]));
    }
    for rpc in [
        "ConfigurationService/CreateChannel",
        "ConfigurationService/ReplaceChannel",
    ] {
        let id = if rpc.ends_with("ReplaceChannel") {
            channel
        } else {
            ""
        };
        let of = |kind: &str, webhook: &str, queue: &str| json!({"channel": {"id": id, "name": "c", "type": kind, "webhookId": webhook, "queueId": queue}});
        rows.push(row(rpc, of("ChatAPI", "gone", QUEUE), &["channel.webhook_id"]));
        rows.push(row(rpc, of("ChatAPI", webhook, "9"), &["channel.queue_id"]));
        rows.push(row(rpc, of("SMS", webhook, QUEUE), &["channel.type"]));
    }
    rows.push(row(
        "ConfigurationService/VerifyWebhook",
        json!({"uri": "http://127.0.0.1:9/", "version": "v7"}),
        &["version"],
    ));
    rows
}

/// What the vendor refuses without naming a field: its sentence must say what is wrong.
fn unnamed(conversation: &str) -> Vec<(&'static str, Value, &'static str)> {
    let send = |extra: Value| {
        let mut message = json!({"authorType": "AUTHOR_TYPE_USER"});
        message
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        json!({"conversationId": conversation, "message": message})
    };
    vec![
        (
            "ConversationService/SendMessage",
            send(json!({"attachments": [{"id": "gone"}]})),
            "no attachment",
        ),
        (
            "ConversationService/SendMessage",
            send(json!({"externalProvider": {"name": "Y", "externalMessageId": "1"}})),
            "only provider is X",
        ),
        (
            "ConversationService/SendMessage",
            send(json!({"cards": [{"contentType": "Hologram", "content": {}}]})),
            "contentType of a card",
        ),
        (
            "ConversationService/CreatePostAgentAssignment",
            json!({"conversationId": conversation, "webhookId": "gone"}),
            "no webhook gone",
        ),
        (
            "ConversationService/ListConversations",
            json!({"orderBy": "weather"}),
            "FIELD one of",
        ),
        (
            "ConversationService/ListConversations",
            json!({"filter": "weather==fine"}),
            "filters by",
        ),
        (
            "ConfigurationService/VerifyWebhook",
            json!({"uri": "http://127.0.0.1:9/"}),
            "did not answer",
        ),
    ]
}

async fn refused(stage: &Stage, rpc: &str, request: &Value) -> tonic::Status {
    stage.proxy.take();
    let status = call(&stage.channel, rpc, std::slice::from_ref(request)).await;
    let status = status.expect_err(rpc);
    assert_eq!(
        status.code(),
        tonic::Code::InvalidArgument,
        "{rpc} {request}: {status:?}"
    );
    assert!(
        stage.proxy.saw(|seen| seen.status == Some(400)),
        "{rpc} {request} never reached the vendor: {status:?}"
    );
    status
}

#[tokio::test]
async fn a_refusal_names_the_callers_own_fields() {
    let stage = Stage::start(Pace::scaled(30.0).unwrap(), &[]).await;
    let start = json!({"channelId": CHANNEL, "user": {"userId": "good"}});
    let made = call(&stage.channel, CREATE, &[start]).await.unwrap();
    let conversation = made[0]["conversationId"].as_str().unwrap();
    let webhook = json!({"webhook": {"name": "w", "uri": "https://example.com"}});
    let made = call(&stage.channel, "ConfigurationService/CreateWebhook", &[webhook]).await;
    let webhook = made.unwrap()[0]["webhook"]["id"].as_str().unwrap().to_owned();
    let channel = json!({"channel": {"name": "c", "webhookId": webhook, "queueId": QUEUE}});
    let made = call(&stage.channel, "ConfigurationService/CreateChannel", &[channel]).await;
    let channel = made.unwrap()[0]["channel"]["id"].as_str().unwrap().to_owned();

    let rows = beginnings().into_iter().chain(changes(conversation));
    for Row { rpc, request, fields } in rows.chain(configuration(&webhook, &channel)) {
        let status = refused(&stage, rpc, &request).await;
        let named = status.get_details_bad_request();
        let named = named.unwrap_or_else(|| panic!("{rpc} {request} names nothing: {status:?}"));
        let mut named: Vec<String> = named.field_violations.into_iter().map(|it| it.field).collect();
        named.dedup();
        assert_eq!(named, fields, "{rpc} {request}");
    }
    for (rpc, request, says) in unnamed(conversation) {
        let status = refused(&stage, rpc, &request).await;
        assert!(status.message().contains(says), "{rpc} {request}: {status:?}");
        assert!(status.get_details_bad_request().is_none(), "{rpc}");
    }
    let (conversations, user) = (stage.count("/conversations").await, "good");
    assert_eq!(conversations, 1, "only {user} has one");
}

/// A transcript that was shortened on the way: the vendor counts other messages than the caller.
#[tokio::test]
async fn a_shortened_transcript_is_named_without_an_index() {
    let stage = Stage::start(Pace::scaled(30.0).unwrap(), &[]).await;
    let mut history: Vec<Value> = (0..250)
        .map(|n| json!({"authorType": "AUTHOR_TYPE_USER", "text": n.to_string()}))
        .collect();
    history.push(
        json!({"authorType": "AUTHOR_TYPE_BOT", "externalProvider": {"name": "Y", "externalMessageId": "1"}}),
    );
    let start = json!({"channelId": CHANNEL, "user": {"userId": "u"}, "history": history});
    let status = refused(&stage, HAND_OVER, &json!({"start": start})).await;
    let named = status.get_details_bad_request().unwrap().field_violations;
    assert_eq!(named.len(), 1);
    assert_eq!(named[0].field, "start.history.external_provider.name");
}
