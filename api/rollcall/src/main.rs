//! The `rollcall` binary.

use anyhow::Context as _;
use clap::Parser;
use clap::error::ErrorKind;
use rollcall::{Cli, Exit, Failure, run};
use rollcall_cli::output;
use std::process::ExitCode;

/// Requests allocate much and briefly, on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version are no errors, and are longer than a line.
        Err(answer)
            if !answer.use_stderr()
                || answer.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand =>
        {
            answer.exit()
        }
        Err(error) => return failed(&Failure::of_arguments(&error)),
    };
    let ended = run(cli);
    let written = output::finish().context("the result cannot be written").map_err(Failure::from);
    match ended.and_then(|exit| written.map(|()| exit)) {
        Ok(Exit::Success) => ExitCode::SUCCESS,
        Ok(Exit::Difference) => ExitCode::from(1),
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> ExitCode {
    output::note(&format!("rollcall: {}", failure.in_one_line()));
    ExitCode::from(failure.code)
}
