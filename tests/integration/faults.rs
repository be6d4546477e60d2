//! A matrix: each thing that networks and the vendor do wrong, times each kind of operation. For each, what the caller hears, how
//! many requests went upstream, what exists there afterwards, and what a repeat with the same `request_id` does: never anything
//! twice.

mod matrix;
mod operations;

use chatbridge::sandbox::Pace;
use tonic::Code;
use tonic_types::StatusExt as _;

use self::{
    matrix::{Case, Outcome, cases},
    operations::{Kind, Subject},
};
use crate::support::stage::Stage;

/// How often a request that may be repeated is sent.
pub(super) const ATTEMPTS: usize = 3;

/// Nothing but the faults: a circuit that opens would answer in their place.
const SETTINGS: [(&str, &str); 3] = [
    ("gateway_timeout_ms", "600"),
    ("gateway_circuit_open_ms", "0"),
    ("gateway_attempts", "3"),
];

async fn stage() -> Stage {
    Stage::start(Pace::scaled(100.0).unwrap(), &SETTINGS).await
}

/// Runs one case, and says what was wrong with it.
async fn run(stage: &Stage, case: &Case, kind: Kind) -> Result<(), String> {
    let expected = case.expected(kind);
    let subject = Subject::prepare(stage, kind).await;
    let before = subject.count(stage).await;
    let fault = case.fault.clone();
    stage.proxy.take();
    stage
        .proxy
        .rule(move |seen| kind.is_its_request(seen).then(|| fault.clone()));
    let first = subject.call(stage).await;
    let requests = stage
        .proxy
        .take()
        .iter()
        .filter(|seen| kind.is_its_request(seen))
        .count();
    stage.proxy.calm();
    let heard = match &first {
        Ok(()) => Outcome::Ok,
        Err(status) => Outcome::Fails(
            status.code(),
            status
                .get_details_error_info()
                .map(|info| info.reason)
                .unwrap_or_default(),
        ),
    };
    if heard != expected.outcome {
        return Err(format!("the caller hears {heard:?}, not {:?}", expected.outcome));
    }
    if requests != expected.requests {
        return Err(format!(
            "{requests} requests went upstream, not {}",
            expected.requests
        ));
    }
    let made = subject.count(stage).await - before;
    if made != expected.exists {
        return Err(format!("{made} exist upstream, not {}", expected.exists));
    }
    if kind.has_request_id() {
        repeat(stage, &subject, before, expected.exists == 1, heard).await?;
    }
    Ok(())
}

/// What the same call with the same `request_id` does afterwards.
async fn repeat(
    stage: &Stage,
    subject: &Subject,
    before: u64,
    exists: bool,
    first: Outcome,
) -> Result<(), String> {
    let unknown = matches!(first, Outcome::Fails(Code::Unknown, _));
    let repeated = if unknown && exists {
        // It is found once the vendor shows it.
        subject.call_until_known(stage).await
    } else {
        subject.call(stage).await
    };
    let made = subject.count(stage).await - before;
    match (unknown, exists, repeated) {
        (true, false, Err(status)) if status.code() == Code::Unknown && made == 0 => Ok(()),
        (true, false, other) => Err(format!(
            "what may have happened is repeated: {other:?}, {made} exist"
        )),
        (_, _, Ok(())) if made == 1 => Ok(()),
        (_, _, other) => Err(format!("the repeat answers {other:?}, and {made} exist")),
    }
}

async fn all(kind: Kind) {
    let stage = stage().await;
    let mut wrong = Vec::new();
    for case in cases() {
        if let Err(problem) = run(&stage, &case, kind).await {
            wrong.push(format!("{} × {kind:?}: {problem}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_read() {
    all(Kind::Read).await;
}

#[tokio::test]
async fn a_put() {
    all(Kind::Put).await;
}

#[tokio::test]
async fn a_put_that_routes() {
    all(Kind::PutAssignment).await;
}

#[tokio::test]
async fn a_create() {
    all(Kind::Create).await;
}

#[tokio::test]
async fn a_send() {
    all(Kind::Send).await;
}

#[tokio::test]
async fn an_upload() {
    all(Kind::Upload).await;
}
