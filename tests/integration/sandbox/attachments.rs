//! Files, up and down.

use reqwest::{
    Body, Method, Response,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use super::{GREETED, api::refusal, greeted, world::World};

pub(super) async fn post(world: &World, conversation: &str, form: Form) -> Response {
    let path = format!("/chat-gateway/v1/conversations/{conversation}/attachments");
    let request = world
        .request(Method::POST, &path)
        .header("x-api-key", "sandbox-key");
    request.multipart(form).send().await.unwrap()
}

pub(super) fn file(bytes: impl Into<Body>, name: &str, media_type: &str) -> Part {
    Part::stream(bytes)
        .file_name(name.to_owned())
        .mime_str(media_type)
        .unwrap()
}

/// Uploads a small file and says what was answered.
async fn upload(world: &World, conversation: &str, name: &str, bytes: &'static [u8]) -> Value {
    let form = Form::new().part("attachment", file(bytes, name, "image/png"));
    let answer = post(world, conversation, form).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/hal+json");
    answer.json().await.unwrap()
}

pub(super) fn id_of(attachment: &Value) -> &str {
    attachment["id"].as_str().unwrap()
}

#[tokio::test]
async fn a_file_comes_back_as_it_was_sent() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let name = "Grüße \"für\" Anna.pdf";
    let form = Form::new().text("authorType", "bot").part(
        "attachment",
        file(&b"%PDF-\r\n--x\0\xff"[..], name, "application/pdf"),
    );
    let answer = post(&world, &id, form).await;
    assert_eq!(answer.status(), 200);
    let made: Value = answer.json().await.unwrap();
    let created: jiff::Timestamp = made["createdAt"].as_str().unwrap().parse().unwrap();
    assert!(created.duration_until(jiff::Timestamp::now()).as_secs() < 60);
    let expected = json!({
        "id": made["id"],
        "filename": name,
        "sizeInBytes": 12,
        "size": 12,
        "type": "application/pdf",
        "createdAt": made["createdAt"],
    });
    assert_eq!(made, expected);
    let path = format!("/conversations/{id}/attachments/{}", id_of(&made));
    assert_eq!(world.get(&path).await, expected);

    let answer = world.rest(Method::GET, &format!("{path}/content"), None).await;
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().unwrap();
    assert_eq!(
        (header("content-type"), header("content-length")),
        ("application/octet-stream", "12")
    );
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"Gr__e _f_r_ Anna.pdf\"; \
         filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%22f%C3%BCr%22%20Anna%2Epdf"
    );
    assert_eq!(answer.bytes().await.unwrap(), &b"%PDF-\r\n--x\0\xff"[..]);
    assert_eq!(world.desk(&id).await["attachments"][0]["authorType"], "bot");
}

#[tokio::test]
async fn files_are_listed_by_pages_sorted_and_filtered() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let path = format!("/conversations/{id}/attachments");
    for (name, bytes) in [("b", &b"1"[..]), ("c", b"333"), ("a", b"22")] {
        upload(&world, &id, name, bytes).await;
    }
    let names = |list: &Value| -> Vec<String> {
        let items = list["_embedded"]["attachments"].as_array().unwrap();
        items
            .iter()
            .map(|it| it["filename"].as_str().unwrap().to_owned())
            .collect()
    };
    for (query, expected) in [
        ("sort=createdAt:asc", &["b", "c", "a"][..]),
        ("sort=createdAt:desc", &["a", "c", "b"]),
        ("sort=filename:asc&size=2", &["a", "b"]),
        ("sort=filename:asc&size=2&page=1", &["c"]),
        ("sort=sizeInBytes:desc", &["c", "a", "b"]),
        ("filter=filename==c;type==image/png", &["c"]),
        ("filter=type==image/jpeg", &[]),
    ] {
        assert_eq!(
            names(&world.get(&format!("{path}?{query}")).await),
            expected,
            "{query}"
        );
    }
    let list = world.get(&format!("{path}?size=2")).await;
    assert_eq!(
        list["page"],
        json!({"size": 2, "number": 0, "totalElements": 3, "totalPages": 2})
    );
    let ids: Vec<&Value> = list["_embedded"]["attachments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["id"])
        .collect();
    assert!(ids.is_sorted_by_key(|it| it.as_str()));
    let other = world.create(json!({})).await;
    let none = world.get(&format!("/conversations/{other}/attachments")).await;
    assert_eq!(none["page"]["totalElements"], 0);
}

#[tokio::test]
async fn unknown_files_and_conversations_are_not_found() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let other = world.create(json!({})).await;
    let made = upload(&world, &other, "a", b"x").await;
    let foreign = format!("/conversations/{id}/attachments/{}", id_of(&made));
    for path in [
        "/conversations/none/attachments".to_owned(),
        format!("/conversations/{id}/attachments/none"),
        format!("/conversations/{id}/attachments/none/content"),
        foreign.clone(),
        format!("{foreign}/content"),
    ] {
        let (status, body) = refusal(world.rest(Method::GET, &path, None).await).await;
        assert_eq!(status, 404, "{path}");
        assert!(body["message"].as_str().unwrap().contains("none") || path.starts_with(&foreign));
    }
    let form = Form::new().part("attachment", file(&b"x"[..], "a.png", "image/png"));
    assert_eq!(refusal(post(&world, "none", form).await).await.0, 404);
    let path = format!("/conversations/{id}/attachments?sort=type:asc");
    assert_eq!(refusal(world.rest(Method::GET, &path, None).await).await.0, 400);
}

