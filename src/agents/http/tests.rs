//! Names from real servers on loopback, good and bad ones.

use std::sync::atomic::AtomicUsize;

use axum::{Router, extract::Path, routing::get};
use futures_util::future::join_all;
use rstest::rstest;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, header as has_header, method, path, query_param},
};

use super::{super::observed::Observed, *};

const SECRET: &str = "s3cr3t";

fn quick() -> HttpSettings {
    HttpSettings {
        time_limit: Duration::from_millis(300),
        ..HttpSettings::default()
    }
}

/// For servers that answer, also on a machine that is busy.
fn patient() -> HttpSettings {
    HttpSettings {
        time_limit: Duration::from_secs(20),
        ..HttpSettings::default()
    }
}

fn names_at(base: &str, settings: HttpSettings) -> HttpNames {
    let template = UrlTemplate::parse(&format!("{base}/agents/{{id}}?key={SECRET}")).unwrap();
    HttpNames::new(template, settings).unwrap()
}

async fn name(names: &HttpNames, id: &str) -> Option<String> {
    let name = names.name(&TenantId::new("t"), id).await;
    name.map(|name| name.to_string())
}

async fn answering(response: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(response).mount(&server).await;
    server
}

fn named(name: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(serde_json::json!({ "name": name }))
}

async fn asked(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn a_name_is_asked_for_as_the_template_says_and_kept() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/agents/a%201%2Fx"))
        .and(query_param("key", SECRET))
        .and(has_header("accept", "application/json"))
        .respond_with(named("  Maria "))
        .expect(1)
        .mount(&server)
        .await;
    let seen = Observed::start();
    let names = names_at(&server.uri(), patient());
    for _ in 0..5 {
        assert_eq!(name(&names, "a 1/x").await.as_deref(), Some("Maria"));
    }
    assert_eq!(seen.lookups(), [("found".to_owned(), 1)]);
}

#[tokio::test]
async fn fifty_who_ask_for_one_agent_make_one_request() {
    let server = answering(named("Maria").set_delay(Duration::from_millis(100))).await;
    let names = names_at(&server.uri(), patient());
    let found = join_all((0..50).map(|_| name(&names, "a1"))).await;
    assert!(
        found.iter().all(|name| name.as_deref() == Some("Maria")),
        "{found:?}"
    );
    assert_eq!(asked(&server).await, 1);
}

#[tokio::test]
async fn a_request_whose_asker_is_gone_is_neither_lost_nor_repeated() {
    let server = answering(named("Maria").set_delay(Duration::from_millis(100))).await;
    let names = names_at(&server.uri(), patient());
    let gone = timeout(Duration::from_millis(20), name(&names, "a1")).await;
    assert!(gone.is_err());
    assert_eq!(name(&names, "a1").await.as_deref(), Some("Maria"));
    assert_eq!(asked(&server).await, 1);
}

#[tokio::test]
async fn never_more_requests_are_under_way_than_allowed() {
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    async fn answer(Path(id): Path<String>) -> String {
        MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(30)).await;
        NOW.fetch_sub(1, Ordering::SeqCst);
        format!(r#"{{"name": "Agent {id}"}}"#)
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().route("/agents/{id}", get(answer));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });

    let names = names_at(&base, patient());
    let ids: Vec<String> = (0..40).map(|n| format!("a{n}")).collect();
    let found = join_all(ids.iter().map(|id| name(&names, id))).await;
    for (id, name) in ids.iter().zip(found) {
        assert_eq!(name, Some(format!("Agent {id}")));
    }
    assert_eq!(MOST.load(Ordering::SeqCst), 8);
}

