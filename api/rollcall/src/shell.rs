//! `rollcall completions` and `rollcall man`

use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;
use rollcall_cli::{Exit, Failure, output, usage};
use std::path::PathBuf;

/// Print what a shell needs to complete commands
#[derive(Debug, Args)]
pub struct Completions {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write those of all commands to a folder
#[derive(Debug, Args)]
pub struct Manual {
    /// The folder, such as /usr/local/share/man/man1; it must be there
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// `rollcall completions`
pub fn completions(command: &Completions, mut rollcall: Command) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(command.shell, &mut rollcall, "rollcall", &mut text);
    output::print(&String::from_utf8(text).context("no text").map_err(Failure::from)?);
    Ok(Exit::Success)
}

/// `rollcall man`
pub fn manual(command: Manual, rollcall: Command) -> Result<Exit, Failure> {
    match command.output {
        Some(folder) => {
            let cannot = || format!("cannot write to {}", folder.display());
            clap_mangen::generate_to(rollcall, &folder).with_context(cannot).map_err(usage)?;
        }
        None => {
            let mut page = Vec::new();
            Man::new(rollcall).render(&mut page).map_err(anyhow::Error::from)?;
            output::print(&String::from_utf8(page).context("no text").map_err(Failure::from)?);
        }
    }
    Ok(Exit::Success)
}
