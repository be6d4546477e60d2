//! One request and its answer: read within bounds of time and memory, and classified.

use std::{
    error::Error,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use jiff::Timestamp;
use reqwest::{Client, Response, header::RETRY_AFTER};
use tokio::time::{Instant, timeout_at};

use super::{
    UpstreamError, UpstreamErrorKind,
    call::{Call, Transfer},
    connection::Clients,
    failure::Failure,
    operation::Operation,
    outcome::{Outcome, classify},
    problem::{Problem, retry_after},
    record::Record,
    stack::no_time_left,
    transfer::{Arriving, Progress},
};

/// How much of an error body is read, in bytes.
const ERROR_LIMIT: usize = 64 * 1024;

/// How much of a body that nobody needs is read to keep its connection alive, and for how long.
const DRAIN_LIMIT: usize = 64 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// How long exchanges may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// A request and its answer; with a file, how long nothing may move.
    pub(super) timeout: Duration,
    /// A request and its answer where a file goes along.
    pub(super) transfer_timeout: Duration,
}

/// A successful answer.
pub(super) enum Answer {
    /// One that is here.
    Whole(Whole),
    /// A file that is still arriving.
    File(Box<Arriving>),
    /// None: the operation had been done before. Nothing was left to do for this request.
    FoundDone,
}

/// An answer that is here. It counts as a success once it is read.
pub(super) struct Whole {
    operation: &'static Operation,
    status: u16,
    /// Empty where the operation needs none, unless it keeps what comes.
    body: Vec<u8>,
    record: Record,
}

impl Answer {
    /// Reads the answer with `read`.
    pub(super) fn read<T>(self, read: impl FnOnce(&[u8]) -> Result<T, String>) -> Result<T, UpstreamError> {
        match self {
            Self::Whole(whole) => whole.read(read),
            Self::FoundDone => read(&[]).map_err(unexpected),
            Self::File(_) => Err(unexpected("the answer is a file".to_owned())),
        }
    }

    /// The file that is arriving.
    pub(super) fn into_file(self) -> Result<Arriving, UpstreamError> {
        match self {
            Self::File(file) => Ok(*file),
            _ => Err(unexpected("the answer is not a file".to_owned())),
        }
    }
}

impl Whole {
    fn read<T>(self, read: impl FnOnce(&[u8]) -> Result<T, String>) -> Result<T, UpstreamError> {
        match read(&self.body) {
            Ok(value) => {
                self.record.succeeded(self.status);
                Ok(value)
            }
            Err(problem) => {
                let status = Some(self.status);
                let failure = Failure::of(self.operation, Outcome::Undecodable, status, problem);
                self.record.failed(&failure.error);
                Err(failure.error)
            }
        }
    }
}

fn unexpected(problem: String) -> UpstreamError {
    UpstreamError::new(UpstreamErrorKind::Unexpected, problem)
}

/// Sends a request once and reads its answer, within the time that is set and that the caller has.
pub(super) async fn exchange(clients: Clients, limits: Limits, mut call: Call) -> Result<Answer, Failure> {
    let started = Instant::now();
    let set = match call.transfer {
        Transfer::None => started + limits.timeout,
        Transfer::Up(_) | Transfer::Down => started + limits.transfer_timeout,
    };
    let by = call.deadline.map_or(set, |deadline| deadline.min(set));
    if by <= started {
        return Err(no_time_left());
    }
    let client = call.transfer.client(&clients).clone();
    let record = Record::start(&mut call);
    let left = Arc::clone(&call.left);
    left.store(true, Ordering::Release);
    let caller_is_short = by < started + limits.timeout;
    let result = match call.transfer.clone() {
        Transfer::None => send(&client, call, by, record).await,
        Transfer::Up(progress) => upload(&client, limits, call, by, &progress, record).await,
        Transfer::Down => open(&client, limits, call, by, record).await,
    };
    result.map_err(|failure| {
        left.store(failure.may_have_happened, Ordering::Release);
        // Time ran out that was never the vendor's.
        let is_late = failure.error.status.is_none_or(|status| status < 300);
        if caller_is_short && is_late && Instant::now() >= by {
            failure.without_sign()
        } else {
            failure
        }
    })
}

async fn send(client: &Client, call: Call, by: Instant, record: Record) -> Result<Answer, Failure> {
    let operation = call.operation;
    let result = match timeout_at(by, client.execute(call.request)).await {
        Ok(Ok(response)) => read_answer(operation, response, by).await,
        Ok(Err(error)) => Err(broken(operation, outcome_of(&error), None, error)),
        Err(_) => Err(late(operation, Outcome::TimedOut, None)),
    };
    finish(operation, result, record)
}

/// Sends a request whose body is a file. As long as the body is not whole, nothing can have come of it.
async fn upload(
    client: &Client,
    limits: Limits,
    call: Call,
    by: Instant,
    progress: &Progress,
    record: Record,
) -> Result<Answer, Failure> {
    let operation = call.operation;
    let result = match progress
        .watch(client.execute(call.request), limits.timeout, by)
        .await
    {
        Some(Ok(response)) => {
            let by = by.min(Instant::now() + limits.timeout);
            read_answer(operation, response, by).await
        }
        Some(Err(error)) => {
            let outcome = match outcome_of(&error) {
                Outcome::Lost if !progress.is_whole() => Outcome::CutShort,
                outcome => outcome,
            };
            Err(broken(operation, outcome, None, error))
        }
        None if progress.is_whole() => Err(late(operation, Outcome::TimedOut, None)),
        None => Err(late(operation, Outcome::Stalled, None)),
    };
    if progress.is_broken() || progress.is_silent() {
        // Not the vendor's doing, and not a request that came to an end: it counts as cancelled.
        return result
            .map(|(status, body)| answer(operation, status, body, record))
            .map_err(Failure::without_sign);
    }
    let is_callers = progress.is_starved();
    finish(operation, result, record).map_err(|failure| match is_callers {
        true if failure.error.status.is_none() => failure.without_sign(),
        _ => failure,
    })
}

