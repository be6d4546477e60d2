//! What the library answers, in the words of the protocol.

use bytes::Bytes;
use chatbridge_client::Error;
use prost::Message;

use crate::protocol::{self, response::Result as Answer};

/// What the driver cannot do: the request is wrong, and not the library.
#[derive(Debug)]
pub(crate) struct Wrong(pub(crate) String);

impl Wrong {
    pub(crate) fn unknown(name: &str) -> Self {
        Self(format!("there is no {name:?}"))
    }
}

/// Reads a message that is within another.
pub(crate) fn decode<M: Message + Default>(encoded: Bytes) -> Result<M, Wrong> {
    M::decode(encoded).map_err(|error| Wrong(error.to_string()))
}

/// The answer of what may be wrong, fail, or be done.
pub(crate) fn of<T>(result: Result<Result<T, Error>, Wrong>, done: impl FnOnce(T) -> Answer) -> Answer {
    match result {
        Ok(Ok(value)) => done(value),
        Ok(Err(error)) => Answer::Error(tell(&error)),
        Err(Wrong(what)) => Answer::Failure(what),
    }
}

pub(crate) fn done() -> Answer {
    Answer::Done(protocol::Done {})
}

pub(crate) fn response(encoded: Vec<u8>) -> Answer {
    Answer::Call(protocol::CallResult {
        response: encoded.into(),
    })
}

/// The library's error as the library tells it.
pub(crate) fn tell(error: &Error) -> protocol::Error {
    let ending_reason = match error {
        Error::StreamEnded(ending) => ending.reason().as_str_name(),
        _ => "",
    };
    protocol::Error {
        code: i32::from(error.code()),
        reason: error.reason().to_owned(),
        message: error.message().into_owned(),
        metadata: error.metadata().cloned().unwrap_or_default(),
        field_violations: error
            .field_violations()
            .iter()
            .map(|violation| protocol::FieldViolation {
                field: violation.field.clone(),
                description: violation.description.clone(),
            })
            .collect(),
        retry_after: error.retry_after().and_then(|after| after.try_into().ok()),
        reference_id: error.reference_id().to_owned(),
        outcome_unknown: error.outcome_unknown(),
        ending_reason: ending_reason.to_owned(),
    }
}
