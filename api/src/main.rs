//! The `rollcall` binary.

use clap::Parser;
use rollcall_api::cli::{Cli, Exit};
use std::process::ExitCode;

/// Requests allocate much and briefly, on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Usage errors end in clap, with exit code 2.
    match rollcall_api::cli::run(Cli::parse()) {
        Ok(Exit::Success) => ExitCode::SUCCESS,
        Ok(Exit::Difference) => ExitCode::from(1),
        Err(failure) => {
            eprintln!("rollcall: {:#}", failure.error);
            ExitCode::from(failure.code)
        }
    }
}
