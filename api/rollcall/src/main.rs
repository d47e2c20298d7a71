//! The `rollcall` binary.

use clap::Parser;
use clap::error::ErrorKind;
use rollcall::{Cli, Exit, Failure, run};
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
    match run(cli) {
        Ok(Exit::Success) => ExitCode::SUCCESS,
        Ok(Exit::Difference) => ExitCode::from(1),
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> ExitCode {
    eprintln!("rollcall: {}", failure.in_one_line());
    ExitCode::from(failure.code)
}
