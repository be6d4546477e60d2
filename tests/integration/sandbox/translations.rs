//! Translations, by a translator that answers as LibreTranslate does, or as it should not.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse as _, routing::post};
use chatbridge::sandbox::{Pace, SandboxSettings, TranslatorSettings};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::{greeted, world::World};
use crate::support::service::eventually;

/// What it was asked, in order.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<Value>>>);

impl Asked {
    fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap().clone()
    }
}

async fn answer(State(asked): State<Asked>, body: String) -> axum::response::Response {
    let body: Value = serde_json::from_str(&body).unwrap();
    asked.0.lock().unwrap().push(body.clone());
    let answer = |status, text: String| (StatusCode::from_u16(status).unwrap(), text).into_response();
    match body["q"].as_str().unwrap() {
        "slow" => std::future::pending().await,
        "refuse" => answer(
            400,
            json!({"error": "xx is not supported, secret-1"}).to_string(),
        ),
        "page" => answer(500, "<h1>Sorry</h1>".to_owned()),
        "shape" => answer(200, json!({"translatedText": ["a"]}).to_string()),
        "nothing" => answer(200, json!({}).to_string()),
        "no json" => answer(200, "translated".to_owned()),
        "endless" => answer(200, "x".repeat(2 << 20)),
        "elsewhere" => (
            StatusCode::TEMPORARY_REDIRECT,
            [("location", "http://127.0.0.1:9/")],
        )
            .into_response(),
        text => answer(
            200,
            json!({"translatedText": format!("{text} ({})", body["target"].as_str().unwrap()), "alternatives": []})
                .to_string(),
        ),
    }
}

/// Starts the translator; where it is, and what it is asked.
async fn translator() -> (Url, Asked) {
    let asked = Asked::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/translate", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/translate", post(answer))
        .with_state(asked.clone());
    tokio::spawn(async { axum::serve(listener, router).await });
    (url.parse().unwrap(), asked)
}

fn with(translator: TranslatorSettings) -> impl FnOnce(&mut SandboxSettings) {
    |settings| settings.translator = Some(translator)
}

async fn translate(world: &World, text: &str, status: u16) -> Value {
    let body = json!({"text": text, "source": "ru", "target": "en"});
    world
        .control(Method::POST, "/translations", Some(body), status)
        .await
}

#[tokio::test]
async fn without_a_translator_nothing_is_translated_and_that_is_said() {
    let world = World::start().await;
    let translator = world.control(Method::GET, "/translator", None, 200).await;
    assert_eq!(translator, json!({"host": null, "onThisMachine": null}));
    let refused = translate(&world, "Привет", 409).await;
    assert_eq!(
        refused["error"],
        "Translation is off: no translator is configured."
    );
}

#[tokio::test]
async fn a_text_is_translated() {
    let (url, asked) = translator().await;
    let host = url.authority().to_owned();
    let settings = TranslatorSettings {
        api_key: Some("secret-1".into()),
        ..TranslatorSettings::new(url)
    };
    let world = World::start_set(Pace::instant(), |_| 200, with(settings)).await;
    let shown = world.control(Method::GET, "/translator", None, 200).await;
    assert_eq!(shown, json!({"host": host, "onThisMachine": true}));
    let translated = translate(&world, "Где посылка?", 200).await;
    assert_eq!(translated, json!({"translatedText": "Где посылка? (en)"}));
    let expected =
        json!({"q": "Где посылка?", "source": "ru", "target": "en", "format": "text", "api_key": "secret-1"});
    assert_eq!(asked.all(), [expected]);

    for (field, value) in [
        ("text", String::new()),
        ("text", "x".repeat(10_001)),
        ("source", "../en".to_owned()),
        ("target", String::new()),
    ] {
        let mut body = json!({"text": "a", "source": "ru", "target": "en"});
        body[field] = Value::from(value);
        let refused = world
            .control(Method::POST, "/translations", Some(body), 400)
            .await;
        assert!(refused["error"].as_str().unwrap().contains(field), "{refused}");
    }
    assert_eq!(asked.all().len(), 1, "what is refused is not asked");
}

#[tokio::test]
async fn what_a_translator_does_wrong_is_said() {
    let (url, _) = translator().await;
    let host = url.authority().to_owned();
    let settings = TranslatorSettings {
        api_key: Some("secret-1".into()),
        ..TranslatorSettings::new(url)
    };
    let world = World::start_set(Pace::instant(), |_| 200, with(settings)).await;
    for (text, why) in [
        ("refuse", "answered 400: xx is not supported, …"),
        ("page", "answered 500"),
        ("shape", "answered without a translatedText that is a text"),
        ("nothing", "answered without a translatedText that is a text"),
        ("no json", "answered something else than JSON"),
        ("endless", "answered more than 1 MiB"),
        ("elsewhere", "answered 307"),
    ] {
        let refused = translate(&world, text, 502).await;
        let said = format!("This could not be translated: the translator at {host} {why}.");
        assert_eq!(refused["error"], said, "{text}");
    }
}

#[tokio::test]
async fn a_translator_that_is_slow_or_gone_holds_nothing_up() {
    let (url, asked) = translator().await;
    let host = url.authority().to_owned();
    let settings = TranslatorSettings {
        patience: Duration::from_millis(300),
        ..TranslatorSettings::new(url)
    };
    let world = World::start_set(Pace::instant(), |_| 200, with(settings)).await;
    // More than are asked for at once: all end in time, and conversations go on meanwhile.
    let slow = async || translate(&world, "slow", 504).await;
    let all = async { tokio::join!(slow(), slow(), slow(), slow(), slow(), slow()) };
    let ((refused, ..), _) = tokio::join!(all, greeted(&world));
    let said =
        format!("This could not be translated: the translator at {host} did not answer within 300 ms.");
    assert_eq!(refused["error"], said);
    assert!(!asked.all().is_empty());
    // Whoever gave up holds no place.
    eventually("it works again", async || {
        let body = json!({"text": "again", "source": "ru", "target": "en"});
        let request = world
            .request(Method::POST, "/sandbox/v1/translations")
            .json(&body);
        (request.send().await.unwrap().status() == 200).then_some(())
    })
    .await;

    let gone = TranslatorSettings::new("http://127.0.0.1:9/translate".parse().unwrap());
    let world = World::start_set(Pace::instant(), |_| 200, with(gone)).await;
    let refused = translate(&world, "Hi", 502).await;
    let said = "This could not be translated: the translator at 127.0.0.1:9 cannot be reached.";
    assert_eq!(refused["error"], said);
}