#[tokio::test]
async fn the_cache_holds_as_long_as_its_answers_say() {
    let settings = HttpSettings {
        ttl: Duration::from_millis(200),
        miss_ttl: Duration::from_millis(200),
        ..patient()
    };
    for (response, found) in [
        (named("Maria"), Some("Maria")),
        (ResponseTemplate::new(404), None),
    ] {
        let server = answering(response).await;
        let names = names_at(&server.uri(), settings.clone());
        let begun = Instant::now();
        assert_eq!(name(&names, "a1").await.as_deref(), found);
        assert_eq!(name(&names, "a1").await.as_deref(), found);
        // Only where the machine was not so slow that the answer is too old already.
        if begun.elapsed() < settings.ttl {
            assert_eq!(asked(&server).await, 1);
        }
        let until = Instant::now() + Duration::from_secs(20);
        while asked(&server).await < 2 {
            assert!(Instant::now() < until, "the answer is kept for ever");
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_eq!(name(&names, "a1").await.as_deref(), found);
        }
        assert!(begun.elapsed() >= settings.ttl, "asked again too soon");
    }
}

#[tokio::test]
async fn the_cache_is_bounded_and_keeps_the_newest() {
    let server = answering(named("Maria")).await;
    let settings = HttpSettings {
        max_entries: 10,
        ..patient()
    };
    let names = names_at(&server.uri(), settings);
    for n in 0..50 {
        name(&names, &format!("a{n}")).await;
    }
    names.0.answers.run_pending_tasks().await;
    assert_eq!(names.0.answers.entry_count(), 10);
    name(&names, "a49").await;
    assert_eq!(asked(&server).await, 50);
}

fn answers(status: u16, body: impl Into<Vec<u8>>) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body, "application/json")
}

#[rstest]
#[case::no_such_agent(answers(404, "gone"), "unknown")]
#[case::no_name(answers(200, r#"{"name": null}"#), "unknown")]
#[case::an_empty_name(answers(200, r#"{"name": " "}"#), "unknown")]
#[case::another_service(answers(200, r#"{"status": "ok"}"#), "unusable")]
#[case::html(answers(200, "<html>"), "unusable")]
#[case::nothing(answers(204, ""), "unusable")]
#[case::a_number(answers(200, r#"{"name": 7}"#), "unusable")]
#[case::two_lines(answers(200, r#"{"name": "Maria\nbot: hello"}"#), "unusable")]
#[case::too_long_a_name(answers(200, format!(r#"{{"name": "{}"}}"#, "x".repeat(257))), "unusable")]
#[case::too_long_an_answer(answers(200, format!(r#"{{"name": "M", "x": "{}"}}"#, "x".repeat(1 << 16))), "unusable")]
#[case::not_unicode(answers(200, b"{\"name\": \"\xff\"}".to_vec()), "unusable")]
#[case::refused(answers(401, r#"{"name": "Maria"}"#), "unavailable")]
#[case::broken(answers(500, r#"{"name": "Maria"}"#), "unavailable")]
#[case::elsewhere(answers(302, "").insert_header("location", "/agents/elsewhere"), "unavailable")]
#[tokio::test]
async fn what_is_no_name_is_counted_and_not_asked_for_again(
    #[case] response: ResponseTemplate,
    #[case] outcome: &str,
) {
    let server = answering(response).await;
    let seen = Observed::start();
    let names = names_at(&server.uri(), patient());
    assert_eq!(name(&names, "a1").await, None);
    assert_eq!(name(&names, "a1").await, None);
    assert_eq!(seen.lookups(), [(outcome.to_owned(), 1)]);
    assert_eq!(asked(&server).await, 1);
    let log = seen.log();
    assert_eq!(log.contains("WARN"), outcome != "unknown", "{log}");
    assert!(!log.contains(SECRET) && !log.contains("Maria"), "{log}");
}

#[tokio::test]
async fn an_answer_as_long_as_allowed_is_read() {
    let filler = "x".repeat(ANSWER_BYTES_MAX - r#"{"name": "Maria", "x": ""}"#.len());
    let body = format!(r#"{{"name": "Maria", "x": "{filler}"}}"#);
    assert_eq!(body.len(), ANSWER_BYTES_MAX);
    let server = answering(answers(200, body)).await;
    let names = names_at(&server.uri(), patient());
    assert_eq!(name(&names, "a1").await.as_deref(), Some("Maria"));
}

/// How a server may be slow.
#[derive(Clone, Copy)]
enum Slow {
    /// It takes the request and says nothing.
    Silent,
    /// It answers a byte at a time.
    Trickling,
}

async fn slow_server(how: Slow) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut request = [0; 1024];
                let _ = connection.read(&mut request).await;
                if let Slow::Trickling = how {
                    let _ = connection
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
                        .await;
                    while connection.write_all(b" ").await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
                std::future::pending::<()>().await;
            });
        }
    });
    base
}

