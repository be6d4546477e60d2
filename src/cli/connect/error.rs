//! Why a command failed, as one sentence that says what to do.

use std::{error::Error, fmt, io, process::ExitCode};

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::cli::{render::escape, start::fail};

/// Why a command failed. Its text is what the user reads.
#[derive(Debug)]
pub(crate) enum CliError {
    /// An argument or an input file is wrong.
    Argument(String),
    /// The command could not do what it was asked to.
    Failed(String),
    /// Whoever read the output has gone: no failure, the command simply ends.
    BrokenPipe,
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(sentence) | Self::Failed(sentence) => f.write_str(sentence),
            Self::BrokenPipe => f.write_str("the reader of the output has gone"),
        }
    }
}

impl Error for CliError {}

impl From<io::Error> for CliError {
    /// An error of writing the output.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::Failed(format!("the output cannot be written: {error}")),
        }
    }
}

impl CliError {
    /// How the program exits: 2 for what the user can put right before starting, 1 for what failed.
    pub(crate) fn exit(ended: Result<ExitCode, Self>) -> ExitCode {
        match ended {
            Ok(code) => code,
            Err(Self::BrokenPipe) => ExitCode::SUCCESS,
            Err(Self::Argument(sentence)) => fail(&sentence, 2),
            Err(Self::Failed(sentence)) => fail(&sentence, 1),
        }
    }

    /// A server that could not be connected to.
    pub(crate) fn unreachable(server: &str, error: &(dyn Error + 'static)) -> Self {
        Self::Failed(why_unreachable(server, error))
    }

    /// A call that failed. `what` finishes "could not": `create the conversation`.
    pub(crate) fn call(what: &str, server: &str, status: &Status) -> Self {
        if let Some(source) = local_cause(status).filter(|_| status.code() == Code::Unavailable) {
            return Self::Failed(format!("could not {what}: {}", why_unreachable(server, source)));
        }
        Self::Failed(format!("could not {what}: {}", describe(status)))
    }
}

/// A status in words: its message, its reason, the fields that are wrong, and what to do.
pub(super) fn describe(status: &Status) -> String {
    let details = status.get_error_details();
    let mut words = match status.message() {
        "" => status.code().description().to_owned(),
        message => escape(message).into_owned(),
    };
    let reason = details
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default();
    let name = if reason.is_empty() {
        format!("{:?}", status.code())
    } else {
        reason.clone()
    };
    words.push_str(&format!(" ({})", escape(&name)));
    if let Some(reference) = details
        .error_info()
        .and_then(|info| info.metadata.get("reference_id"))
    {
        words.push_str(&format!(", vendor's reference {}", escape(reference)));
    }
    if let Some(advice) = advice(status.code(), &reason) {
        words.push_str("; ");
        words.push_str(advice);
    }
    words
}

/// What somebody at a terminal can do about it.
fn advice(code: Code, reason: &str) -> Option<&'static str> {
    Some(match reason {
        "CURSOR_GAP" => "go on past the gap with --on-gap earliest or --on-gap latest",
        "CURSOR_INVALID" => {
            "the cursor is not one of this server's: start with --from earliest, or with a time"
        }
        "CREDENTIALS_MISSING" => "name the file of your token with --token-file",
        "TENANT_UNKNOWN" => "name a tenant that the server has with --tenant",
        "UPSTREAM_CREDENTIALS" => "check the server's tenant and API key",
        "UPSTREAM_OUTCOME_UNKNOWN" => "it may have happened: look before you repeat it",
        _ => match code {
            Code::Unimplemented => "is that the gRPC address of a Chatbridge?",
            Code::Unavailable => "try again in a moment",
            _ => return None,
        },
    })
}

/// The error on our side of the connection that this status was made from; none where the server sent it.
pub(super) fn local_cause(status: &Status) -> Option<&(dyn Error + 'static)> {
    status.source()
}

/// Why a server cannot be reached, in words.
pub(super) fn why_unreachable(server: &str, error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    loop {
        let refused = innermost
            .downcast_ref::<io::Error>()
            .is_some_and(|e| e.kind() == io::ErrorKind::ConnectionRefused);
        if refused {
            return format!(
                "nothing listens at {server}: start `chatbridge dev`, or name another server with --server"
            );
        }
        match innermost.source() {
            Some(source) => innermost = source,
            None => {
                let why = escape(&innermost.to_string()).into_owned();
                let advice = advice_on_tls(innermost).unwrap_or_default();
                return format!("{server} cannot be reached: {why}{advice}");
            }
        }
    }
}

/// What to do about a handshake that failed.
fn advice_on_tls(error: &(dyn Error + 'static)) -> Option<&'static str> {
    // What an I/O error wraps is not its source.
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let tls = wrapped
        .and_then(|wrapped| wrapped.downcast_ref::<rustls::Error>())
        .or_else(|| error.downcast_ref::<rustls::Error>())?;
    Some(match tls {
        rustls::Error::InvalidCertificate(_) => {
            "; let --ca-file name the authority that the server's certificate comes from, and --server a host that it names"
        }
        rustls::Error::AlertReceived(_) => "; does it want a certificate of yours, --client-cert-file?",
        rustls::Error::InvalidMessage(_) => "; does the address begin with http:// instead of https://?",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn a_status_is_told_with_reason_reference_and_advice() {
        let metadata = HashMap::from([("reference_id".to_owned(), "r-1".to_owned())]);
        let details = ErrorDetails::with_error_info("UPSTREAM_CREDENTIALS", "chatbridge", metadata);
        let status =
            Status::with_error_details(Code::FailedPrecondition, "the vendor refused the key", details);
        assert_eq!(
            CliError::call("create the conversation", "http://s", &status).to_string(),
            "could not create the conversation: the vendor refused the key (UPSTREAM_CREDENTIALS), vendor's reference r-1; \
             check the server's tenant and API key"
        );
    }

    #[test]
    fn a_status_without_message_or_details_still_reads() {
        let status = Status::new(Code::Aborted, "");
        assert_eq!(describe(&status), "The operation was aborted (Aborted)");
    }

    #[test]
    fn a_message_cannot_drive_the_terminal() {
        let status = Status::internal("\u{1b}[2Jgone");
        assert_eq!(describe(&status), "\\u{1b}[2Jgone (Internal)");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let error = CliError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(matches!(error, CliError::BrokenPipe));
    }
}