#[tokio::test]
async fn a_message_with_a_file_is_told_with_an_address_that_works_alone() {
    let world = World::start().await;
    let id = greeted(&world).await;
    let made = upload(&world, &id, "photo.png", b"PNG").await;
    let messages = format!("/conversations/{id}/messages");
    let body = json!({"authorType": "bot", "text": "", "attachments": [{"id": made["id"]}]});
    assert_eq!(
        world.rest(Method::POST, &messages, Some(&body)).await.status(),
        202
    );
    world.expect(&id, 8, &["bot (echo): "]).await;
    let told = world.deliveries(&id).remove(8);
    world.verify(&told).await;
    let attachment = &told.body["data"]["attachments"][0];
    let url = attachment["preSignedUrl"].as_str().unwrap();
    assert_eq!(
        attachment,
        &json!({"id": made["id"], "type": "image/png", "preSignedUrl": url, "fileName": "photo.png"})
    );
    let listed = world.get(&messages).await;
    assert_eq!(
        listed["_embedded"]["messages"][0]["attachments"],
        json!([{"id": made["id"]}])
    );

    assert!(url.starts_with(&world.base), "{url}");
    let path = url.strip_prefix(&world.base).unwrap().to_owned();
    let answer = world.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert_eq!(answer.bytes().await.unwrap(), "PNG");
    let (bare, _) = path.split_once('?').unwrap();
    for wrong in [
        bare.to_owned(),
        path.replace("expires=", "expires=9"),
        path.replace("signature=", "signature=A"),
        path.replace(id_of(&made), "other"),
    ] {
        let (status, body) = refusal(world.request(Method::GET, &wrong).send().await.unwrap()).await;
        assert_eq!(status, 403, "{wrong}");
        assert!(body["errors"][0].is_string());
    }
    let log = world.control(Method::GET, "/deliveries", None, 200).await;
    assert!(!log.to_string().contains("signature"), "the log holds no secrets");
}

#[tokio::test]
async fn agents_answer_a_file_and_send_some_by_hand() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    world.expect(&id, 0, &GREETED).await;
    let made = upload(&world, &id, "photo.png", b"PNG").await;
    let body = json!({"authorType": "user", "text": "Look", "attachments": [{"id": made["id"]}]});
    let messages = format!("/conversations/{id}/messages");
    assert_eq!(
        world.rest(Method::POST, &messages, Some(&body)).await.status(),
        202
    );
    world
        .expect(
            &id,
            8,
            &[
                "typing [\"maria\"]",
                "maria: I have received “photo.png” and am having a look.",
                "typing []",
            ],
        )
        .await;
    world
        .drive(
            &id,
            json!({"action": "say", "text": "Mine", "attachments": [made["id"]]}),
        )
        .await;
    world.expect(&id, 11, &["maria: Mine"]).await;
    let told = world.deliveries(&id).remove(11);
    assert_eq!(told.body["data"]["attachments"][0]["fileName"], "photo.png");
    let desk = world.desk(&id).await;
    assert_eq!(
        desk["transcript"][1]["attachments"],
        json!([{"id": made["id"], "filename": "photo.png"}])
    );
    let agent = format!("/conversations/{id}/agent");
    let action = json!({"action": "say", "text": "Mine", "attachments": ["none"]});
    world.control(Method::POST, &agent, Some(action), 400).await;
}

#[tokio::test]
async fn a_message_refers_to_files_of_its_own_conversation_only() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let other = world.create(json!({})).await;
    let made = upload(&world, &other, "a", b"x").await;
    for attachment in [made["id"].clone(), json!("none")] {
        let body = json!({"authorType": "bot", "text": "x", "attachments": [{"id": attachment}]});
        let path = format!("/conversations/{id}/messages");
        let (status, body) = refusal(world.rest(Method::POST, &path, Some(&body)).await).await;
        assert_eq!(
            (status, &body["errors"]["code"]),
            (400, &json!("invalid_attachment"))
        );
    }
}

#[tokio::test]
async fn a_customer_of_the_widget_sends_files_too() {
    let world = World::start().await;
    let begun = world
        .control(
            Method::POST,
            "/widget/conversations",
            Some(json!({"text": "Hi"})),
            201,
        )
        .await;
    let id = begun["conversationId"].as_str().unwrap();
    let made = upload(&world, id, "photo.png", b"PNG").await;
    let path = format!("/widget/conversations/{id}/messages");
    let body = json!({"text": "Look", "attachments": [made["id"]]});
    world.control(Method::POST, &path, Some(body), 202).await;
    world
        .until("the message", |all| {
            all.iter().any(|it| it.gist() == "user: Look")
        })
        .await;
    let told = world.deliveries(id).pop().unwrap();
    assert_eq!(told.body["data"]["attachments"][0]["id"], made["id"]);
}
