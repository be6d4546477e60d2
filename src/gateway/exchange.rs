//! One request and its answer: read within bounds of time and memory, and classified.

use std::{error::Error, time::Duration};

use jiff::Timestamp;
use reqwest::{Client, Request, Response, header::RETRY_AFTER};
use tokio::time::{Instant, timeout_at};

use super::{
    UpstreamError, UpstreamErrorKind,
    operation::Operation,
    outcome::{Outcome, classify},
    problem::{Problem, retry_after},
};

/// How much of an error body is read, in bytes.
const ERROR_LIMIT: usize = 64 * 1024;

/// How much of a body that nobody needs is read to keep its connection alive, and for how long.
const DRAIN_LIMIT: usize = 64 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// A successful answer.
pub(super) struct Answer {
    pub(super) status: u16,
    /// Empty where the operation needs none, unless it keeps what comes.
    pub(super) body: Vec<u8>,
}

/// Sends a request once and reads its answer; both together take no longer than `timeout`.
pub(super) async fn exchange(
    client: &Client,
    operation: &Operation,
    request: Request,
    timeout: Duration,
) -> Result<Answer, UpstreamError> {
    let failed = |outcome, problem: String| UpstreamError::new(classify(outcome, operation.repeat), problem);
    let deadline = Instant::now() + timeout;
    match timeout_at(deadline, client.execute(request)).await {
        Ok(Ok(response)) => read_answer(operation, response, deadline).await,
        Ok(Err(error)) => {
            let outcome = outcome_of(&error);
            Err(failed(outcome, transport_problem(outcome, error)))
        }
        Err(_) => Err(failed(Outcome::TimedOut, no_answer())),
    }
}

/// The error of a success whose body is not what the vendor documents.
pub(super) fn undecodable(operation: &Operation, status: u16, problem: String) -> UpstreamError {
    with_status(status, classify(Outcome::Undecodable, operation.repeat), problem)
}

async fn read_answer(
    operation: &Operation,
    mut response: Response,
    deadline: Instant,
) -> Result<Answer, UpstreamError> {
    let status = response.status().as_u16();
    if !response.status().is_success() {
        return Err(refusal(operation, response, deadline).await);
    }
    if !operation.has_answer() {
        let soon = deadline.min(Instant::now() + DRAIN_TIME);
        let body = match read(&mut response, DRAIN_LIMIT, soon).await {
            (body, End::Complete) if operation.keeps_answer => body,
            _ => Vec::new(),
        };
        return Ok(Answer { status, body });
    }
    let limit = operation.answer_limit;
    let announced = response.content_length().unwrap_or(0);
    let (body, end) = if announced > limit as u64 {
        (Vec::new(), End::TooLarge)
    } else {
        read(&mut response, limit, deadline).await
    };
    let (outcome, problem) = match end {
        End::Complete => return Ok(Answer { status, body }),
        End::TooLarge => (
            Outcome::Undecodable,
            format!("the answer is larger than {limit} bytes"),
        ),
        End::TimedOut => (Outcome::TimedOut, no_answer()),
        End::Broken(error) => (Outcome::Lost, transport_problem(Outcome::Lost, error)),
    };
    Err(with_status(status, classify(outcome, operation.repeat), problem))
}

/// The vendor refused: its status decides, however much of its explanation arrives.
async fn refusal(operation: &Operation, mut response: Response, deadline: Instant) -> UpstreamError {
    let status = response.status().as_u16();
    let kind = classify(Outcome::Status(status), operation.repeat);
    let wait = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| retry_after(text, Timestamp::now()));
    let (body, _) = read(&mut response, ERROR_LIMIT, deadline).await;
    let problem = Problem::parse(&body);
    let may_repeat = matches!(
        kind,
        UpstreamErrorKind::RateLimited | UpstreamErrorKind::Unavailable
    );
    UpstreamError {
        kind,
        status: Some(status),
        message: problem.message,
        reference_id: problem.reference_id,
        retry_after: wait.filter(|_| may_repeat),
        violations: problem.violations,
    }
}

/// How reading a body ended.
enum End {
    Complete,
    TooLarge,
    TimedOut,
    Broken(reqwest::Error),
}

/// Reads at most `limit` bytes of a body; what was read is answered however it ends.
async fn read(response: &mut Response, limit: usize, deadline: Instant) -> (Vec<u8>, End) {
    let mut body = Vec::new();
    let end = loop {
        match timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                let room = limit - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    break End::TooLarge;
                }
            }
            Ok(Ok(None)) => break End::Complete,
            Ok(Err(error)) => break End::Broken(error),
            Err(_) => break End::TimedOut,
        }
    };
    (body, end)
}

/// Tells apart what provably never left. Everything else may have: also a connection kept alive that the vendor closed,
/// for it may have read the request before. (Only what was not begun to be written goes to another connection by itself.)
fn outcome_of(error: &reqwest::Error) -> Outcome {
    if error.is_builder() {
        Outcome::NotBuilt
    } else if error.is_connect() {
        Outcome::NeverSent
    } else {
        Outcome::Lost
    }
}

/// Why there is no answer, in the words of the innermost cause: the outer ones repeat the URL.
fn transport_problem(outcome: Outcome, error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match outcome {
        Outcome::NeverSent => format!("no connection: {cause}"),
        Outcome::NotBuilt => format!("the request could not be built: {cause}"),
        _ => format!("the connection broke before the answer was complete: {cause}"),
    }
}

fn no_answer() -> String {
    "no complete answer within the time limit".to_owned()
}

fn with_status(status: u16, kind: UpstreamErrorKind, problem: String) -> UpstreamError {
    UpstreamError {
        status: Some(status),
        ..UpstreamError::new(kind, problem)
    }
}
