//! Large files, and uploads that are refused.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use reqwest::{
    Body, Method,
    multipart::{Form, Part},
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    api::refusal,
    attachments::{file, id_of, post},
    world::World,
};

const MIB: usize = 1 << 20;

/// `size` bytes, each mebibyte of its own kind.
fn pattern(size: usize) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    let chunk = |n: usize| Bytes::from(vec![u8::try_from(n % 251).unwrap(); MIB]);
    stream::iter((0..size.div_ceil(MIB)).map(move |n| Ok(chunk(n).slice(..MIB.min(size - n * MIB)))))
}

#[tokio::test]
async fn a_hundred_mebibytes_go_up_and_down_in_pieces() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let size = 100 * MIB;
    let part = file(Body::wrap_stream(pattern(size)), "large.bin", "application/zip");
    let made: Value = post(&world, &id, Form::new().part("attachment", part))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(made["sizeInBytes"], size);

    let path = format!("/conversations/{id}/attachments/{}/content", id_of(&made));
    let answer = world.rest(Method::GET, &path, None).await;
    assert_eq!(answer.content_length(), Some(size as u64));
    let mut content = answer.bytes_stream();
    let mut at = 0;
    while let Some(bytes) = content.next().await {
        let bytes = bytes.unwrap();
        let right = bytes
            .iter()
            .enumerate()
            .step_by(997)
            .all(|(n, byte)| usize::from(*byte) == ((at + n) / MIB) % 251);
        assert!(right, "wrong bytes after {at}");
        at += bytes.len();
    }
    assert_eq!(at, size);
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_leaves_nothing() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let part = file(
        Body::wrap_stream(pattern(200 * MIB + 1)),
        "larger.bin",
        "application/zip",
    );
    let (status, body) = refusal(post(&world, &id, Form::new().part("attachment", part)).await).await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (413, &json!("attachment_not_kept"))
    );
    let none = world.get(&format!("/conversations/{id}/attachments")).await;
    assert_eq!(none["page"]["totalElements"], 0);
}

fn png(bytes: &'static [u8]) -> Part {
    file(bytes, "a.png", "image/png")
}

#[rstest]
#[case(Form::new().text("authorType", "user"), "missing_field")]
#[case(Form::new().part("attachment", png(b"")), "empty_attachment")]
#[case(Form::new().part("attachment", Part::bytes(&b"x"[..])), "invalid_filename")]
#[case(Form::new().part("attachment", file(&b"x"[..], "../etc/passwd", "text/plain")), "invalid_filename")]
#[case(Form::new().part("attachment", file(&b"x"[..], &"ä".repeat(128), "text/plain")), "invalid_filename")]
#[case(Form::new().part("attachment", png(b"x")).text("authorType", "agent"), "invalid_author_type")]
#[case(Form::new().part("attachment", png(b"x")).text("authorType", "user".repeat(1000)), "invalid_author_type")]
#[case(Form::new().part("attachment", png(b"x")).part("attachment", png(b"y")), "invalid_part")]
#[case(Form::new().part("attachment", png(b"x")).text("colour", "red"), "invalid_part")]
#[tokio::test]
async fn uploads_are_checked(#[case] form: Form, #[case] code: &str) {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let (status, body) = refusal(post(&world, &id, form).await).await;
    assert_eq!((status, &body["errors"][0]["code"]), (400, &json!(code)));
    let none = world.get(&format!("/conversations/{id}/attachments")).await;
    assert_eq!(none["page"]["totalElements"], 0);
}

#[tokio::test]
async fn what_is_not_multipart_or_breaks_off_is_refused() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let path = format!("/conversations/{id}/attachments");
    let (status, body) = refusal(world.rest(Method::POST, &path, Some(&json!({}))).await).await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (415, &json!("unsupported_media_type"))
    );
    let whole = "--b\r\ncontent-disposition: form-data; name=\"attachment\"; filename=\"a\"\r\n\r\nx";
    let broken = world
        .request(Method::POST, &format!("/chat-gateway/v1{path}"))
        .header("x-api-key", "sandbox-key")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(whole);
    let (status, body) = refusal(broken.send().await.unwrap()).await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (400, &json!("unreadable_body"))
    );
    let none = world.get(&path).await;
    assert_eq!(none["page"]["totalElements"], 0);
}

/// `size` bytes that end nothing, in pieces.
fn endless(size: usize) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    let piece = Bytes::from(vec![b'x'; 8 << 10]);
    stream::iter((0..size.div_ceil(piece.len())).map(move |_| Ok(piece.clone())))
}

const BEFORE_THE_HEAD: &str =
    "--b\r\ncontent-disposition: form-data; name=\"attachment\"; filename=\"a\"\r\nx: ";

#[rstest]
#[case::before_the_first_part("")]
#[case::in_the_head_of_the_first(BEFORE_THE_HEAD)]
#[case::in_the_head_of_the_second(
    "--b\r\ncontent-disposition: form-data; name=\"authorType\"\r\n\r\nbot\r\n--b\r\nx: "
)]
#[tokio::test]
async fn what_would_have_to_be_kept_whole_is_bounded(#[case] before: &'static str) {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let path = format!("/chat-gateway/v1/conversations/{id}/attachments");
    let body = stream::iter([Ok(Bytes::from(before))]).chain(endless(32 * MIB));
    let request = world
        .request(Method::POST, &path)
        .header("x-api-key", "sandbox-key")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(Body::wrap_stream(body));
    let (status, body) = refusal(request.send().await.unwrap()).await;
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (400, &json!("invalid_part"))
    );
    assert_eq!(body["errors"][0]["message"], "The head of a part is too long.");
}

#[tokio::test]
async fn a_body_may_come_in_crumbs() {
    let world = World::start().await;
    let id = world.create(json!({})).await;
    let path = format!("/chat-gateway/v1/conversations/{id}/attachments");
    let whole = "preamble\r\n--b\r\ncontent-disposition: form-data; name=\"authorType\"\r\n\r\nbot\r\n\
        --b\r\ncontent-disposition: form-data; name=\"attachment\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\nepilogue";
    let crumbs = stream::iter(
        whole
            .bytes()
            .map(|byte| Ok::<_, std::io::Error>(Bytes::from(vec![byte]))),
    );
    let request = world
        .request(Method::POST, &path)
        .header("x-api-key", "sandbox-key")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(Body::wrap_stream(crumbs));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let made: Value = answer.json().await.unwrap();
    assert_eq!((&made["filename"], &made["size"]), (&json!("a"), &json!(1)));
}