/// Sends a request whose answer is a file: done once it begins to arrive.
async fn open(
    client: &Client,
    limits: Limits,
    mut call: Call,
    until: Instant,
    record: Record,
) -> Result<Answer, Failure> {
    let operation = call.operation;
    let permit = call.permit.take();
    let by = until.min(Instant::now() + limits.timeout);
    let failure = match timeout_at(by, client.execute(call.request)).await {
        Ok(Ok(response)) if response.status() == reqwest::StatusCode::OK => {
            let arriving = Arriving::new(response, record, permit, limits.timeout, until);
            return Ok(Answer::File(Box::new(arriving)));
        }
        Ok(Ok(response)) if response.status().is_success() => {
            let problem = "the answer is a success without a file".to_owned();
            let status = Some(response.status().as_u16());
            Failure::of(operation, Outcome::Undecodable, status, problem)
        }
        Ok(Ok(response)) => refusal(operation, response, by).await,
        Ok(Err(error)) => broken(operation, outcome_of(&error), None, error),
        Err(_) => late(operation, Outcome::TimedOut, None),
    };
    record.failed(&failure.error);
    Err(failure)
}

fn answer(operation: &'static Operation, status: u16, body: Vec<u8>, record: Record) -> Answer {
    Answer::Whole(Whole {
        operation,
        status,
        body,
        record,
    })
}

fn finish(
    operation: &'static Operation,
    result: Result<(u16, Vec<u8>), Failure>,
    record: Record,
) -> Result<Answer, Failure> {
    match result {
        Ok((status, body)) => Ok(answer(operation, status, body, record)),
        Err(failure) => {
            record.failed(&failure.error);
            Err(failure)
        }
    }
}

async fn read_answer(
    operation: &Operation,
    mut response: Response,
    by: Instant,
) -> Result<(u16, Vec<u8>), Failure> {
    let status = response.status().as_u16();
    if !response.status().is_success() {
        return Err(refusal(operation, response, by).await);
    }
    if !operation.has_answer() {
        let soon = by.min(Instant::now() + DRAIN_TIME);
        let body = match read(&mut response, DRAIN_LIMIT, soon).await {
            (body, End::Complete) if operation.keeps_answer => body,
            _ => Vec::new(),
        };
        return Ok((status, body));
    }
    let limit = operation.answer_limit;
    let announced = response.content_length().unwrap_or(0);
    let (body, end) = if announced > limit as u64 {
        (Vec::new(), End::TooLarge)
    } else {
        read(&mut response, limit, by).await
    };
    match end {
        End::Complete => Ok((status, body)),
        End::TooLarge => {
            let problem = format!("the answer is larger than {limit} bytes");
            Err(Failure::of(
                operation,
                Outcome::Undecodable,
                Some(status),
                problem,
            ))
        }
        End::TimedOut => Err(late(operation, Outcome::TimedOut, Some(status))),
        End::Broken(error) => Err(broken(operation, Outcome::Lost, Some(status), error)),
    }
}

/// The vendor refused: its status decides, however much of its explanation arrives.
async fn refusal(operation: &Operation, mut response: Response, by: Instant) -> Failure {
    let status = response.status().as_u16();
    let outcome = Outcome::Status(status);
    let kind = classify(outcome, operation.repeat);
    let wait = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| retry_after(text, Timestamp::now()));
    let (body, _) = read(&mut response, ERROR_LIMIT, by).await;
    let problem = Problem::parse(&body);
    let may_repeat = matches!(
        kind,
        UpstreamErrorKind::RateLimited | UpstreamErrorKind::Unavailable
    );
    let error = UpstreamError {
        kind,
        status: Some(status),
        message: problem.message,
        reference_id: problem.reference_id,
        retry_after: wait.filter(|_| may_repeat),
        violations: problem.violations,
    };
    Failure::with(outcome, error)
}

/// How reading a body ended.
enum End {
    Complete,
    TooLarge,
    TimedOut,
    Broken(reqwest::Error),
}

/// Reads at most `limit` bytes of a body; what was read is answered however it ends.
async fn read(response: &mut Response, limit: usize, by: Instant) -> (Vec<u8>, End) {
    let mut body = Vec::new();
    let end = loop {
        match timeout_at(by, response.chunk()).await {
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

/// No answer, because the connection is not there or no more.
fn broken(operation: &Operation, outcome: Outcome, status: Option<u16>, error: reqwest::Error) -> Failure {
    let problem = match outcome {
        Outcome::NeverSent => "no connection",
        Outcome::NotBuilt => "the request could not be built",
        Outcome::CutShort => "the connection broke before the request was complete",
        _ => "the connection broke before the answer was complete",
    };
    let problem = format!("{problem}: {}", innermost(error));
    Failure::of(operation, outcome, status, problem)
}

/// The words of the innermost cause: the outer ones repeat the URL.
pub(super) fn innermost(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// No answer within the time that there was.
fn late(operation: &Operation, outcome: Outcome, status: Option<u16>) -> Failure {
    let problem = match outcome {
        Outcome::Stalled => "the request could not be sent whole within the time limit",
        _ => "no complete answer within the time limit",
    };
    Failure::of(operation, outcome, status, problem.to_owned())
}
