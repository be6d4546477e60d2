//! Webhooks, through the vendor's API.

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{api::refusal, hook::Delivery, world::World};

const VERSION: &str = "Chat Gateway v1.0";

fn webhook(name: &str, uri: &str) -> Value {
    json!({"name": name, "uri": uri, "notificationVersion": VERSION, "version": VERSION})
}

#[tokio::test]
async fn a_webhook_lives_from_its_creation_to_its_deletion() {
    let world = World::start().await;
    let uri = "https://bridge.example.com/webhooks/8x8?x=%20y";
    let made = world
        .call(Method::POST, "/webhooks", &webhook("Bridge", uri), 200)
        .await;
    let id = made["id"].as_str().unwrap();
    let path = format!("/webhooks/{id}");
    let expected = json!({"id": id, "name": "Bridge", "uri": uri, "version": VERSION});
    assert_eq!(made, expected);
    assert_eq!(world.get(&path).await, expected);

    let new = json!({"name": "New", "uri": "http://127.0.0.1:1/", "notificationVersion": VERSION});
    let replaced = world.call(Method::PUT, &path, &new, 200).await;
    let expected = json!({"id": id, "name": "New", "uri": "http://127.0.0.1:1/", "version": VERSION});
    assert_eq!(replaced, expected);
    assert_eq!(world.get(&path).await, expected);

    let deleted = world.rest(Method::DELETE, &path, None).await;
    assert_eq!(
        (deleted.status().as_u16(), deleted.text().await.unwrap().as_str()),
        (204, "")
    );
    for (method, body) in [
        (Method::GET, None),
        (Method::PUT, Some(&new)),
        (Method::DELETE, None),
    ] {
        let (status, body) = refusal(world.rest(method, &path, body).await).await;
        assert_eq!(status, 404);
        assert!(body["errors"][0].is_string(), "{body}");
    }
}

#[tokio::test]
async fn the_sandboxs_own_webhook_is_one_of_them_and_stays() {
    let world = World::start().await;
    let own =
        json!({"id": "sandbox-webhook", "name": "Sandbox webhook", "uri": world.webhook, "version": VERSION});
    let list = world.get("/webhooks").await;
    assert_eq!(
        list,
        json!({
            "_embedded": {"webhooks": [own]},
            "_links": {"self": {"href": "/chat-gateway/v1/webhooks"}},
            "page": {"size": 20, "number": 0, "totalElements": 1, "totalPages": 1},
        })
    );
    world
        .control(Method::PUT, "/webhook", Some(json!({"url": null})), 204)
        .await;
    assert_eq!(world.get("/webhooks/sandbox-webhook").await.get("uri"), None);
    let refused = world
        .rest(Method::DELETE, "/webhooks/sandbox-webhook", None)
        .await;
    let (status, body) = refusal(refused).await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (409, &json!("webhook_in_use"))
    );

    let hook = world.hook(200).await;
    world
        .call(
            Method::PUT,
            "/webhooks/sandbox-webhook",
            &webhook("Moved", &hook.url),
            200,
        )
        .await;
    let id = world.create(json!({})).await;
    hook.until("the conversation's events", |all| {
        all.iter().any(|it| it.gist() == "typing []")
    })
    .await;
    assert!(world.deliveries(&id).is_empty());
}

