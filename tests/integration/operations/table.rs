//! The table: for each call, what is asked, what must go upstream, and how the answer must read.
//!
//! The rows run in order, on one conversation that waits in a queue. `<name>` stands for what an earlier row kept.

use serde_json::{Map, Value, json};

use super::Names;

/// A call.
pub(super) struct Row {
    /// `Service/Method`.
    pub(super) rpc: &'static str,
    /// What is asked: one request, or a stream.
    pub(super) requests: Vec<Value>,
    /// What goes upstream, in this order.
    pub(super) upstream: Vec<Expected>,
    /// How the answers must read, given what the vendor answered.
    pub(super) answer: fn(&[Value], &Names) -> Vec<Value>,
    /// What later rows refer to: a name, and where it is in an answer.
    pub(super) keeps: &'static [(&'static str, &'static str)],
}

/// A request that goes upstream.
pub(super) struct Expected {
    /// Method, path and query.
    pub(super) line: &'static str,
    pub(super) body: Body,
}

/// What a request carries.
pub(super) enum Body {
    Nothing,
    Json(Value),
    File {
        author: &'static str,
        file_name: &'static str,
        media_type: &'static str,
        content: &'static str,
    },
}

fn row(rpc: &'static str, request: Value, line: &'static str, body: Body) -> Row {
    Row {
        rpc,
        requests: vec![request],
        upstream: vec![Expected { line, body }],
        answer: |_, _| vec![json!({})],
        keeps: &[],
    }
}

impl Row {
    fn answers(mut self, answer: fn(&[Value], &Names) -> Vec<Value>) -> Self {
        self.answer = answer;
        self
    }

    fn keeps(mut self, keeps: &'static [(&'static str, &'static str)]) -> Self {
        self.keeps = keeps;
        self
    }
}

/// An object without the fields that are null or empty, as protobuf's JSON leaves them out.
fn given(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(_, value)| {
                    !(value.is_null()
                        || value == ""
                        || value == false
                        || value == 0
                        || value.as_array().is_some_and(Vec::is_empty))
                })
                .collect::<Map<_, _>>(),
        ),
        other => other,
    }
}

fn word(prefix: &str, word: &Value) -> Value {
    word.as_str()
        .map_or(Value::Null, |w| format!("{prefix}_{}", w.to_uppercase()).into())
}

fn user(it: &Value) -> Value {
    given(json!({
        "name": it["name"], "userId": it["userId"], "email": it["email"], "phone": it["phone"],
        "company": it["company"], "caseId": it["caseId"], "language": it["language"],
        "additionalProperties": it["additionalProperties"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|pair| given(pair.clone()))
            .collect::<Vec<_>>(),
    }))
}

fn conversation(it: &Value) -> Value {
    let assignment = it
        .get("assignment")
        .map(|a| given(json!({ "type": word("ASSIGNMENT_TYPE", &a["type"]), "id": a["id"] })));
    let mut all = given(json!({
        "tenant": "sandbox", "conversationId": it["id"], "channelId": it["channelId"],
        "state": word("CONVERSATION_STATE", &it["state"]), "assignment": assignment,
    }));
    all["user"] = user(&it["user"]);
    all
}

fn participant(it: &Value) -> Value {
    given(json!({
        "id": it["id"], "type": word("AUTHOR_TYPE", &it["type"]), "removed": it["removed"],
        "language": it["language"],
    }))
}

fn card(it: &Value) -> Value {
    given(json!({
        "id": it["id"], "contentType": it["contentType"], "content": it["content"],
        "actionSubmitted": it["actionSubmitted"], "actionExecuted": it["actionExecuted"],
    }))
}

fn message(it: &Value) -> Value {
    let each = |list: &Value, of: fn(&Value) -> Value| -> Value {
        list.as_array().into_iter().flatten().map(of).collect()
    };
    given(json!({
        "id": it["id"], "author": participant(&it["author"]), "text": it["text"],
        "createTime": it["createdAt"],
        "attachments": each(&it["attachments"], |a| json!({ "id": a["id"] })),
        "cards": each(&it["cards"], card),
        "externalProvider": it.get("externalProvider"),
    }))
}

fn attachment(it: &Value) -> Value {
    given(json!({
        "id": it["id"], "fileName": it["filename"], "type": it["type"],
        // A 64-bit integer is a string in protobuf's JSON.
        "sizeBytes": it["sizeInBytes"].as_u64().map(|n| n.to_string()), "createTime": it["createdAt"],
    }))
}

