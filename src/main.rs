//! The program: reads the command line and runs it.

use std::process::ExitCode;

use chatbridge::cli::{self, Cli};
use clap::Parser as _;

/// More than any buffer that a file passes through, in bytes.
const BUFFER_BYTES: usize = 1 << 20;

fn main() -> ExitCode {
    keep_freed_memory();
    let cli = Cli::parse();
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(cli::run(cli)),
        Err(_) => ExitCode::FAILURE,
    }
}

/// Has glibc's allocator keep up to twice [`BUFFER_BYTES`] of what was freed for whoever allocates next. It begins by giving back
/// all above 128 KiB, so that each buffer of a file comes as new pages, which the system clears; where it stops doing so follows
/// the largest block that it ever mapped and freed (mallopt(3)). For other allocators it is one allocation.
fn keep_freed_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(BUFFER_BYTES)));
}
