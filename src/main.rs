//! The program: reads the command line and runs it.

use std::process::ExitCode;

use chatbridge::cli::{self, Cli};
use clap::Parser as _;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(cli::run(cli)),
        Err(_) => ExitCode::FAILURE,
    }
}