fn webhook(it: &Value) -> Value {
    given(json!({ "id": it["id"], "name": it["name"], "uri": it["uri"], "version": it["version"] }))
}

fn channel(it: &Value) -> Value {
    given(json!({
        "id": it["id"], "name": it["name"], "type": it["type"], "webhookId": it["webHookId"],
        "queueId": it["routingOptions"]["id"],
    }))
}

fn list(answer: &Value, name: &str, of: fn(&Value) -> Value) -> Vec<Value> {
    let items: Vec<Value> = answer["_embedded"][name]
        .as_array()
        .into_iter()
        .flatten()
        .map(of)
        .collect();
    vec![given(
        json!({ name: items, "totalSize": answer["page"]["totalElements"] }),
    )]
}

const ADAPTIVE: &str = "application/vnd.microsoft.card.adaptive";

fn card_content() -> Value {
    json!({
        "type": "AdaptiveCard", "version": "1.3",
        "body": [{ "type": "TextBlock", "text": "Which size?" }],
        "actions": [{ "type": "Action.Submit", "title": "Large", "data": { "size": "L" } }],
    })
}

/// All rows.
pub(super) fn rows() -> Vec<Row> {
    let mut all = creating();
    all.extend(files());
    all.extend(talking());
    all.extend(changing());
    all.extend(configuring());
    all.extend(composed());
    all
}

fn creating() -> Vec<Row> {
    vec![
        row(
            "ConversationService/CreateConversation",
            json!({
                "requestId": "6f1c2c7e-1d2f-4c3a-9a55-0e8b3c7f4d21", "channelId": "<channel>",
                "user": {
                    "name": "Anna Weiß", "userId": "u-1", "email": "anna@example.com", "phone": "+49 30 1",
                    "company": "Kettles & Co", "caseId": "C-7", "language": "de",
                    "additionalProperties": [{ "key": "orderId", "value": "4711" }, { "key": "empty" }],
                },
                "assignment": { "type": "ASSIGNMENT_TYPE_QUEUE", "id": "<queue>" },
                "history": [
                    { "authorType": "AUTHOR_TYPE_USER", "text": "It leaks." },
                    {
                        "authorType": "AUTHOR_TYPE_BOT", "text": "Where?",
                        "cards": [{ "contentType": "Buttons", "content": { "options": ["spout", "lid"], "n": 1 } }],
                    },
                    {
                        "authorType": "AUTHOR_TYPE_USER",
                        "externalProvider": { "name": "X", "externalMessageId": "123" },
                    },
                ],
                "labels": { "team": "web" },
            }),
            "POST /chat-gateway/v1/conversations",
            Body::Json(json!({
                "channelId": "<channel>",
                "user": {
                    "name": "Anna Weiß", "userId": "u-1", "email": "anna@example.com", "phone": "+49 30 1",
                    "company": "Kettles & Co", "caseId": "C-7", "language": "de",
                    "additionalProperties": [{ "key": "orderId", "value": "4711" }, { "key": "empty", "value": "" }],
                },
                "assignment": { "type": "queue", "id": "<queue>" },
                "history": { "messages": [
                    { "authorType": "user", "text": "It leaks." },
                    {
                        "authorType": "bot", "text": "Where?",
                        "cards": [{ "contentType": "Buttons", "content": { "options": ["spout", "lid"], "n": 1 } }],
                    },
                    { "authorType": "user", "externalProvider": { "name": "X", "externalMessageId": "123" } },
                ] },
            })),
        )
        .answers(|from, _| {
            vec![json!({
                "tenant": "sandbox", "conversationId": from[0]["conversationId"], "createTime": from[0]["createdAt"],
            })]
        })
        .keeps(&[("conversation", "/conversationId")]),
        row(
            "ConversationService/GetConversation",
            json!({ "conversationId": "<conversation>", "tenant": "<tenant>" }),
            "GET /chat-gateway/v1/conversations/<conversation>",
            Body::Nothing,
        )
        .answers(|from, _| vec![json!({ "conversation": conversation(&from[0]) })]),
        row(
            "ConversationService/ListConversations",
            json!({ "pageSize": 7, "filter": "state==active;channelId==<channel>", "orderBy": "id desc" }),
            "GET /chat-gateway/v1/conversations?size=7&sort=id%3Adesc&filter=state%3D%3Dactive%3BchannelId%3D%3D<channel>",
            Body::Nothing,
        )
        .answers(|from, _| list(&from[0], "conversations", conversation)),
        row(
            "ConversationService/ListInteractions",
            json!({ "conversationId": "<conversation>" }),
            "GET /chat-gateway/v1/conversations/<conversation>/interactions",
            Body::Nothing,
        )
        .answers(|from, _| {
            list(&from[0], "interactions", |it| {
                given(json!({ "id": it["id"], "startTime": it["startTime"], "endTime": it["endTime"] }))
            })
        }),
        row(
            "ConversationService/ListParticipants",
            json!({ "conversationId": "<conversation>" }),
            "GET /chat-gateway/v1/conversations/<conversation>/participants",
            Body::Nothing,
        )
        .answers(|from, _| list(&from[0], "participants", participant)),
    ]
}

