//! `chatbridge token`.

use std::{
    io::{Read as _, Write as _},
    process::ExitCode,
};

use super::start::fail;
use crate::access::token::{generate, hash, to_hex};

/// The longest token that is read, in bytes.
const TOKEN_BYTES_MAX: u64 = 4096;

/// Options of `token`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Make no token: read one from standard input, and print its hash alone.
    #[arg(long)]
    hash: bool,
}

pub(super) fn run(args: &Args) -> ExitCode {
    let printed = if args.hash {
        match read() {
            Ok(token) => format!("{}\n", to_hex(&hash(&token))),
            Err(problem) => return fail(&problem, 2),
        }
    } else {
        let token = generate();
        format!(
            "token:  {token} (give it to the caller; it is shown only here)\nsha256: {} (for token_sha256)\n",
            to_hex(&hash(&token))
        )
    };
    match std::io::stdout().write_all(printed.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => fail(&format!("standard output cannot be written to: {problem}"), 1),
    }
}

fn read() -> Result<String, String> {
    let mut text = String::new();
    let read = std::io::stdin().take(TOKEN_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|problem| format!("the token cannot be read from standard input: {problem}"))?;
    match text.trim() {
        "" => Err("standard input has no token".to_owned()),
        token => Ok(token.to_owned()),
    }
}
