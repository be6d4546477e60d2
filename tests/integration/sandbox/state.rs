//! What a sandbox holds is saved, and goes on in another one.

use chatbridge::sandbox::{Pace, SandboxSettings, serve};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    GREETED,
    agents::{set_up, sign_in, sit},
    greeted,
    world::World,
};

async fn save(world: &World) -> Value {
    world.control(Method::GET, "/state", None, 200).await
}

#[tokio::test]
async fn everything_goes_on_where_it_was() {
    let world = World::start().await;
    let ann = json!({"id": "ann", "name": "Ann", "skills": ["orders"], "behaviour": "absent", "capacity": 2});
    set_up(&world, json!({"agents": [ann]})).await;
    sign_in(&world, "ann").await;
    let mut all = Vec::new();
    for name in ["Talks", "Is written up", "Waits"] {
        all.push(world.create(json!({"user": {"name": name}})).await);
    }
    let [talks, written, waits] = &all[..] else {
        unreachable!()
    };
    for id in [talks, written] {
        world
            .seen(id, "it is offered", |it| it["offer"]["agentId"] == "ann")
            .await;
        sit(&world, "ann", id, json!({"action": "accept"}), 202).await;
    }
    let file = upload(&world, talks).await;
    let card = json!({"contentType": "Buttons", "content": {"a": 1.5, "b": [null]}});
    let say = json!({"action": "say", "text": "Look", "attachments": [file], "cards": [card]});
    sit(&world, "ann", talks, say, 202).await;
    sit(&world, "ann", written, json!({"action": "leave"}), 202).await;
    world
        .seen(waits, "it waits", |it| {
            it["assignment"]["type"] == "queue" && it["offer"].is_null()
        })
        .await;
    let before = world.desk(talks).await;
    let saved = save(&world).await;
    drop(world);

    let world = World::start().await;
    let gone = greeted(&world).await;
    world.control(Method::PUT, "/state", Some(saved), 204).await;
    world
        .control(Method::GET, &format!("/conversations/{gone}"), None, 404)
        .await;
    let after = world.desk(talks).await;
    for field in ["transcript", "user", "members", "state", "agent", "createdAt"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    let url = after["attachments"][0]["url"].as_str().unwrap();
    assert_eq!(reqwest::get(url).await.unwrap().text().await.unwrap(), "content");
    let ann = world.control(Method::GET, "/agents/ann", None, 200).await;
    assert_eq!(
        (&ann["signedIn"], ann["conversations"].as_array().unwrap().len()),
        (&json!(true), 2)
    );
    assert!(world.desk(waits).await["offer"].is_null(), "she has no room");
    sit(
        &world,
        "ann",
        written,
        json!({"action": "wrapUp", "code": "resolved"}),
        202,
    )
    .await;
    assert_eq!(world.desk(waits).await["offer"]["agentId"], "ann");
    sit(
        &world,
        "ann",
        talks,
        json!({"action": "say", "text": "Still here"}),
        202,
    )
    .await;
    world.expect(talks, 0, &["ann: Still here"]).await;
    let next = world.create(json!({})).await;
    world
        .seen(&next, "it waits behind the other", |it| it["state"] == "active")
        .await;
    assert!(world.desk(&next).await["offer"].is_null());
}

async fn upload(world: &World, id: &str) -> Value {
    let path = format!("/sandbox/v1/agents/ann/conversations/{id}/files");
    let request = world
        .request(Method::POST, &path)
        .header("x-sandbox-filename", "a.txt");
    let answer = request.body("content").send().await.unwrap();
    answer.json::<Value>().await.unwrap()["id"].clone()
}

#[tokio::test]
async fn what_does_not_fit_together_is_refused_and_changes_nothing() {
    let world = World::start().await;
    let id = greeted(&world).await;
    let saved = save(&world).await;
    let broken = |change: &dyn Fn(&mut Value)| {
        let mut saved = saved.clone();
        change(&mut saved);
        saved
    };
    let cases = [
        (broken(&|it| it["floor"]["version"] = json!(2)), "has version 2"),
        (
            broken(&|it| it["floor"]["setup"]["agents"] = json!([])),
            "there is no agent maria",
        ),
        (
            broken(&|it| it["floor"]["channels"][0]["defaultQueue"] = json!("9")),
            "has the queue 9",
        ),
        (broken(&|it| it["files"] = json!({"f": "%"})), "not base64"),
        (
            broken(&|it| it["webhooks"] = json!([{"id": "w", "name": "w", "uri": "nowhere"}])),
            "must be absolute",
        ),
    ];
    for (saved, why) in cases {
        let refused = world.control(Method::PUT, "/state", Some(saved), 400).await;
        assert!(refused["error"].as_str().unwrap().contains(why), "{refused}");
    }
    world.send(&id, "user", "Still there?").await;
    world
        .expect(
            &id,
            GREETED.len(),
            &["typing [\"maria\"]", "maria: …", "typing []"],
        )
        .await;
}

#[tokio::test]
async fn a_file_is_loaded_at_the_start_and_saved_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut counts = Vec::new();
    for _ in 0..2 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let settings = SandboxSettings {
            pace: Pace::instant(),
            state: Some(path.clone()),
            ..SandboxSettings::default()
        };
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve(settings, listener, stop.clone()));
        let begin = http.post(format!("{base}/sandbox/v1/widget/conversations"));
        let begun = begin.json(&json!({"text": "Hi"})).send().await.unwrap();
        assert_eq!(begun.status(), 201);
        let all = http
            .get(format!("{base}/sandbox/v1/conversations"))
            .send()
            .await
            .unwrap();
        let all: Value = all.json().await.unwrap();
        counts.push(all["conversations"].as_array().unwrap().len());
        stop.cancel();
        served.await.unwrap().unwrap();
    }
    assert_eq!(counts, [1, 2]);
    std::fs::write(&path, "{").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = SandboxSettings {
        state: Some(path),
        ..SandboxSettings::default()
    };
    let refused = serve(settings, listener, CancellationToken::new())
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("cannot be loaded"), "{refused}");
}