fn files() -> Vec<Row> {
    vec![
        Row {
            requests: vec![
                json!({ "start": {
                    "conversationId": "<conversation>", "requestId": "0d0c2f6a-6f0c-4b43-8f8b-6b6a0a4a0a01",
                    "fileName": "notes.txt", "mediaType": "text/plain", "sizeBytes": "11",
                    "authorType": "AUTHOR_TYPE_USER",
                } }),
                // "hello world"
                json!({ "chunk": "aGVsbG8=" }),
                json!({ "chunk": "" }),
                json!({ "chunk": "IHdvcmxk" }),
            ],
            ..row(
                "AttachmentService/UploadAttachment",
                Value::Null,
                "POST /chat-gateway/v1/conversations/<conversation>/attachments",
                Body::File {
                    author: "user",
                    file_name: "notes.txt",
                    media_type: "text/plain",
                    content: "hello world",
                },
            )
        }
        .answers(|from, _| vec![json!({ "attachment": attachment(&from[0]) })])
        .keeps(&[("attachment", "/attachment/id")]),
        row(
            "AttachmentService/GetAttachment",
            json!({ "conversationId": "<conversation>", "attachmentId": "<attachment>" }),
            "GET /chat-gateway/v1/conversations/<conversation>/attachments/<attachment>",
            Body::Nothing,
        )
        .answers(|from, _| vec![json!({ "attachment": attachment(&from[0]) })]),
        row(
            "AttachmentService/ListAttachments",
            json!({ "conversationId": "<conversation>", "pageSize": 5, "orderBy": "id" }),
            "GET /chat-gateway/v1/conversations/<conversation>/attachments?size=5&sort=id%3Aasc",
            Body::Nothing,
        )
        .answers(|from, _| list(&from[0], "attachments", attachment)),
        row(
            "AttachmentService/DownloadAttachment",
            json!({ "conversationId": "<conversation>", "attachmentId": "<attachment>" }),
            "GET /chat-gateway/v1/conversations/<conversation>/attachments/<attachment>/content",
            Body::Nothing,
        )
        .answers(|_, names| {
            vec![
                json!({ "start": {
                    "id": names["attachment"], "fileName": "notes.txt", "sizeBytes": "11",
                    // What the vendor says of all content.
                    "type": "application/octet-stream",
                } }),
                json!({ "chunk": "aGVsbG8gd29ybGQ=" }),
            ]
        }),
    ]
}

