//! Rights that change while calls and streams run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chatbridge::grpc::proto::{
    agent_events_response::Payload, conversation_service_client::ConversationServiceClient,
    session_service_client::SessionServiceClient, *,
};
use tokio::sync::watch;
use tonic::{Code, Streaming};
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{header, method, path_regex},
};

use super::{ACME, GLOBEX, Pair, World, by, caller, caller_with, reason, stream};
use crate::support::service::{PATIENCE, Service, eventually};

/// How a stream ends, and after which time.
async fn ending(stream: &mut Streaming<AgentEventsResponse>) -> (Ending, Duration) {
    let begun = Instant::now();
    loop {
        let response = tokio::time::timeout(PATIENCE, stream.message())
            .await
            .expect("an ending");
        if let Some(Payload::Ending(ending)) = response.unwrap().expect("an ending").payload {
            return (ending, begun.elapsed());
        }
    }
}

/// Waits until so many changes were taken up.
async fn taken(service: &Service, times: usize) {
    eventually("the change is taken up", async || {
        let count = service
            .metric("chatbridge_config_reloads_total{result=\"taken\"}")
            .await;
        (count >= times as f64).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_stream_whose_caller_s_rights_end_is_ended_within_5_s() {
    let world = World::new().await;
    let stays = caller("stays", "reader", ACME);
    let tables = world.tenants() + &stays;
    let both = tables.clone() + &caller("goes", "reader", ACME) + &caller("moves", "reader", ACME);
    let service = world.serve(&both).await;
    let mut staying = stream(&service, "stays", AgentEventsRequest::default())
        .await
        .unwrap();
    let mut going = stream(&service, "goes", AgentEventsRequest::default())
        .await
        .unwrap();
    let mut moving = stream(&service, "moves", AgentEventsRequest::default())
        .await
        .unwrap();
    world.write(&(tables.clone() + &caller("moves", "admin", GLOBEX)));
    for stream in [&mut going, &mut moving] {
        let (ending, took) = ending(stream).await;
        assert_eq!(ending.reason(), EndingReason::Unauthorized);
        assert_eq!(ending.reconnect(), ReconnectAdvice::Never);
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    let refused = stream(&service, "goes", AgentEventsRequest::default())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    // Whose rights did not change hears on.
    let webhook = world.vendor.message("c", "still here");
    assert_eq!(world.vendor.deliver(&service.webhook, &webhook).await, 204);
    let event = tokio::time::timeout(PATIENCE, staying.message())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(matches!(event.payload, Some(Payload::Event(_))), "{event:?}");
    // And without its tenant nobody does.
    world.write(&(world.tenant(GLOBEX, "k3y-2") + &caller_with("stays", "reader", "*", &["stays"], "")));
    assert_eq!(ending(&mut staying).await.0.reason(), EndingReason::Unauthorized);
}

#[tokio::test]
async fn a_web_token_s_stream_ends_with_it() {
    let world = World::new().await;
    let service = world.serve(&(world.tenants() + &world.issuer())).await;
    let token = world.pair.token("svc", "reader", 3);
    let mut short = stream(&service, &token, AgentEventsRequest::default())
        .await
        .unwrap();
    let (ending, took) = ending(&mut short).await;
    assert_eq!(ending.reason(), EndingReason::Unauthorized);
    assert_eq!(ending.reconnect(), ReconnectAdvice::Now);
    assert!(took < Duration::from_secs(5), "{took:?}");
    let refused = stream(&service, &token, AgentEventsRequest::default())
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "CREDENTIALS_EXPIRED");
}

#[tokio::test]
async fn a_bad_configuration_is_refused_and_the_one_before_goes_on() {
    let world = World::new().await;
    let good = world.tenants() + &caller("a", "reader", ACME);
    let service = world.serve(&good).await;
    let mut open = stream(&service, "a", AgentEventsRequest::default())
        .await
        .unwrap();
    for (n, bad) in [
        "no toml at all [",
        "tenant = \"acme\"",
        &good.replace("\"reader\"", "\"king\""),
        "",
        // No mistake as such, but it would let in everybody.
        &world.tenants(),
    ]
    .into_iter()
    .enumerate()
    {
        world.write(bad);
        eventually("the change is refused", async || {
            let refused = service
                .metric("chatbridge_config_reloads_total{result=\"refused\"}")
                .await;
            (refused >= (n + 1) as f64).then_some(())
        })
        .await;
        let mut sessions = SessionServiceClient::new(service.channel().await);
        assert!(
            sessions
                .list_sessions(by("a", ListSessionsRequest::default()))
                .await
                .is_ok(),
            "{bad}"
        );
        let nobody = sessions.list_sessions(ListSessionsRequest::default()).await;
        assert_eq!(nobody.unwrap_err().code(), Code::Unauthenticated, "{bad}");
    }
    let webhook = world.vendor.message("c", "hello");
    assert_eq!(world.vendor.deliver(&service.webhook, &webhook).await, 204);
    let event = tokio::time::timeout(PATIENCE, open.message())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(matches!(event.payload, Some(Payload::Event(_))));
}

/// Callers that call all the time, each with the token that is given out at the time.
struct Load {
    stop: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    /// Calls that ask the vendor. Any that fails, fails the test.
    async fn start(service: &Service, token: &watch::Receiver<String>) -> Self {
        let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let mut client = ConversationServiceClient::new(service.channel().await);
            let (stop, calls, token) = (Arc::clone(&stop), Arc::clone(&calls), token.clone());
            tasks.push(tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let request = GetConversationRequest {
                        tenant: ACME.into(),
                        conversation_id: "c".into(),
                    };
                    let now = token.borrow().clone();
                    client
                        .get_conversation(by(&now, request))
                        .await
                        .expect("a good call");
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        Self { stop, calls, tasks }
    }

    /// Waits until so many more calls were made.
    async fn go_on(&self, more: usize) {
        let until = self.calls.load(Ordering::Relaxed) + more;
        eventually("calls go on", async || {
            (self.calls.load(Ordering::Relaxed) >= until).then_some(())
        })
        .await;
    }

    /// Ends it, and fails where a call did.
    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("no call failed");
        }
    }
}

/// The vendor answers those who have one of these keys.
async fn keys_are_good(world: &World, keys: &[&str]) {
    for key in keys {
        let answer = serde_json::json!({ "id": "c", "state": "active", "channelId": "web" });
        Mock::given(method("GET"))
            .and(path_regex("/chat-gateway/v1/conversations/.*"))
            .and(header("x-api-key", *key))
            .respond_with(ResponseTemplate::new(200).set_body_json(answer))
            .mount(&world.vendor.server)
            .await;
    }
}

#[tokio::test]
async fn tokens_and_api_keys_change_under_load_without_a_failed_call() {
    let world = World::new().await;
    keys_are_good(&world, &["k3y-1", "k3y-new"]).await;
    let with =
        |key: &str, tokens: &[&str]| world.tenant(ACME, key) + &caller_with("a", "caller", ACME, tokens, "");
    let service = world.serve(&with("k3y-1", &["old"])).await;
    let mut open = stream(&service, "old", AgentEventsRequest::default())
        .await
        .unwrap();
    let (give, token) = watch::channel("old".to_owned());
    let load = Load::start(&service, &token).await;
    load.go_on(50).await;

    world.write(&with("k3y-1", &["old", "new"]));
    taken(&service, 1).await;
    load.go_on(50).await;
    give.send_replace("new".to_owned());
    load.go_on(50).await;
    world.write(&with("k3y-new", &["new"]));
    taken(&service, 2).await;
    load.go_on(50).await;
    load.end().await;

    let newest = world.vendor.server.received_requests().await.unwrap();
    let newest = newest
        .iter()
        .rev()
        .find(|request| request.method.as_str() == "GET")
        .unwrap();
    assert_eq!(newest.headers["x-api-key"], "k3y-new");
    // The stream was the old token's.
    assert_eq!(ending(&mut open).await.0.reason(), EndingReason::Unauthorized);
    let mut client = ConversationServiceClient::new(service.channel().await);
    let refused = client
        .get_conversation(by("old", GetConversationRequest::default()))
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn an_issuer_s_keys_change_under_load_without_a_failed_call() {
    let world = World::new().await;
    keys_are_good(&world, &["k3y-1"]).await;
    let service = world.serve(&(world.tenants() + &world.issuer())).await;
    let (old, new) = (&world.pair, Pair::new("k2"));
    let (give, token) = watch::channel(old.token("svc", "caller", 600));
    let load = Load::start(&service, &token).await;
    load.go_on(50).await;
    world.issuer.publish(&[old, &new]).await;
    load.go_on(50).await;
    // Who knows neither key yet asks for them once.
    give.send_replace(new.token("svc", "caller", 600));
    load.go_on(50).await;
    world.issuer.publish(&[&new]).await;
    load.go_on(50).await;
    load.end().await;
}

#[tokio::test]
async fn a_key_in_a_file_of_its_own_is_read_again() {
    let world = World::new().await;
    keys_are_good(&world, &["k3y-new"]).await;
    let key = world.file.with_extension("key");
    std::fs::write(&key, "k3y-old\n").unwrap();
    let url = world.vendor.server.uri();
    let tables = format!("[[tenants]]\nid = \"acme\"\ngateway_url = {url:?}\napi_key_file = {key:?}\n");
    let service = world.serve(&(tables + &caller("a", "caller", ACME))).await;
    let mut client = ConversationServiceClient::new(service.channel().await);
    let request = || {
        let request = GetConversationRequest {
            conversation_id: "c".into(),
            ..GetConversationRequest::default()
        };
        by("a", request)
    };
    assert!(
        client.get_conversation(request()).await.is_err(),
        "the vendor does not know the key"
    );
    std::fs::write(&key, "k3y-new\n").unwrap();
    taken(&service, 1).await;
    assert!(client.get_conversation(request()).await.is_ok());
}
