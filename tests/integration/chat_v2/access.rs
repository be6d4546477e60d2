//! Who comes in: tokens, scopes, tenants, rates, and what changes of them while the service runs.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{CLIENT, Facade, SECRET, TOKEN_SECRET, checked, client, now_ms, schemas};
use crate::support::service::eventually;

#[tokio::test]
async fn a_client_gets_a_token_as_v2_gave_it() {
    let facade = Facade::new().await;
    let before = now_ms();
    let answer = facade
        .ask_token(CLIENT, SECRET, "grant_type=client_credentials")
        .await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let body = checked(answer, 200, schemas::token).await;
    assert_eq!(body["expires_in"], "3600");
    assert_eq!(body["token_type"], "BearerToken");
    assert_eq!(body["client_id"], CLIENT);
    assert!(
        body["scope"]
            .as_str()
            .unwrap()
            .contains("vcc-chat.conversations.write")
    );
    let issued: u64 = body["issued_at"].as_str().unwrap().parse().unwrap();
    assert!((before..=now_ms()).contains(&issued));

    // Some clients name the grant in the query, with no body at all.
    let answer = facade
        .http
        .post(format!(
            "{}/oauth/v2/token?grant_type=client_credentials",
            facade.base
        ))
        .basic_auth(CLIENT, Some(SECRET))
        .send()
        .await
        .unwrap();
    checked(answer, 200, schemas::token).await;
}

#[tokio::test]
async fn wrong_credentials_and_grants_get_what_v2_said() {
    let facade = Facade::new().await;
    let grant = "grant_type=client_credentials";
    for (id, secret) in [(CLIENT, "wrong"), ("nobody", SECRET), ("", "")] {
        let answer = facade.ask_token(id, secret, grant).await;
        assert!(answer.headers().contains_key("www-authenticate"));
        let body = checked(answer, 401, schemas::oauth).await;
        assert_eq!(body["ErrorCode"], "invalid_client");
        assert!(!body.to_string().contains(SECRET));
    }
    let cases = [
        ("grant_type=password", "invalid_request"),
        ("", "invalid_request"),
        (
            "grant_type=client_credentials&scope=vcc-chat.everything",
            "invalid_scope",
        ),
    ];
    for (form, code) in cases {
        let answer = facade.ask_token(CLIENT, SECRET, form).await;
        let body = checked(answer, 400, schemas::oauth).await;
        assert_eq!(body["ErrorCode"], code, "{body}");
    }
    let bare = facade.http.post(format!("{}/oauth/v2/token", facade.base));
    checked(bare.body(grant).send().await.unwrap(), 401, schemas::oauth).await;
}

#[tokio::test]
async fn without_a_token_nothing_is_answered() {
    let facade = Facade::new().await;
    let cases = [None, Some("Bearer abc.def"), Some("Basic YTpi"), Some("Bearer ")];
    for header in cases {
        for (method, path) in [
            (Method::GET, "/conversations"),
            (Method::POST, "/channels"),
            (Method::DELETE, "/web-hooks/1"),
        ] {
            let mut request = facade.http.request(method, facade.url(path));
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            let answer = request.send().await.unwrap();
            let body = checked(answer, 401, schemas::fault).await;
            assert_eq!(
                body["fault"]["detail"]["errorcode"],
                "keymanagement.service.invalid_access_token"
            );
        }
    }
    assert!(facade.stage.proxy.take().iter().all(|seen| seen.method != "POST"));
}

#[tokio::test]
async fn a_token_ends_with_its_time() {
    let facade = Facade::with(
        &[("chat_v2_token_ttl_seconds", "1")],
        &client(CLIENT, &[SECRET], ""),
    )
    .await;
    let expired = eventually("the token expires", async || {
        let answer = facade.request(Method::GET, "/web-hooks").send().await.unwrap();
        (answer.status() == StatusCode::UNAUTHORIZED).then_some(answer)
    });
    let body = checked(expired.await, 401, schemas::fault).await;
    assert_eq!(
        body["fault"]["detail"]["errorcode"],
        "keymanagement.service.access_token_expired"
    );
}