fn talking() -> Vec<Row> {
    vec![
        row(
            "ConversationService/SendMessage",
            json!({
                "conversationId": "<conversation>", "requestId": "6f1c2c7e-1d2f-4c3a-9a55-0e8b3c7f4d22",
                "message": {
                    "authorType": "AUTHOR_TYPE_BOT", "text": "Please choose:",
                    "attachments": [{ "id": "<attachment>" }],
                    "cards": [{ "contentType": ADAPTIVE, "content": card_content() }],
                },
            }),
            "POST /chat-gateway/v1/conversations/<conversation>/messages",
            Body::Json(json!({
                "authorType": "bot", "text": "Please choose:", "attachments": [{ "id": "<attachment>" }],
                "cards": [{ "contentType": ADAPTIVE, "content": card_content() }],
            })),
        )
        // When it was accepted, by our clock.
        .answers(|_, _| vec![json!({ "acceptTime": "1970-01-01T00:00:00Z" })]),
        row(
            "ConversationService/ListMessages",
            json!({ "conversationId": "<conversation>", "pageSize": 2 }),
            "GET /chat-gateway/v1/conversations/<conversation>/messages?size=2&sort=createdAt%3Adesc",
            Body::Nothing,
        )
        .answers(|from, _| list(&from[0], "messages", message))
        .keeps(&[("message", "/messages/0/id"), ("card", "/messages/0/cards/0/id")]),
        row(
            "ConversationService/GetMessage",
            json!({ "conversationId": "<conversation>", "messageId": "<message>" }),
            "GET /chat-gateway/v1/conversations/<conversation>/messages/<message>",
            Body::Nothing,
        )
        .answers(|from, _| vec![json!({ "message": message(&from[0]) })]),
        row(
            "ConversationService/SubmitCardAction",
            json!({ "conversationId": "<conversation>", "cardId": "<card>", "name": "size" }),
            "PUT /api/v1/tenant/<tenant>/conversations/<conversation>/cards/<card>/action-submit",
            Body::Json(json!({ "name": "size" })),
        ),
        row(
            "ConversationService/ExecuteCardAction",
            json!({ "conversationId": "<conversation>", "cardId": "<card>" }),
            "PUT /api/v1/tenant/<tenant>/conversations/<conversation>/cards/<card>/action-execute",
            Body::Json(json!({})),
        ),
        row(
            "ConversationService/ListCards",
            json!({ "conversationId": "<conversation>", "messageId": "<message>", "orderBy": "create_time asc" }),
            "GET /chat-gateway/v1/conversations/<conversation>/messages/<message>/cards?size=20&sort=createdAt%3Aasc",
            Body::Nothing,
        )
        .answers(|from, _| list(&from[0], "cards", card)),
        row(
            "ConversationService/SendTypingIndicator",
            json!({ "conversationId": "<conversation>", "authorType": "AUTHOR_TYPE_USER" }),
            "POST /chat-gateway/v1/conversations/<conversation>/typing",
            Body::Json(json!({ "authorType": "user" })),
        ),
        row(
            "ConversationService/SendThinkingIndicator",
            json!({ "conversationId": "<conversation>", "maxThinkingSeconds": 90 }),
            "POST /chat-gateway/v1/conversations/<conversation>/thinking",
            Body::Json(json!({ "authorType": "bot", "maxThinkingTimeSeconds": 90 })),
        ),
        row(
            "ConversationService/SendReadReceipt",
            json!({
                "conversationId": "<conversation>", "authorType": "AUTHOR_TYPE_USER",
                "readTime": "2026-02-04T10:20:31.963Z",
            }),
            "POST /chat-gateway/v1/conversations/<conversation>/read-receipt",
            Body::Json(json!({ "authorType": "user", "readAt": 1_770_200_431_963_u64 })),
        ),
    ]
}

fn changing() -> Vec<Row> {
    vec![
        row(
            "ConversationService/UpdateConversation",
            json!({
                "conversationId": "<conversation>", "updateMask": "user.language,user.additionalProperties",
                "conversation": { "user": {
                    "name": "not in the mask", "language": "fr",
                    "additionalProperties": [{ "key": "orderId", "value": "4712" }],
                } },
            }),
            "PATCH /chat-gateway/v1/conversations/<conversation>",
            Body::Json(json!({
                "user": { "language": "fr", "additionalProperties": [{ "key": "orderId", "value": "4712" }] },
            })),
        )
        .answers(|from, _| vec![json!({ "conversation": conversation(&from[0]) })]),
        row(
            "ConversationService/ReplaceConversation",
            json!({ "conversation": {
                "conversationId": "<conversation>", "channelId": "<channel>",
                "user": { "name": "Anna", "userId": "u-1", "email": "anna@example.com" },
                "assignment": { "type": "ASSIGNMENT_TYPE_QUEUE", "id": "<queue>" },
            } }),
            "PUT /chat-gateway/v1/conversations/<conversation>",
            Body::Json(json!({
                "channelId": "<channel>",
                "user": { "name": "Anna", "userId": "u-1", "email": "anna@example.com" },
                "assignment": { "type": "queue", "id": "<queue>" },
            })),
        )
        .answers(|from, _| vec![json!({ "conversation": conversation(&from[0]) })]),
        Row {
            upstream: vec![
                Expected {
                    line: "GET /chat-gateway/v1/conversations/<conversation>",
                    body: Body::Nothing,
                },
                Expected {
                    line: "PATCH /chat-gateway/v1/conversations/<conversation>",
                    body: Body::Json(json!({ "assignment": { "type": "script", "id": "bot" } })),
                },
            ],
            ..row(
                "ConversationService/TransferConversation",
                json!({
                    "conversationId": "<conversation>",
                    "assignment": { "type": "ASSIGNMENT_TYPE_SCRIPT", "id": "bot" },
                }),
                "",
                Body::Nothing,
            )
        },
    ]
}

