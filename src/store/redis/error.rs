//! What an error of Redis means, as a sentence that carries no credentials and no stored content.

use ::redis::{ErrorKind, RedisError};

use crate::store::StoreError;

/// Whether the connection should be given up: it is broken or silent, or leads to a server that is not the one to write
/// to any more (after a fail-over its name may lead to another).
pub(super) fn ends_connection(error: &RedisError) -> bool {
    let moved = matches!(server_code(error).as_deref(), Some("READONLY" | "MASTERDOWN"));
    // redis-rs keeps a connection on which answers time out; after a fail-over it may stay silent for ever.
    moved || error.is_io_error() || error.is_unrecoverable_error()
}

/// The server's own code, also from within a pipeline.
pub(super) fn server_code(error: &RedisError) -> Option<String> {
    let errors = error.clone().into_server_errors()?;
    errors.first().map(|(_, error)| error.code().to_owned())
}

/// The error as a store's.
pub(super) fn explain(error: &RedisError) -> StoreError {
    if let Some(code) = server_code(error) {
        return explain_code(&code, error);
    }
    match error.kind() {
        ErrorKind::Io if error.is_timeout() => StoreError::Unavailable("Redis did not answer in time".into()),
        ErrorKind::Io => StoreError::Unavailable(format!("the connection to Redis failed: {error}")),
        ErrorKind::AuthenticationFailed => {
            StoreError::Unavailable("Redis refuses the user name or password in the Redis URL".into())
        }
        ErrorKind::RESP3NotSupported => StoreError::Mismatch("Redis 7.0 or newer is needed".into()),
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => StoreError::Corrupt(format!(
            "Redis answered something unexpected ({:?})",
            error.kind()
        )),
        kind => StoreError::Unavailable(format!("Redis failed ({kind:?})")),
    }
}

fn explain_code(code: &str, error: &RedisError) -> StoreError {
    let problem = match code {
        "OOM" => "Redis is out of memory (OOM): raise maxmemory or keep entries for less time",
        "READONLY" => "this Redis is a read-only replica (READONLY)",
        "LOADING" => "Redis is still loading its data (LOADING)",
        "MISCONF" => "Redis refuses writes because it cannot save to disk (MISCONF)",
        "CLUSTERDOWN" => "the Redis cluster is down (CLUSTERDOWN)",
        "NOREPLICAS" => "Redis refuses writes because too few replicas follow it (NOREPLICAS)",
        "BUSY" => "Redis is busy with a script (BUSY)",
        "MASTERDOWN" => "this Redis is a replica that has lost its master (MASTERDOWN)",
        "TRYAGAIN" => "the Redis cluster is moving keys (TRYAGAIN)",
        "UNBLOCKED" => "Redis ended a blocking read, as it does on a fail-over (UNBLOCKED)",
        "MOVED" | "ASK" | "CROSSSLOT" => "this Redis is a node of a cluster, which is not supported",
        "NOAUTH" | "WRONGPASS" => "Redis refuses the user name or password in the Redis URL",
        "NOPERM" => "the Redis user may not do what is needed (NOPERM)",
        "EXECABORT" => "Redis discarded a transaction (EXECABORT)",
        "NOSCRIPT" => "Redis forgot a script that was just loaded (NOSCRIPT)",
        _ => {
            return StoreError::Corrupt(format!("Redis answered {code}{}", safe_detail(error)));
        }
    };
    StoreError::Unavailable(problem.to_owned())
}

/// The server's words, without the arguments of a command, which may be customer content.
fn safe_detail(error: &RedisError) -> String {
    let errors = error.clone().into_server_errors();
    let detail = errors
        .as_ref()
        .and_then(|errors| errors.first())
        .and_then(|(_, error)| error.details())
        .unwrap_or_default();
    let shown = detail.split("with args").next().unwrap_or_default().trim_end();
    if shown.is_empty() {
        String::new()
    } else {
        format!(": {shown}")
    }
}