#[tokio::test]
async fn a_token_is_good_for_its_scopes_and_its_clients_tenants() {
    let clients = [
        client(
            "reader",
            &["reader-secret"],
            "scopes = [\"vcc-chat.conversations.read\"]",
        ),
        client(CLIENT, &[SECRET], ""),
    ]
    .concat();
    let mut facade = Facade::with(&[], &clients).await;
    let wrong = facade
        .http
        .get(format!(
            "{}/vcc/eu/chat/v2/tenant/other/conversations",
            facade.base
        ))
        .bearer_auth(&facade.token);
    let body = checked(wrong.send().await.unwrap(), 403, schemas::problem).await;
    assert_eq!(body["message"], "The tenant does not belong to customer.");

    facade.token = facade.new_token("reader", "reader-secret").await;
    facade.get("/conversations", schemas::conversations).await;
    facade.get_with("/channels", 403, schemas::problem).await;
    let body = json!({ "text": "x" });
    facade
        .post("/conversations/c/messages", &body, 403, schemas::problem)
        .await;
}

#[tokio::test]
async fn any_region_of_v2_will_do_and_no_other() {
    let facade = Facade::new().await;
    for (region, status) in [("us", 200), ("eu", 200), ("ca", 200), ("ap", 200), ("mars", 404)] {
        let url = format!("{}/vcc/{region}/chat/v2/tenant/sandbox/web-hooks", facade.base);
        let answer = facade
            .http
            .get(url)
            .bearer_auth(&facade.token)
            .send()
            .await
            .unwrap();
        let check = if status == 200 {
            schemas::webhooks
        } else {
            schemas::problem
        };
        checked(answer, status, check).await;
    }
}

#[tokio::test]
async fn a_client_who_asks_too_often_is_told_to_wait() {
    let limited = client("hasty", &["hasty-secret"], "calls_per_second = 1");
    let mut facade = Facade::with(&[], &[client(CLIENT, &[SECRET], ""), limited].concat()).await;
    facade.token = facade.new_token("hasty", "hasty-secret").await;
    let slowed = eventually("a request is one too many", async || {
        let answer = facade.request(Method::GET, "/web-hooks").send().await.unwrap();
        (answer.status() == StatusCode::TOO_MANY_REQUESTS).then_some(answer)
    })
    .await;
    assert!(slowed.headers().contains_key("retry-after"));
    checked(slowed, 429, schemas::problem).await;
}

#[tokio::test]
async fn what_changes_of_clients_holds_at_once_and_tokens_are_known_to_every_replica() {
    let facade = Facade::new().await;
    let config = facade.files.path("settings.toml");
    let settings = [
        ("config", config.as_str()),
        ("chat_v2_listen", "127.0.0.1:0"),
        ("chat_v2_token_secret", TOKEN_SECRET),
    ];
    let other = facade.stage.replica(&settings).await;
    let there = format!(
        "http://{}/vcc/us/chat/v2/tenant/sandbox/web-hooks",
        other.chat_v2.as_deref().unwrap()
    );
    facade.webhook().await;
    let ask = || facade.http.get(&there).bearer_auth(&facade.token).send();
    let listed = checked(ask().await.unwrap(), 200, schemas::webhooks).await;
    assert_eq!(listed["page"]["elementCount"], 1, "both have one store");

    // The secret is replaced: both are good, then only the new one, and with the old one its tokens end.
    facade
        .files
        .write("settings.toml", &client(CLIENT, &["new-secret", SECRET], ""));
    eventually("the new secret is good", async || {
        let answer = facade
            .ask_token(CLIENT, "new-secret", "grant_type=client_credentials")
            .await;
        answer.status().is_success().then_some(())
    })
    .await;
    assert_eq!(ask().await.unwrap().status(), 200);
    facade
        .files
        .write("settings.toml", &client(CLIENT, &["new-secret"], ""));
    eventually("the old token has ended on both", async || {
        let here = facade.request(Method::GET, "/web-hooks").send().await.unwrap();
        let statuses = (here.status().as_u16(), ask().await.unwrap().status().as_u16());
        (statuses == (401, 401)).then_some(())
    })
    .await;
}