fn configuring() -> Vec<Row> {
    let version = "Chat Gateway v1.0";
    vec![
        row(
            "ConfigurationService/CreateWebhook",
            json!({ "webhook": { "name": "surveys", "uri": "<webhook-url>" } }),
            "POST /chat-gateway/v1/webhooks",
            Body::Json(json!({
                "name": "surveys", "uri": "<webhook-url>", "version": version, "notificationVersion": version,
            })),
        )
        .answers(|from, _| vec![json!({ "webhook": webhook(&from[0]) })])
        .keeps(&[("webhook", "/webhook/id")]),
        row(
            "ConfigurationService/GetWebhook",
            json!({ "webhookId": "<webhook>" }),
            "GET /chat-gateway/v1/webhooks/<webhook>",
            Body::Nothing,
        )
        .answers(|from, _| vec![json!({ "webhook": webhook(&from[0]) })]),
        row(
            "ConfigurationService/ListWebhooks",
            json!({ "pageSize": 50, "orderBy": "name" }),
            "GET /chat-gateway/v1/webhooks?size=50&sort=name%3Aasc",
            Body::Nothing,
        )
        .answers(|from, _| list(&from[0], "webhooks", webhook)),
        row(
            "ConfigurationService/ReplaceWebhook",
            json!({ "webhook": { "id": "<webhook>", "name": "surveys 2", "uri": "<webhook-url>", "version": version } }),
            "PUT /chat-gateway/v1/webhooks/<webhook>",
            Body::Json(json!({
                "name": "surveys 2", "uri": "<webhook-url>", "version": version, "notificationVersion": version,
            })),
        )
        .answers(|from, _| vec![json!({ "webhook": webhook(&from[0]) })]),
        row(
            "ConfigurationService/VerifyWebhook",
            json!({ "uri": "<webhook-url>" }),
            "POST /chat-gateway/v1/webhooks/verify",
            Body::Json(json!({ "uri": "<webhook-url>", "version": version })),
        ),
        row(
            "ConfigurationService/CreateChannel",
            json!({ "channel": { "name": "shop", "webhookId": "<webhook>", "queueId": "<queue>" } }),
            "POST /chat-gateway/v1/channels",
            Body::Json(json!({
                "name": "shop", "type": "ChatAPI", "webHookId": "<webhook>",
                "routingOptions": { "type": "queue", "id": "<queue>" },
            })),
        )
        .answers(|from, _| vec![json!({ "channel": channel(&from[0]) })])
        .keeps(&[("new-channel", "/channel/id")]),
        row(
            "ConfigurationService/GetChannel",
            json!({ "channelId": "<new-channel>" }),
            "GET /chat-gateway/v1/channels/<new-channel>",
            Body::Nothing,
        )
        .answers(|from, _| vec![json!({ "channel": channel(&from[0]) })]),
        row(
            "ConfigurationService/ListChannels",
            json!({ "filter": "name==shop" }),
            "GET /chat-gateway/v1/channels?size=20&filter=name%3D%3Dshop",
            Body::Nothing,
        )
        .answers(|from, _| list(&from[0], "channels", channel)),
        row(
            "ConfigurationService/ReplaceChannel",
            json!({ "channel": {
                "id": "<new-channel>", "name": "shop 2", "type": "ChatAPI", "webhookId": "<webhook>", "queueId": "200",
            } }),
            "PUT /chat-gateway/v1/channels/<new-channel>",
            Body::Json(json!({
                "name": "shop 2", "type": "ChatAPI", "webHookId": "<webhook>",
                "routingOptions": { "type": "queue", "id": "200" },
            })),
        )
        .answers(|from, _| vec![json!({ "channel": channel(&from[0]) })]),
        row(
            "ConversationService/CreatePostAgentAssignment",
            json!({
                "conversationId": "<conversation>", "webhookId": "<webhook>", "notifyChannelWebhook": false,
                "maxTotalMinutes": 300, "userTimeoutMinutes": 150,
            }),
            "POST /chat-gateway/v1/conversations/<conversation>/post-agent-assignment",
            Body::Json(json!({
                "type": "webhook", "id": "<webhook>",
                "configuration": {
                    "notifyChannelWebhookIfExists": "false", "maxTotalMinutes": 300, "userTimeoutInMinutes": 150,
                },
            })),
        ),
        row(
            "ConfigurationService/DeleteChannel",
            json!({ "channelId": "<new-channel>" }),
            "DELETE /chat-gateway/v1/channels/<new-channel>",
            Body::Nothing,
        ),
        row(
            "ConfigurationService/DeleteWebhook",
            json!({ "webhookId": "<webhook>" }),
            "DELETE /chat-gateway/v1/webhooks/<webhook>",
            Body::Nothing,
        ),
        row(
            "ConfigurationService/GetSigningKey",
            json!({ "keyId": "<kid>" }),
            "GET /chat-gateway/v1/jwk/<kid>/public",
            Body::Nothing,
        )
        .answers(|from, _| {
            // A JWK, or a text that holds one.
            let jwk = from[0].as_str().map_or_else(
                || from[0].clone(),
                |text| serde_json::from_str(text).unwrap(),
            );
            vec![json!({ "jwk": jwk })]
        }),
    ]
}