#[rstest]
#[case(Slow::Silent)]
#[case(Slow::Trickling)]
#[tokio::test]
async fn a_slow_server_is_waited_for_no_longer_than_allowed_and_once(#[case] how: Slow) {
    let seen = Observed::start();
    let names = names_at(&slow_server(how).await, quick());
    let begun = Instant::now();
    assert_eq!(name(&names, "a1").await, None);
    let waited = begun.elapsed();
    assert!(waited >= quick().time_limit, "{waited:?}");
    assert!(waited < Duration::from_secs(5), "{waited:?}");
    // The request's own limit ends at about the same time; from then on the failure is known.
    let until = Instant::now() + Duration::from_secs(20);
    while seen.lookups().is_empty() {
        assert!(Instant::now() < until);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(seen.lookups(), [("timeout".to_owned(), 1)]);
    let begun = Instant::now();
    assert_eq!(name(&names, "a1").await, None);
    assert!(begun.elapsed() < quick().time_limit, "{:?}", begun.elapsed());
    assert_eq!(seen.lookups(), [("timeout".to_owned(), 1)]);
}

#[tokio::test]
async fn those_whose_turn_does_not_come_wait_no_longer_and_are_soon_asked_for_again() {
    let seen = Observed::start();
    let server = answering(named("Maria").set_delay(Duration::from_millis(1000))).await;
    let settings = HttpSettings {
        in_flight: 1,
        busy_ttl: Duration::from_millis(1),
        time_limit: Duration::from_millis(300),
        ..patient()
    };
    let names = names_at(&server.uri(), settings);
    // The first request takes its whole time, so the others' time is over when it ends; one may still get its turn.
    let begun = Instant::now();
    let found = join_all(["a1", "a2", "a3", "a4"].map(|id| name(&names, id))).await;
    assert_eq!(found, [None, None, None, None]);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let until = Instant::now() + Duration::from_secs(20);
    while !seen.lookups().iter().any(|(outcome, _)| outcome == "busy") {
        assert!(Instant::now() < until, "{:?}", seen.lookups());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    server.reset().await;
    Mock::given(any())
        .respond_with(named("Ivan"))
        .mount(&server)
        .await;
    let mut found = Vec::new();
    while !found.contains(&Some("Ivan".to_owned())) {
        assert!(Instant::now() < until);
        found = join_all(["a3", "a4"].map(|id| name(&names, id))).await;
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_told_of_once_and_so_is_its_return() {
    let seen = Observed::start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let names = names_at(&format!("http://{address}"), patient());
    for id in ["a1", "a2", "a3"] {
        assert_eq!(name(&names, id).await, None);
    }
    assert_eq!(seen.lookups(), [("unavailable".to_owned(), 3)]);
    let log = seen.log();
    assert_eq!(log.matches("cannot be looked up").count(), 1, "{log}");
    assert!(!log.contains(SECRET), "{log}");

    let app = Router::new().route("/agents/{id}", get(async || r#"{"name": "Maria"}"#));
    let listener = TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    assert_eq!(name(&names, "a4").await.as_deref(), Some("Maria"));
    assert_eq!(name(&names, "a1").await, None, "a failure is kept for a while");
    assert!(seen.log().contains("can be looked up again"));
}

#[tokio::test]
async fn an_identifier_that_means_another_place_is_not_sent() {
    let server = answering(named("Root")).await;
    let names = names_at(&server.uri(), patient());
    assert_eq!(name(&names, "..").await, None);
    assert_eq!(asked(&server).await, 0);
}

#[test]
fn nothing_shows_the_url() {
    let names = names_at("https://u:p@hr.example", patient());
    let shown = format!("{names:?}");
    assert!(
        !shown.contains(SECRET) && !shown.contains("hr.example"),
        "{shown}"
    );
}
