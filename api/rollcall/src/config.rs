//! `rollcall config`

use clap::Subcommand;
use rollcall_cli::say;
use rollcall_cli::{Exit, Failure, ServerArgs, output, usage};
use rollcall_door::config::ServeArgs;
use rollcall_server::config::resolve;

/// Configuration of the server
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Check file, environment and flags
    Check(Box<ServeArgs>),
    /// Print the configuration in force, without secrets
    Print(Box<ServeArgs>),
}

/// Runs it.
pub fn run(command: Config, server: ServerArgs) -> Result<Exit, Failure> {
    let (flags, print) = match command {
        Config::Check(flags) => (flags, false),
        Config::Print(flags) => (flags, true),
    };
    let config = resolve(*flags, server.data).map_err(usage)?;
    match (print, server.json) {
        (true, true) => output::json(&config)?,
        (true, false) => {
            output::print(&toml::to_string(&config).map_err(|e| usage(e.into()))?);
        }
        (false, true) => output::json(&serde_json::json!({ "valid": true }))?,
        (false, false) => say!("the configuration can be used"),
    }
    Ok(Exit::Success)
}
