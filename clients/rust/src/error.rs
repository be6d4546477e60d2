use std::{borrow::Cow, collections::BTreeMap, io, time::Duration};

use tonic::Code;

use crate::{
    FieldViolation, StatusError,
    status::{self, Origin},
    v1,
};

const ENDED: &str = "the server ended the stream and advised not to connect again with the same request";

/// What functions of the application's own may fail with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a call or a stream failed. Tell errors apart by their variant, [`code`](Error::code) and [`reason`](Error::reason); the text
/// is for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What the server or the connection said.
    #[error(transparent)]
    Status(Box<StatusError>),
    /// The server ended a stream of events, and advised not to connect again.
    #[error("{} ({}): {ENDED}", status::name(ended_code(.0)), .0.reason().as_str_name())]
    StreamEnded(v1::Ending),
    /// The function that gives the token failed. The text is its own.
    #[error("the token could not be had: {0}")]
    Token(#[source] BoxError),
    /// A cursor hook failed. The text is its own.
    #[error("the cursor could not be {what}: {source}")]
    Cursor {
        /// `loaded` or `saved`.
        what: &'static str,
        /// What the hook failed with.
        source: BoxError,
    },
    /// A file could not be read or written.
    #[error("a file could not be read or written: {0}")]
    File(#[source] io::Error),
    /// What was asked of the library makes no sense. Nothing was sent.
    #[error("{0}")]
    Usage(String),
    /// The client is closed, or the stream has ended.
    #[error("the client is closed, or the stream has ended")]
    Closed,
}

impl Error {
    /// The gRPC status code. What comes from the application's own functions and files is [`Code::Unknown`].
    pub fn code(&self) -> Code {
        match self {
            Self::Status(status) => status.code,
            Self::StreamEnded(ending) => ended_code(ending),
            Self::Usage(_) => Code::InvalidArgument,
            Self::Closed => Code::Cancelled,
            Self::Token(_) | Self::Cursor { .. } | Self::File(_) => Code::Unknown,
        }
    }

    /// A sentence that says what happened.
    pub fn message(&self) -> Cow<'_, str> {
        match self {
            Self::Status(status) => Cow::Borrowed(&status.message),
            Self::StreamEnded(_) => Cow::Borrowed(ENDED),
            _ => Cow::Owned(self.to_string()),
        }
    }

    /// The stable word for it, such as `UPSTREAM_RATE_LIMITED` or `ENDING_REASON_TAKEN_OVER`; empty: there is none.
    pub fn reason(&self) -> &str {
        match self {
            Self::Status(status) => &status.reason,
            Self::StreamEnded(ending) => ending.reason().as_str_name(),
            _ => "",
        }
    }

    /// All that the server or the connection said, where it was one of them.
    pub fn status(&self) -> Option<&StatusError> {
        match self {
            Self::Status(status) => Some(status),
            _ => None,
        }
    }

    /// Further facts that the server gave.
    pub fn metadata(&self) -> Option<&BTreeMap<String, String>> {
        self.status().map(|status| &status.metadata)
    }

    /// The fields of the request that are wrong.
    pub fn field_violations(&self) -> &[FieldViolation] {
        self.status().map_or(&[], |status| &status.field_violations)
    }

    /// How long to wait before a repeat; `None`: not said.
    pub fn retry_after(&self) -> Option<Duration> {
        self.status().and_then(|status| status.retry_after)
    }

    /// What the vendor's support asks for; empty: the vendor gave none.
    pub fn reference_id(&self) -> &str {
        self.status().map_or("", StatusError::reference_id)
    }

    /// Whether it may have happened all the same: look before sending it again, or repeat it with the same `request_id`.
    pub fn outcome_unknown(&self) -> bool {
        self.status().is_some_and(|status| status.outcome_unknown)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        StatusError::new(Code::Unavailable, message, Origin::Unsent).into()
    }

    pub(crate) fn origin(&self) -> Origin {
        self.status().map_or(Origin::Other, |status| status.origin)
    }
}

impl From<StatusError> for Error {
    fn from(status: StatusError) -> Self {
        Self::Status(Box::new(status))
    }
}

fn ended_code(ending: &v1::Ending) -> Code {
    match ending.reason() {
        v1::EndingReason::Unauthorized => Code::PermissionDenied,
        _ => Code::Aborted,
    }
}
