//! What an error of Redis means, as a sentence that carries no credentials and no stored content.

use ::redis::{ErrorKind, RedisError};

use super::{
    tls::explain_tls,
    url::{self, Address},
};
use crate::store::StoreError;

/// What is said of an answer that came too late, or never.
pub(super) const TOO_LATE: &str = "Redis did not answer in time";

/// Why a server did not do what it was asked.
#[derive(Debug, Clone)]
pub(super) enum Failed {
    /// There is no connection: nothing was sent.
    Unsent(StoreError),
    /// The server refused, or did not answer, and then it may have done it.
    Answer(RedisError),
    /// It was done, but is not as durable as was asked.
    Short(StoreError),
}

/// What a failure says of where to ask in a cluster.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The slot is another node's. An empty host: the same host.
    Moved(Address),
    /// The key is with another node already, and its slot will be.
    Ask(Address),
    /// The slot is being moved, and some of the keys are.
    Again,
    /// The node may not be the one any more.
    Suspect,
    /// Nothing.
    None,
}

impl Failed {
    pub(super) fn explain(&self) -> StoreError {
        match self {
            Self::Unsent(error) | Self::Short(error) => error.clone(),
            Self::Answer(error) => explain(error),
        }
    }

    pub(super) fn turn(&self) -> Turn {
        match self {
            Self::Unsent(_) => Turn::Suspect,
            Self::Answer(error) => turn(error),
            Self::Short(_) => Turn::None,
        }
    }
}

/// What an answer says of where to ask in a cluster.
pub(super) fn turn(error: &RedisError) -> Turn {
    let Some(errors) = error.clone().into_server_errors() else {
        return Turn::Suspect;
    };
    // A transaction is refused with what each of its commands met, and then as a whole.
    let turn = errors.iter().map(|(_, error)| match error.code() {
        code @ ("MOVED" | "ASK") => match error.details().and_then(redirect) {
            Some(address) if code == "MOVED" => Turn::Moved(address),
            Some(address) => Turn::Ask(address),
            None => Turn::Suspect,
        },
        "TRYAGAIN" => Turn::Again,
        "CLUSTERDOWN" | "MASTERDOWN" | "READONLY" | "LOADING" | "UNBLOCKED" => Turn::Suspect,
        _ => Turn::None,
    });
    turn.into_iter()
        .find(|turn| *turn != Turn::None)
        .unwrap_or(Turn::None)
}

/// Reads `SLOT HOST:PORT`. An IPv6 host has no brackets there.
fn redirect(details: &str) -> Option<Address> {
    let (host, port) = details.split_ascii_whitespace().nth(1)?.rsplit_once(':')?;
    match host {
        "" | "?" => Some(Address {
            host: String::new(),
            port: port.parse().ok()?,
        }),
        host => url::address(&format!("[{}]:{port}", host.trim_matches(['[', ']'])), 0),
    }
}

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
    if let Some(problem) = explain_tls(error) {
        return StoreError::Unavailable(problem.into());
    }
    match error.kind() {
        ErrorKind::Io if error.is_timeout() => StoreError::Unavailable(TOO_LATE.into()),
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
        "MOVED" | "ASK" => {
            "the Redis cluster is moving slots, or the Redis URL names one node as if it were alone"
        }
        "CROSSSLOT" => {
            "this Redis is a node of a cluster, and the Redis URL does not begin with redis+cluster"
        }
        "NOAUTH" | "WRONGPASS" => "Redis refuses the user name or password in the Redis URL",
        "NOPERM" => "the Redis user may not do what is needed (NOPERM)",
        "EXECABORT" => "Redis discarded a transaction (EXECABORT)",
        "ERR" if says(error, "WAIT cannot be used with replica") => "this Redis has become a replica",
        "ERR" if says(error, "max number of clients") => {
            "Redis takes no more connections: raise maxclients or run fewer clients"
        }
        "NOSCRIPT" => "Redis forgot a script that was just loaded (NOSCRIPT)",
        _ => {
            return StoreError::Corrupt(format!("Redis answered {code}{}", safe_detail(error)));
        }
    };
    StoreError::Unavailable(problem.to_owned())
}

/// Whether the server's words begin so: some refusals have no code of their own.
fn says(error: &RedisError, words: &str) -> bool {
    error.clone().into_server_errors().is_some_and(|errors| {
        let mut details = errors.iter().filter_map(|(_, error)| error.details());
        details.any(|details| details.starts_with(words))
    })
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

#[cfg(test)]
mod tests {
    use ::redis::parse_redis_value;
    use rstest::rstest;

    use super::*;

    fn address(host: &str, port: u16) -> Address {
        let host = host.to_owned();
        Address { host, port }
    }

    #[rstest]
    #[case("MOVED 3999 127.0.0.1:6381", Turn::Moved(address("127.0.0.1", 6381)))]
    #[case("MOVED 3999 ::1:6381", Turn::Moved(address("::1", 6381)))]
    #[case(
        "MOVED 3999 node-1.example:6381",
        Turn::Moved(address("node-1.example", 6381))
    )]
    #[case("MOVED 3999 :6381", Turn::Moved(address("", 6381)))]
    #[case("ASK 3999 ?:6381", Turn::Ask(address("", 6381)))]
    #[case("MOVED 3999", Turn::Suspect)]
    #[case("TRYAGAIN Multiple keys request during rehashing of slot", Turn::Again)]
    #[case("CLUSTERDOWN The cluster is down", Turn::Suspect)]
    #[case("OOM command not allowed", Turn::None)]
    fn a_cluster_says_where_to_ask(#[case] line: &str, #[case] expected: Turn) {
        let answer = parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        assert_eq!(turn(&answer.extract_error().unwrap_err()), expected);
    }

    #[test]
    fn a_server_that_takes_no_more_connections_is_unavailable() {
        for line in [
            "ERR max number of clients reached",
            "ERR max number of clients + cluster connections reached",
        ] {
            let answer = parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
            let error = explain(&answer.extract_error().unwrap_err());
            assert!(
                matches!(&error, StoreError::Unavailable(why) if why.contains("maxclients")),
                "{error}"
            );
        }
    }
}