#[tokio::test]
async fn webhooks_are_listed_sorted_and_filtered() {
    let world = World::start().await;
    for name in ["c", "a", "b"] {
        let uri = format!("https://example.com/{name}");
        world
            .call(Method::POST, "/webhooks", &webhook(name, &uri), 200)
            .await;
    }
    let names = |list: &Value| -> Vec<String> {
        let items = list["_embedded"]["webhooks"].as_array().unwrap();
        items
            .iter()
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let list = world.get("/webhooks?sort=name:desc&size=2&page=1").await;
    assert_eq!(names(&list), ["a", "Sandbox webhook"]);
    assert_eq!(
        list["page"],
        json!({"size": 2, "number": 1, "totalElements": 4, "totalPages": 2})
    );
    let list = world.get("/webhooks?filter=uri==https://example.com/b").await;
    assert_eq!(names(&list), ["b"]);
    let (status, _) = refusal(world.rest(Method::GET, "/webhooks?sort=uri:asc", None).await).await;
    assert_eq!(status, 400);
}

fn with(field: &str, value: Value) -> Value {
    let mut body = webhook("Bridge", "https://example.com/");
    body[field] = value;
    body
}

fn without(field: &str) -> Value {
    let mut body = webhook("Bridge", "https://example.com/");
    body.as_object_mut().unwrap().remove(field);
    body
}

#[rstest]
#[case(without("name"), "invalid_name", "name")]
#[case(with("name", json!("")), "invalid_name", "name")]
#[case(with("name", json!("x".repeat(257))), "invalid_name", "name")]
#[case(without("uri"), "invalid_uri", "uri")]
#[case(with("uri", json!("/hook")), "invalid_uri", "uri")]
#[case(with("uri", json!("ftp://example.com/")), "invalid_uri", "uri")]
#[case(with("version", json!("v2.0")), "invalid_version", "version")]
#[case(with("notificationVersion", json!("Chat Gateway v2.0")), "invalid_version", "notificationVersion")]
#[case(without("notificationVersion"), "missing_field", "notificationVersion")]
#[tokio::test]
async fn creating_and_replacing_refuse_fields(#[case] body: Value, #[case] code: &str, #[case] field: &str) {
    let world = World::start().await;
    for (method, path) in [
        (Method::POST, "/webhooks"),
        (Method::PUT, "/webhooks/sandbox-webhook"),
    ] {
        let (status, body) = refusal(world.rest(method, path, Some(&body)).await).await;
        assert_eq!(status, 400);
        assert_eq!(
            (&body["errors"][0]["code"], &body["validations"][0]["field"]),
            (&json!(code), &json!(field))
        );
    }
    let all = world.get("/webhooks").await;
    assert_eq!(
        all["_embedded"]["webhooks"][0]["uri"], world.webhook,
        "nothing changed"
    );
    assert_eq!(all["page"]["totalElements"], 1);
}

#[tokio::test]
async fn what_is_allowed_at_most_is_allowed() {
    let world = World::start().await;
    let body = webhook(&"ü".repeat(256), "http://example.com");
    world.call(Method::POST, "/webhooks", &body, 200).await;
    let unknown = with("secret", json!("x"));
    let (status, body) = refusal(world.rest(Method::POST, "/webhooks", Some(&unknown)).await).await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (400, &json!("invalid_json_object"))
    );
}

async fn verify(world: &World, body: &Value) -> (u16, Value) {
    refusal(world.rest(Method::POST, "/webhooks/verify", Some(body)).await).await
}

#[tokio::test]
async fn a_verification_is_sent_signed_and_must_be_answered() {
    let world = World::start().await;
    let hook = world.hook(204).await;
    let body = json!({"uri": hook.url, "version": VERSION});
    world.call(Method::POST, "/webhooks/verify", &body, 204).await;
    let got = hook.all();
    assert_eq!(
        got.iter().map(|it| &it.body).collect::<Vec<_>>(),
        [&json!({"eventType": "WEB_HOOK_VERIFY", "notificationVersion": VERSION})]
    );
    world.verify(&got[0]).await;

    let refusing = world.hook(503).await;
    let (status, body) = verify(&world, &json!({"uri": refusing.url, "version": VERSION})).await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (400, &json!("webhook_not_verified"))
    );
    assert_eq!(refusing.all().len(), 1, "one attempt");
    let log = world.control(Method::GET, "/deliveries", None, 200).await;
    let outcomes: Vec<&Value> = log["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["eventType"] == "WEB_HOOK_VERIFY" && it["status"] != 200)
        .map(|it| &it["outcome"])
        .collect();
    assert_eq!(outcomes, ["delivered", "failed"]);
}

#[tokio::test]
async fn what_cannot_be_verified_is_said_to_be_so() {
    let world = World::start().await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}/", nobody.local_addr().unwrap());
    for (uri, version, code) in [
        (silent.as_str(), VERSION, "webhook_not_verified"),
        ("http://127.0.0.1:1/", "v2.0", "webhook_not_verified"),
        ("https://example.com/", VERSION, "webhook_not_verified"),
        ("http://169.254.169.254/", VERSION, "webhook_not_verified"),
        ("nowhere", VERSION, "invalid_uri"),
        (silent.as_str(), "v3", "invalid_version"),
    ] {
        let (status, body) = verify(&world, &json!({"uri": uri, "version": version})).await;
        assert_eq!(
            (status, &body["errors"][0]["code"]),
            (400, &json!(code)),
            "{uri} {version}"
        );
    }
    let (status, _) = verify(&world, &json!({"uri": world.webhook})).await;
    assert_eq!(status, 400, "the version is required");
    let all = world.all();
    assert!(all.iter().map(Delivery::gist).all(|it| it == "WEB_HOOK_VERIFY"));
}
