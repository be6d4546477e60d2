//! The pages for people, as a browser gets them, and what other sites' pages get.

use std::collections::BTreeSet;

use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::world::World;

const PAGES: [&str; 3] = ["/desk", "/customer", "/wire"];
/// An identifier of a language, not an address that anything is fetched from.
const SVG: &str = r#"xmlns="http://www.w3.org/2000/svg""#;

async fn fetch(world: &World, path: &str) -> Response {
    world.request(Method::GET, path).send().await.unwrap()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |it| it.to_str().unwrap())
}

/// The parts that a page or a part refers to, as paths.
fn references(text: &str) -> BTreeSet<String> {
    let quoted = text.split('"').skip(1).step_by(2);
    let part = |it: &str| {
        let name = it.strip_prefix("/pages/").or_else(|| it.strip_prefix("./"))?;
        Some(format!("/pages/{name}"))
    };
    quoted.filter_map(part).collect()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "text/html; charset=utf-8",
    }
}

/// Fetches all pages and all of what they are made of; path and text of each.
async fn everything(world: &World) -> Vec<(String, String)> {
    let mut waiting: Vec<String> = PAGES.map(str::to_owned).to_vec();
    let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
    let mut all = Vec::new();
    while let Some(path) = waiting.pop() {
        let answer = fetch(world, &path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(header(&answer, "content-type"), media_type(&path), "{path}");
        assert_eq!(header(&answer, "cache-control"), "no-cache", "{path}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
        let policy = header(&answer, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; "), "{path} {policy}");
        assert!(
            policy.contains("script-src 'self'; style-src 'self';"),
            "{path} {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path} {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path} {policy}");
        let text = answer.text().await.unwrap();
        let fresh = references(&text).into_iter().filter(|it| seen.insert(it.clone()));
        waiting.extend(fresh);
        all.push((path, text));
    }
    all
}

#[tokio::test]
async fn every_part_of_a_page_is_served_here_and_none_is_elsewhere() {
    let world = World::start().await;
    let all = everything(&world).await;
    let served = |path: &str| all.iter().any(|(it, _)| it == path);
    assert!(served("/pages/style.css") && served("/pages/desk.js") && served("/pages/card.js"));
    for (path, text) in &all {
        let text = text.replace(SVG, "");
        for elsewhere in ["http://", "https://", "\"//", "url(", "@import"] {
            assert!(!text.contains(elsewhere), "{path} has {elsewhere}");
        }
    }
    assert_eq!(fetch(&world, "/pages/none.js").await.status(), 404);
    assert_eq!(fetch(&world, "/pages/desk.html").await.status(), 404);
}

#[tokio::test]
async fn nothing_is_inline_and_text_stays_text() {
    let world = World::start().await;
    for (path, text) in everything(&world).await {
        for markup in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
        ] {
            assert!(!text.contains(markup), "{path} has {markup}");
        }
        if media_type(&path).starts_with("text/html") {
            for inline in ["<style", " style=", " onclick=", "<script>"] {
                assert!(!text.contains(inline), "{path} has {inline}");
            }
        }
    }
}

#[tokio::test]
async fn the_root_leads_to_the_desk() {
    let world = World::start().await;
    let answer = fetch(&world, "/").await;
    assert_eq!((answer.status().as_u16(), answer.url().path()), (200, "/desk"));
}

#[tokio::test]
async fn pages_of_other_sites_are_refused() {
    let world = World::start().await;
    let begun = json!({"text": "Hi"});
    let begun = world
        .control(Method::POST, "/widget/conversations", Some(begun), 201)
        .await;
    let id = begun["conversationId"].as_str().unwrap();
    // A form of any page can post this: it has no body and needs no header.
    let leave = format!("/sandbox/v1/widget/conversations/{id}/leave");
    let sent = async |name: &str, value: &str| {
        let request = world.request(Method::POST, &leave).header(name, value);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap_or_default())
    };
    let (status, why) = sent("origin", "https://shop.example").await;
    assert_eq!(status, 403);
    assert_eq!(
        why["error"],
        "A web page of another site may not use the sandbox."
    );
    assert_eq!(sent("origin", "null").await.0, 403);
    assert_eq!(sent("host", "shop.example").await.0, 403);
    let page = world.request(Method::GET, "/desk").header("host", "shop.example");
    assert_eq!(page.send().await.unwrap().status(), 403);
    assert_eq!(world.desk(id).await["state"], "active");
    // The REST API's key is published, so it is no more open to them; to programs by its address it is.
    let list = || {
        let request = world.request(Method::GET, "/chat-gateway/v1/conversations");
        request.header("x-api-key", "sandbox-key")
    };
    for (name, value) in [("host", "shop.example"), ("origin", "https://shop.example")] {
        let answer = list().header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{name}");
    }
    assert_eq!(
        list()
            .header("host", "localhost:8088")
            .send()
            .await
            .unwrap()
            .status(),
        200
    );

    assert_eq!(sent("origin", &world.base).await.0, 202);
    world
        .seen(id, "that the customer left", |it| it["state"] == "idle")
        .await;
}

#[tokio::test]
async fn a_body_that_does_not_say_that_it_is_json_is_refused() {
    let world = World::start().await;
    let request = world.request(Method::POST, "/sandbox/v1/agents/maria/sign-in");
    let answer = request
        .header("content-type", "text/plain")
        .body("{}")
        .send()
        .await;
    assert_eq!(answer.unwrap().status(), 415);
}
