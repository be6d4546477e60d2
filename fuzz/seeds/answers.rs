//! The vendor's answers, one of each kind, and its errors.

use serde_json::{Value, json};

use crate::Seed;

pub(crate) fn seeds() -> Vec<Seed> {
    let json = things().into_iter().chain(lists()).chain(errors());
    let mut seeds: Vec<Seed> = json
        .map(|(name, json)| (name.to_owned(), json.to_string().into_bytes()))
        .collect();
    for (name, text) in [
        ("error-html", "<html><body>502 Bad Gateway</body></html>"),
        ("error-text", "no healthy upstream"),
        ("error-cut", "{\"message\": \"cut o"),
        ("retry-seconds", "120"),
        ("retry-date", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ] {
        seeds.push((name.to_owned(), text.as_bytes().to_vec()));
    }
    seeds
}

fn conversation() -> Value {
    json!({
        "id": "c1", "channelId": 25, "state": "active",
        "assignment": { "type": "agent", "id": "ag1", "resourceId": "r1" },
        "user": {
            "name": "Zoë", "userId": 17, "email": "zoe@example.com", "phone": "+1", "company": "C", "caseId": "9",
            "language": "fr", "ipaddress": "::1", "timezoneOffset": -120,
            "additionalProperties": [{ "key": "order", "value": "A-1001" }, { "key": "n", "value": 1.5 }],
        },
        "_links": { "self": { "href": "https://api.invalid/c1" } },
    })
}

fn message() -> Value {
    json!({
        "id": "m1", "text": "Hello", "createdAt": "2024-01-01T00:00:00.123Z",
        "author": { "id": "b1", "type": "bot", "name": "Bo", "removed": "true", "language": "en" },
        "attachments": [{ "id": "a1", "type": "image/png", "fileName": "a.png", "preSignedUrl": "https://a.invalid" }],
        "cards": [{ "id": "k1", "contentType": "Buttons", "content": { "body": [1, [2, [3]]] }, "actionSubmitted": true }],
        "externalProvider": { "name": "P", "externalMessageId": "x1" },
    })
}

fn things() -> [(&'static str, Value); 8] {
    [
        (
            "created",
            json!({ "conversationId": "c1", "createdAt": 1_629_804_577_105_u64 }),
        ),
        ("conversation", conversation()),
        ("message", message()),
        (
            "attachment",
            json!({ "id": "a1", "filename": "a.png", "type": "image/png", "sizeInBytes": "4166.0", "createdAt": "2024-01-01T10:00:00" }),
        ),
        (
            "webhook",
            json!({ "id": "w1", "name": "W", "uri": "https://w.invalid", "notificationVersion": "Chat Gateway v1.0" }),
        ),
        (
            "channel",
            json!({ "id": "ch1", "name": "C", "type": "ChatAPI", "webHookId": "w1", "routingOptions": { "id": "101" } }),
        ),
        (
            "ancient",
            json!({ "id": "a1", "createdAt": "-000044-03-15T12:00:00Z" }),
        ),
        (
            "private-name",
            json!({ "id": "m1", "cards": [{ "content": { "$serde_json::private::RawValue": "[1" } }] }),
        ),
    ]
}

fn lists() -> [(&'static str, Value); 6] {
    let page = json!({ "size": 20, "number": 0, "totalElements": 2, "totalPages": 1 });
    let interactions = json!([
        { "id": "i1", "startTime": "2024-01-01", "endTime": "2024-01-02T10:00:00+01:00" },
        { "id": 2, "startTime": 1_704_067_200 },
    ]);
    [
        (
            "conversations",
            json!({ "_embedded": { "conversations": [conversation()] }, "page": page }),
        ),
        (
            "messages",
            json!({ "_embedded": { "messageList": [], "messages": [message()] }, "page": page }),
        ),
        ("interactions", json!({ "data": interactions })),
        (
            "participants",
            json!({ "participants": [{ "id": "ag1", "type": "agent", "name": "A", "removed": false }] }),
        ),
        (
            "cards",
            json!({ "_embedded": { "data": [{ "contentType": "Location", "content": null }] }, "page": null }),
        ),
        (
            "empty-page",
            json!({ "page": { "size": 20, "totalElements": 1e30 } }),
        ),
    ]
}

fn errors() -> [(&'static str, Value); 4] {
    [
        (
            "error-objects",
            json!({ "message": "Refused.", "errors": [{ "code": "invalid_queue", "message": "No queue." }], "referenceId": "dacd0dd2" }),
        ),
        (
            "error-strings",
            json!({ "message": "Constraint", "errors": ["<<name>>: May not be empty."], "validations": ["user.email: is no address"] }),
        ),
        (
            "error-validations",
            json!({ "errors": { "code": "odd" }, "validations": [{ "field": "a.b", "value": "secret", "message": "Wrong." }] }),
        ),
        (
            "error-problem",
            json!({ "title": "Bad", "detail": "Very bad", "status": 400, "ErrorCode": "x", "Error": "y" }),
        ),
    ]
}
