//! Entries that another version wrote: nobody takes them for something else, and nothing is lost.

use std::process::Stdio;

use chatbridge::event::{ConversationKey, TenantId};
use chatbridge::store::partition;

use super::*;
use crate::support::{service::program, vendor::TENANT};

type Entries = Vec<(String, Vec<(Vec<u8>, Vec<u8>)>)>;

/// Writes a partition's entries anew, one of them in another format.
async fn rewrite(world: &World, log: &str, number: usize, format: &str) {
    let client = redis::Client::open(world.redis_url.as_str()).unwrap();
    let mut past = client.get_multiplexed_async_connection().await.unwrap();
    let entries: Entries = redis::cmd("XRANGE")
        .arg(&[log, "-", "+"])
        .query_async(&mut past)
        .await
        .unwrap();
    let mut anew = redis::pipe();
    anew.atomic().del(log);
    for (at, (id, fields)) in entries.iter().enumerate() {
        let add = anew.cmd("XADD").arg(log).arg(id);
        for (name, value) in fields {
            let value = if at == number && name == b"v" {
                format.as_bytes()
            } else {
                value
            };
            add.arg(name).arg(value);
        }
    }
    anew.query_async::<redis::Value>(&mut past).await.unwrap();
}

#[tokio::test]
async fn an_entry_of_an_unknown_format_holds_its_own_streams_and_is_never_misread() {
    let world = World::new().await;
    let service = world.serve().await;
    let mut live = service.events(AgentEventsRequest::default()).await;
    for (conversation, text) in [("c", "1"), ("c", "2"), ("c", "3"), ("other", "4")] {
        let message = world.vendor.message(conversation, text);
        assert_eq!(world.vendor.deliver(&service.webhook, &message).await, 204);
    }
    assert_eq!(texts(&mut live, 4).await, ["1", "2", "3", "4"]);
    let key = ConversationKey::new(TenantId::new(TENANT), "c");
    let tag = partition::hash_tag(partition::of(&key, 16), 16);
    let log = format!("{}:{{{tag}}}:log", world.prefix);
    rewrite(&world, &log, 1, "9").await;

    let of = |conversation: &str| AgentEventsRequest {
        conversation_ids: vec![conversation.to_owned()],
        start: Some(Start::Position(StartPosition::Earliest.into())),
        ..AgentEventsRequest::default()
    };
    let mut held = service.events(of("c")).await;
    assert_eq!(texts(&mut held, 1).await, ["1"]);
    let status = held.next().await.unwrap_err();
    assert_eq!(
        status.code(),
        Code::Unavailable,
        "clients connect again by themselves"
    );
    assert_eq!(status.get_details_error_info().unwrap().reason, "FORMAT_UNKNOWN");
    assert!(status.get_details_retry_info().is_some());
    assert!(status.message().contains("format \"9\""), "{}", status.message());
    // Its cursor stays before the entry, however often it comes back; nobody else is held up.
    let resumed = AgentEventsRequest {
        start: Some(Start::Cursor(held.cursor.clone())),
        ..of("c")
    };
    let mut again = service.events(resumed.clone()).await;
    assert_eq!(again.next().await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(texts(&mut service.events(of("other")).await, 1).await, ["4"]);

    // A replica that reads the format goes on where this one stopped.
    rewrite(&world, &log, 1, "1").await;
    assert_eq!(texts(&mut service.events(resumed).await, 2).await, ["2", "3"]);
}

/// Runs `entry-format`: its exit code, and all that it printed.
async fn entry_format(world: &World, args: &[&str]) -> (Option<i32>, String) {
    let mut command = program();
    command
        .arg("entry-format")
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, value) in settings(&world.vendor_url, &world.redis_url, &world.prefix) {
        command.env(format!("CHATBRIDGE_{}", name.to_ascii_uppercase()), value);
    }
    let output = command.output().await.unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(printed).unwrap())
}

#[tokio::test]
async fn no_format_is_written_that_a_replica_does_not_read() {
    let world = World::new().await;
    let (code, printed) = entry_format(&world, &[]).await;
    assert_eq!(
        (code, printed.contains("There is no log yet")),
        (Some(0), true),
        "{printed}"
    );
    let (code, printed) = entry_format(&world, &["set", "1"]).await;
    assert_eq!(
        (code, printed.contains("start a replica first")),
        (Some(1), true),
        "{printed}"
    );

    let service = world.serve().await;
    let (code, printed) = entry_format(&world, &["show"]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(
        printed.contains("format 1") && printed.contains("writes 1"),
        "{printed}"
    );
    let (code, printed) = entry_format(&world, &["set", "9", "--wait", "0"]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(
        printed.contains("nothing was changed") && printed.contains("do not read format 9"),
        "{printed}"
    );
    let (code, printed) = entry_format(&world, &["set", "1"]).await;
    assert_eq!(code, Some(0), "{printed}");

    // Somebody had the others write a format of which this program knows nothing.
    let client = redis::Client::open(world.redis_url.as_str()).unwrap();
    let mut past = client.get_multiplexed_async_connection().await.unwrap();
    let schema = format!("{}:schema", world.prefix);
    let note = |format: &'static str| redis::cmd("HSET").arg(&[&schema, "format", format]).clone();
    note("9").query_async::<i64>(&mut past).await.unwrap();
    eventually("the replica says that it cannot go on", async || {
        (service.metric("chatbridge_store_up").await < 0.5).then_some(())
    })
    .await;
    let ended = program()
        .args(["serve"])
        .envs(
            settings(&world.vendor_url, &world.redis_url, &world.prefix)
                .into_iter()
                .map(|(name, value)| (format!("CHATBRIDGE_{}", name.to_ascii_uppercase()), value)),
        )
        .envs(["GRPC", "WEBHOOK", "ADMIN"].map(|port| (format!("CHATBRIDGE_{port}_LISTEN"), "127.0.0.1:0")))
        .stderr(Stdio::piped())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(
        said.contains("written in format \"9\"") && said.contains("reads formats 1 to "),
        "{said}"
    );
    note("1").query_async::<i64>(&mut past).await.unwrap();
    eventually("it goes on by itself", async || {
        (service.metric("chatbridge_store_up").await > 0.5).then_some(())
    })
    .await;
}