fn composed() -> Vec<Row> {
    vec![
        row(
            "ConversationService/FindOrCreateConversation",
            json!({ "channelId": "<channel>", "user": { "userId": "u-2" } }),
            "POST /chat-gateway/v1/conversations",
            Body::Json(json!({ "channelId": "<channel>", "user": { "userId": "u-2" } })),
        )
        .answers(|from, _| {
            vec![json!({ "created": true, "conversation": {
                "tenant": "sandbox", "conversationId": from[0]["conversationId"], "channelId": "sandbox-chat",
                "state": "CONVERSATION_STATE_CREATED", "user": { "userId": "u-2" },
            } })]
        })
        .keeps(&[("found", "/conversation/conversationId")]),
        row(
            "ConversationService/FindOrCreateConversation",
            json!({ "channelId": "<channel>", "user": { "userId": "u-2", "name": "not changed" } }),
            "GET /chat-gateway/v1/conversations/<found>",
            Body::Nothing,
        )
        .answers(|from, _| vec![json!({ "conversation": conversation(&from[0]) })]),
        Row {
            requests: vec![
                json!({ "start": {
                    "requestId": "0d0c2f6a-6f0c-4b43-8f8b-6b6a0a4a0a02", "channelId": "<channel>",
                    "user": { "userId": "u-3" },
                    "history": [{ "authorType": "AUTHOR_TYPE_USER", "text": "Look at this." }],
                } }),
                json!({ "file": {
                    "fileName": "kettle.png", "mediaType": "image/png", "sizeBytes": "5",
                    "authorType": "AUTHOR_TYPE_USER", "text": "The leak",
                } }),
                json!({ "chunk": "aGVs" }),
                json!({ "chunk": "bG8=" }),
            ],
            upstream: vec![
                Expected {
                    line: "POST /chat-gateway/v1/conversations",
                    body: Body::Json(json!({
                        "channelId": "<channel>", "user": { "userId": "u-3" },
                        "history": { "messages": [{ "authorType": "user", "text": "Look at this." }] },
                    })),
                },
                Expected {
                    line: "POST /chat-gateway/v1/conversations/<handed>/attachments",
                    body: Body::File {
                        author: "user",
                        file_name: "kettle.png",
                        media_type: "image/png",
                        content: "hello",
                    },
                },
                Expected {
                    line: "POST /chat-gateway/v1/conversations/<handed>/messages",
                    body: Body::Json(json!({
                        "authorType": "user", "text": "The leak", "attachments": [{ "id": "<file>" }],
                    })),
                },
            ],
            ..row("ConversationService/HandOverConversation", Value::Null, "", Body::Nothing)
        }
        .answers(|from, _| {
            vec![json!({
                "tenant": "sandbox", "conversationId": from[0]["conversationId"], "createTime": from[0]["createdAt"],
                "files": [{
                    "fileName": "kettle.png", "attachment": attachment(&from[1]), "messageAccepted": true,
                }],
            })]
        })
        .keeps(&[("handed", "/conversationId"), ("file", "/files/0/attachment/id")]),
        row(
            "ConversationService/EndConversation",
            json!({ "conversationId": "<conversation>" }),
            "PATCH /chat-gateway/v1/conversations/<conversation>/participants/user",
            Body::Json(json!({ "removed": true })),
        ),
    ]
}
