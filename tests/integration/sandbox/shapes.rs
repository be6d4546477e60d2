//! The shape of each operation's errors, as the vendor describes it.

use reqwest::{Method, multipart::Form};
use serde_json::{Value, json};

use super::{
    api::{is_reference, refusal},
    attachments::post,
    world::World,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Objects,
    Traced,
    One,
    Strings,
}
use Shape::{Objects, One, Strings, Traced};

fn shape(body: &Value) -> Shape {
    let traced = is_reference(&body["referenceId"]);
    let coded = |error: &Value| error["code"].is_string() && error["message"].is_string();
    match &body["errors"] {
        Value::Array(errors) if !traced && errors.iter().all(Value::is_string) => Strings,
        Value::Array(errors) if errors.iter().all(coded) => {
            if traced {
                Traced
            } else {
                Objects
            }
        }
        error if traced && coded(error) => One,
        _ => panic!("no known shape: {body}"),
    }
}

/// Method, path with `{}` for an identifier, a body that is read, and the shapes of 400, 403 and 404 where there are such.
type Row = (
    &'static str,
    &'static str,
    Value,
    Option<Shape>,
    Option<Shape>,
    Option<Shape>,
);

fn rows() -> Vec<Row> {
    let (o, s, t) = (Some(Objects), Some(Strings), Some(Traced));
    let is_read = json!({"authorType": "user", "readAt": 1});
    let card = |action: &str| match action {
        "submit" => "/api/v1/tenant/sandbox/conversations/{}/cards/c/action-submit",
        _ => "/api/v1/tenant/sandbox/conversations/{}/cards/c/action-execute",
    };
    vec![
        ("GET", "/webhooks?size=0", json!(null), o, s, None),
        ("POST", "/webhooks", json!({}), o, s, None),
        ("GET", "/webhooks/{}", json!(null), None, s, s),
        ("PUT", "/webhooks/{}", json!({}), o, s, s),
        ("DELETE", "/webhooks/{}", json!(null), None, s, s),
        ("POST", "/webhooks/verify", json!({}), o, s, None),
        ("GET", "/jwk/{}/public", json!(null), None, None, s),
        ("GET", "/channels?sort=x", json!(null), o, s, None),
        ("POST", "/channels", json!({}), o, o, None),
        ("GET", "/channels/{}", json!(null), None, s, s),
        ("PUT", "/channels/{}", json!({}), o, s, s),
        ("DELETE", "/channels/{}", json!(null), None, s, s),
        ("GET", "/conversations?filter=x", json!(null), o, s, None),
        ("POST", "/conversations", json!({}), o, s, None),
        ("GET", "/conversations/{}", json!(null), None, s, s),
        ("PUT", "/conversations/{}", json!({}), o, s, s),
        ("PATCH", "/conversations/{}", json!({}), o, s, s),
        ("GET", "/conversations/{}/interactions", json!(null), None, s, s),
        (
            "POST",
            "/conversations/{}/post-agent-assignment",
            json!({}),
            t,
            s,
            o,
        ),
        (
            "POST",
            "/conversations/{}/typing",
            json!({"authorType": "bot"}),
            t,
            s,
            o,
        ),
        ("POST", "/conversations/{}/thinking", json!({}), t, s, o),
        ("POST", "/conversations/{}/read-receipt", is_read, t, s, o),
        ("GET", "/conversations/{}/participants", json!(null), None, s, o),
        (
            "PATCH",
            "/conversations/{}/participants/user",
            json!({"removed": true}),
            o,
            s,
            s,
        ),
        (
            "GET",
            "/conversations/{}/messages?page=x",
            json!(null),
            o,
            s,
            None,
        ),
        ("GET", "/conversations/{}/messages", json!(null), None, s, o),
        ("POST", "/conversations/{}/messages", json!({}), Some(One), s, s),
        ("GET", "/conversations/{}/messages/m", json!(null), None, s, s),
        (
            "GET",
            "/conversations/{}/messages/m/cards",
            json!(null),
            None,
            s,
            o,
        ),
        ("GET", "/conversations/{}/attachments", json!(null), None, s, s),
        (
            "POST",
            "/conversations/{}/attachments",
            json!(null),
            None,
            o,
            None,
        ),
        ("GET", "/conversations/{}/attachments/a", json!(null), None, s, s),
        (
            "GET",
            "/conversations/{}/attachments/a/content",
            json!(null),
            None,
            s,
            s,
        ),
        ("PUT", card("submit"), json!({}), o, s, o),
        ("PUT", card("execute"), json!({}), o, s, o),
    ]
}

struct Ask<'a> {
    world: &'a World,
    method: &'a str,
    path: String,
}

impl Ask<'_> {
    async fn refused(&self, key: &str, tenant: &str, body: Option<&str>) -> (u16, Shape) {
        let path = match self.path.starts_with("/api/") {
            true => self.path.clone(),
            false => format!("/chat-gateway/v1{}", self.path),
        };
        let method: Method = self.method.parse().unwrap();
        let mut request = self.world.request(method, &path);
        request = request.header("x-api-key", key).header("x-8x8-tenant", tenant);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_owned());
        }
        let (status, body) = refusal(request.send().await.unwrap()).await;
        (status, shape(&body))
    }
}

#[tokio::test]
async fn each_operation_refuses_in_its_own_shape() {
    let world = World::start().await;
    for (method, path, body, bad, forbidden, missing) in rows() {
        let at = |id: &str| Ask {
            world: &world,
            method,
            path: path.replace("{}", id),
        };
        let what = format!("{method} {path}");
        let sent = (!body.is_null()).then(|| body.to_string());
        if let Some(bad) = bad {
            let unreadable = sent.as_ref().map(|_| "[7");
            let got = at("x").refused("sandbox-key", "sandbox", unreadable).await;
            assert_eq!(got, (400, bad), "{what}");
        }
        if let Some(forbidden) = forbidden {
            let got = at("x").refused("sandbox-key", "other", sent.as_deref()).await;
            assert_eq!(got, (403, forbidden), "{what}");
            let got = at("x").refused("wrong", "sandbox", sent.as_deref()).await;
            assert_eq!(got, (401, Traced), "{what}");
        }
        if let Some(missing) = missing {
            let got = at("none")
                .refused("sandbox-key", "sandbox", sent.as_deref())
                .await;
            assert_eq!(got, (404, missing), "{what}");
        }
        if path.contains("{}") {
            // Not even text: the framework refuses it, and says so in the same way.
            let (status, _) = at("%ff").refused("sandbox-key", "sandbox", sent.as_deref()).await;
            assert!([400, 404, 415].contains(&status), "{what}");
        }
    }
    let form = || Form::new().text("colour", "red");
    let (status, body) = refusal(post(&world, "none", form()).await).await;
    assert_eq!((status, shape(&body)), (404, Strings));
    let id = world.create(json!({})).await;
    let (status, body) = refusal(post(&world, &id, form()).await).await;
    assert_eq!((status, shape(&body)), (400, Objects));
}
