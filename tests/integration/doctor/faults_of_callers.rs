//! Faults of who tells of callers and agents: issuers of tokens, and the source of agents' names.

use std::{fs, time::Duration};

use serde_json::json;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use super::{Diagnosis, Patient};
use crate::support::{
    issuer::{ISSUER, Issuer, Pair},
    stage::TENANT,
};

/// What is found with an issuer whose keys are there.
async fn with_issuer(jwks_url: &str, algorithms: &str) -> Diagnosis {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("chatbridge.toml");
    let tables = format!(
        "[[jwt_issuers]]\nissuer = {ISSUER:?}\naudiences = [\"chatbridge\"]\nalgorithms = {algorithms}\njwks_url = {jwks_url:?}\n\
         [[jwt_issuers.grants]]\nclaim = \"groups\"\nvalue = \"admin\"\nrole = \"admin\"\ntenants = [{TENANT:?}]\n"
    );
    fs::write(&file, tables).unwrap();
    let patient = Patient::new().await;
    patient.examine(&["--config", file.to_str().unwrap()]).await
}

async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_an_issuer() {
    let issuer = Issuer::start(&[&Pair::new("k-1"), &Pair::new("k-2")]).await;
    let found = with_issuer(&issuer.url(), "[\"ES256\"]").await;
    assert_eq!(found.code, 0, "{:#?}", found.wrong());
    found.has("callers.issuer", "ok", "2 of the 2 key(s)", "");

    let found = with_issuer(&issuer.url(), "[\"RS256\", \"EdDSA\"]").await;
    let sentence = "None of the 2 key(s) that it publishes verifies RS256 or EdDSA.";
    found
        .error("callers.issuer", sentence, "Set algorithms of this issuer")
        .only(&["callers.issuer"]);

    let remedy = "Correct jwks_url of this issuer in [[jwt_issuers]]";
    let nobody = with_issuer("http://127.0.0.1:9/s3cret", "[\"ES256\"]").await;
    nobody
        .error("callers.issuer", "cannot be fetched from 127.0.0.1", remedy)
        .only(&["callers.issuer"]);
    assert!(!format!("{nobody:?}").contains("s3cret"), "{nobody:?}");
    for (answer, why) in [
        (ResponseTemplate::new(404), "the answer was 404"),
        (
            ResponseTemplate::new(200).set_body_string("<html>"),
            "the answer is not a set of keys",
        ),
        (
            ResponseTemplate::new(200).set_body_json(json!({"keys": []})),
            "the answer has no keys",
        ),
    ] {
        let server = answering(answer).await;
        let found = with_issuer(&server.uri(), "[\"ES256\"]").await;
        found.error("callers.issuer", why, remedy);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_names() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("agents.json");
    let mut patient = Patient::new().await;
    patient.set("agent_names_file", file.to_str().unwrap());
    let remedy = "Correct agent_names_file";
    let found = patient.examine(&[]).await;
    found
        .warning("agents.names", "it cannot be read", remedy)
        .only(&["agents.names"]);
    fs::write(&file, "{\n\"a1\": 7}").unwrap();
    let found = patient.examine(&[]).await;
    found.warning("agents.names", "line 2, column 7", remedy);
    fs::write(&file, r#"{"a1": "Maria Secretname"}"#).unwrap();
    let found = patient.examine(&[]).await;
    assert_eq!(found.code, 0, "the remedy helps: {:#?}", found.wrong());
    found.has("agents.names", "ok", "The file has 1 name(s).", "");
    assert!(!format!("{found:?}").contains("Secretname"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_of_names() {
    let mut patient = Patient::new().await;
    for (answer, why) in [
        (
            ResponseTemplate::new(500),
            "cannot be reached, or answers with an error",
        ),
        (
            ResponseTemplate::new(200).set_body_json(json!({"names": []})),
            "answers something else than",
        ),
        (
            ResponseTemplate::new(200).set_delay(Duration::from_secs(60)),
            "does not answer in time",
        ),
    ] {
        let server = answering(answer).await;
        let url = format!("{}/{{id}}?key=s3cret", server.uri());
        let found = patient.set("agent_names_url", &url).examine(&[]).await;
        found
            .warning("agents.names", why, "agent_names_url")
            .only(&["agents.names"]);
        assert!(!format!("{found:?}").contains("s3cret"), "{found:?}");
    }
    // An agent whom it does not know is an answer.
    let server = answering(ResponseTemplate::new(404)).await;
    let url = format!("{}/{{id}}", server.uri());
    let found = patient.set("agent_names_url", &url).examine(&[]).await;
    assert_eq!(found.code, 0, "{:#?}", found.wrong());
    found.has("agents.names", "ok", "The service of names answers.", "");
    let asked = server.received_requests().await.unwrap();
    assert_eq!(asked[0].url.path(), "/chatbridge-doctor-no-such-agent");
}
