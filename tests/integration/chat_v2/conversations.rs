//! Conversations: created, listed, shown, and left.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Facade, checked, now_ms, schemas};
use crate::support::stage::CHANNEL;

fn ids(list: &Value) -> Vec<String> {
    let data = list["data"].as_array().unwrap();
    data.iter()
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_conversation_begins_with_its_customer_and_its_history() {
    let facade = Facade::new().await;
    let body = json!({
        "channelId": CHANNEL,
        "customer": {
            "senderName": "Ada", "customerId": "u-1", "email": "ada@example.org", "language": "de",
            "company": "Analytical Engines", "caseId": "7", "phone": "+44 1", "orderId": 4711,
        },
        "history": { "messages": [
            { "type": "bot", "text": "How can I help?" }, { "text": "A person, please." },
        ] },
        "user": { "ignored": true },
    });
    let before = now_ms();
    let created = facade.post("/conversations", &body, 202, schemas::created).await;
    let timestamp = created["timestamp"].as_u64().unwrap();
    assert!((before - 5000..=now_ms() + 5000).contains(&timestamp));
    let id = created["conversationId"].as_str().unwrap();
    facade
        .stage
        .until(id, "it waits in its queue", |it| it["state"] == "active")
        .await;
    let upstream = facade.stage.upstream(&format!("/conversations/{id}")).await;
    assert_eq!(upstream["user"]["userId"], "u-1");
    assert_eq!(
        upstream["user"]["additionalProperties"],
        json!([{ "key": "orderId", "value": "4711" }])
    );

    let shown = facade
        .get(&format!("/conversations/{id}"), schemas::conversation)
        .await;
    assert_eq!(
        shown["customer"],
        json!({
            "name": "Ada", "customerId": "u-1", "email": "ada@example.org", "language": "de",
            "company": "Analytical Engines", "caseId": "7", "phone": "+44 1", "orderId": "4711",
        })
    );
    assert_eq!(shown["interactions"].as_array().unwrap().len(), 1);
    assert_eq!(shown["startTime"], shown["interactions"][0]["startTime"]);

    let messages = facade
        .get(&format!("/conversations/{id}/messages"), schemas::messages)
        .await;
    let said: Vec<_> = messages["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it["authorType"].as_str().unwrap(),
                it["originalText"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(said, [("bot", "How can I help?"), ("user", "A person, please.")]);
}

#[tokio::test]
async fn what_cannot_be_created_is_refused_in_v2s_names() {
    let facade = Facade::new().await;
    let cases = [
        (json!({}), "channelId"),
        (
            json!({ "channelId": "no-such-channel", "customer": {} }),
            "channelId",
        ),
        (json!({ "channelId": CHANNEL }), "customer"),
        (
            json!({ "channelId": CHANNEL, "customer": { "language": "klingon" } }),
            "customer.language",
        ),
        (
            json!({ "channelId": CHANNEL, "customer": { "email": "nowhere" } }),
            "customer.email",
        ),
        (
            json!({ "channelId": CHANNEL, "customer": { "order": {} } }),
            "customer.order",
        ),
        (
            json!({ "channelId": CHANNEL, "customer": {}, "history": { "messages": [{}] } }),
            "history.messages[0].text",
        ),
    ];
    for (body, field) in cases {
        let said = facade.post("/conversations", &body, 400, schemas::problem).await;
        let errors = said["errors"].to_string();
        assert!(errors.contains(&format!("{field}: ")), "{said}");
    }
    assert_eq!(facade.stage.count("/conversations").await, 0);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused() {
    let facade = Facade::new().await;
    for text in ["", "{", "[1, 2]", "\u{0}", "channelId=25"] {
        let request = facade.request(Method::POST, "/conversations").body(text);
        checked(request.send().await.unwrap(), 400, schemas::problem).await;
    }
}

#[tokio::test]
async fn a_repeat_with_its_key_creates_nothing_again() {
    let facade = Facade::new().await;
    let body = json!({ "channelId": CHANNEL, "customer": { "name": "Ada" } });
    let post = |body: Value, key: &'static str| {
        let request = facade.request(Method::POST, "/conversations");
        request.header("idempotency-key", key).json(&body).send()
    };
    let key = "a0f04570-d330-11ea-87d0-0242ac130003";
    let first = checked(post(body.clone(), key).await.unwrap(), 202, schemas::created).await;
    let again = checked(post(body.clone(), key).await.unwrap(), 202, schemas::created).await;
    assert_eq!(first["conversationId"], again["conversationId"]);
    let other = json!({ "channelId": CHANNEL, "customer": { "name": "Ben" } });
    checked(post(other, key).await.unwrap(), 400, schemas::problem).await;
    // v2 said nothing of other keys, and took them.
    checked(post(body.clone(), "mine").await.unwrap(), 202, schemas::created).await;
    checked(post(body, "mine").await.unwrap(), 202, schemas::created).await;
    assert_eq!(facade.stage.count("/conversations").await, 3);
}

#[tokio::test]
async fn conversations_are_listed_by_status_channel_customer_and_order() {
    let facade = Facade::new().await;
    let of = |name: &str, more: Value| {
        let mut customer = json!({ "name": name, "customerId": name.to_lowercase() });
        customer["plan"] = more;
        json!({ "channelId": CHANNEL, "customer": customer })
    };
    let ada = facade.conversation(&of("Ada", json!("gold"))).await;
    let ben = facade.conversation(&of("Ben", json!("gold"))).await;
    let cat = facade.conversation(&of("Cat", json!("tin"))).await;
    facade.agent_says(&ben, "Hello.").await;
    facade
        .stage
        .until(&ben, "an agent has it", |it| it["assignment"]["type"] == "agent")
        .await;
    facade
        .delete(
            &format!("/conversations/{cat}/participants/customer"),
            204,
            schemas::nothing,
        )
        .await;
    facade
        .stage
        .until(&cat, "it is idle", |it| it["state"] == "idle")
        .await;

    let list = async |query: &str| {
        let path = format!("/conversations?{query}");
        ids(&facade.get(&path, schemas::conversations).await)
    };
    assert_eq!(list("").await, [&*ada, &*ben, &*cat]);
    assert_eq!(list("status=all&order=desc").await, [&*cat, &*ben, &*ada]);
    assert_eq!(list("status=pending").await, [&*ada]);
    assert_eq!(list("status=handling").await, [&*ben]);
    assert_eq!(list("status=deleted").await, [&*cat]);
    assert!(list("status=created").await.is_empty());
    assert_eq!(list("userId=ben").await, [&*ben]);
    assert_eq!(list("customer.plan=gold&order=desc").await, [&*ben, &*ada]);
    assert_eq!(list("customer.plan=gold&customer.name=Ada").await, [&*ada]);
    assert_eq!(
        list(&format!("channel-id={CHANNEL}&status=handling")).await,
        [&*ben]
    );
    assert!(list("channel-id=another").await.is_empty());
    assert!(list("channel-id=a(b").await.is_empty());
    assert!(list("customer.plan=silver").await.is_empty());

    let page = facade
        .get(
            "/conversations?size=1&page=1&customer.plan=gold",
            schemas::conversations,
        )
        .await;
    assert_eq!(ids(&page), [&*ben]);
    assert_eq!(
        page["page"],
        json!({ "pageSize": 1, "pageIndex": 1, "elementCount": 2, "pageCount": 2 })
    );
    let page = facade
        .get("/conversations?size=2&page=1", schemas::conversations)
        .await;
    assert_eq!(
        (ids(&page), &page["page"]["elementCount"]),
        (vec![cat], &json!(3))
    );
    assert_eq!(page["data"][0]["interactions"].as_array().unwrap().len(), 1);
    for bad in ["status=lost", "order=up", "page=-1"] {
        facade
            .get_with(&format!("/conversations?{bad}"), 400, schemas::problem)
            .await;
    }
}

#[tokio::test]
async fn participants_are_shown_and_the_customer_may_leave_twice() {
    let facade = Facade::new().await;
    let id = facade.started().await;
    facade.agent_says(&id, "Hello.").await;
    let path = format!("/conversations/{id}/participants");
    let shown = facade.get(&path, schemas::participants).await;
    let kinds: Vec<_> = shown["participants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["type"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"agent") && kinds.contains(&"user"), "{shown}");
    for _ in 0..2 {
        facade
            .delete(&format!("{path}/customer"), 204, schemas::nothing)
            .await;
    }
    facade
        .stage
        .until(&id, "it is idle", |it| it["state"] == "idle")
        .await;
    let shown = facade
        .get(&format!("/conversations/{id}"), schemas::conversation)
        .await;
    assert!(shown["interactions"][0].get("endTime").is_some());
}

#[tokio::test]
async fn what_there_is_not_is_not_found() {
    let facade = Facade::new().await;
    for id in ["nothing", "a%2Fb", "%2E%2E", "%00"] {
        let at = |below: &str| format!("/conversations/{id}{below}");
        facade.get_with(&at(""), 404, schemas::problem).await;
        facade.get_with(&at("/participants"), 404, schemas::problem).await;
        facade.get_with(&at("/messages"), 404, schemas::problem).await;
        facade
            .delete(&at("/participants/customer"), 404, schemas::problem)
            .await;
        let text = json!({ "text": "x" });
        facade.post(&at("/messages"), &text, 404, schemas::problem).await;
    }
}
