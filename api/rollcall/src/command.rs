//! What the binary can be told.

use crate::{bundle, check_backup, config, database, ledger, shell, versions};
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use rollcall_cli::{Exit, Failure, Misused, ServerArgs, healthcheck, output, usage};
use rollcall_door::config::ServeArgs;
use rollcall_server::config::resolve;
use rollcall_server::reload::Reload;
use rollcall_server::{serve, telemetry};
use rollcall_simulate as simulate;
use std::path::PathBuf;

/// Rollcall: the place where Microsoft Entra ID meets an application.
#[derive(Debug, Parser)]
#[command(name = "rollcall", version, long_version = versions::all())]
pub struct Cli {
    #[command(flatten)]
    server: ServerArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(Box<ServeCommand>),
    /// Whether requests are served; needs no key
    Healthcheck(healthcheck::Healthcheck),
    #[command(flatten)]
    Ask(Box<rollcall_cli::Command>),
    /// Exchanges and the state they need, in one file
    #[command(subcommand)]
    Bundle(bundle::Bundle),
    /// What proves that nothing in a log was changed, and nothing is missing
    #[command(subcommand)]
    Ledger(ledger::Ledger),
    /// Configuration of the server
    #[command(subcommand)]
    Config(config::Config),
    /// The PostgreSQL database of `--database-url`, without a server
    #[command(subcommand)]
    Database(database::Database),
    /// Entra in a box: a simulated tenant
    #[command(subcommand)]
    Simulate(Box<simulate::Simulate>),
    /// Print what a shell needs to complete commands
    Completions(shell::Completions),
    /// Print the manual page, or write those of all commands to a folder
    Man(shell::Manual),
}

impl Command {
    /// Whether what is printed is in a form of its own.
    fn is_text(&self) -> bool {
        matches!(self, Self::Completions(_) | Self::Man(_) | Self::Config(config::Config::Example))
    }
}

/// `rollcall serve`; `--data` is the global one.
#[derive(Debug, Args)]
pub struct ServeCommand {
    #[command(flatten)]
    args: ServeArgs,
}

/// Runs one command.
///
/// # Errors
/// Says in one line what went wrong, with the exit code for it.
pub fn run(cli: Cli) -> Result<Exit, Failure> {
    let Cli { server, command } = cli;
    output::begin(server.look());
    if server.json && command.is_text() {
        let told = "this is text for a shell, a reader or an editor, and no JSON: leave --json out";
        return Err(usage(Misused(told.to_owned()).into()));
    }
    match command {
        Command::Serve(serve) => start(serve.args, server.data),
        Command::Healthcheck(command) => healthcheck::run(&command, server),
        Command::Ask(command) => match command.backup_to_check() {
            Some((file, key)) => check_backup::run(file, key, &server),
            None => rollcall_cli::run(*command, server),
        },
        Command::Bundle(bundle) => bundle::run(bundle, server),
        Command::Ledger(ledger) => ledger::run(ledger, server),
        Command::Config(config) => config::run(config, server),
        Command::Database(command) => database::run(command, &server),
        Command::Simulate(simulate) => simulate::run(*simulate, server),
        Command::Completions(command) => shell::completions(&command, Cli::command()),
        Command::Man(command) => shell::manual(command, Cli::command()),
    }
}

fn start(args: ServeArgs, data: Option<PathBuf>) -> Result<Exit, Failure> {
    let config = resolve(args.clone(), data.clone()).map_err(usage)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    let (filter, traces) = {
        let _on_it = runtime.enter();
        telemetry::start_logs(&config).map_err(usage)?
    };
    let again = Box::new(move || resolve(args.clone(), data.clone()));
    // A store that cannot be opened, or a port that is taken, is for the operator to change.
    let served = runtime.block_on(serve::serve(config, Reload { again, filter }));
    if let Some(traces) = traces {
        traces.end();
    }
    served.map_err(usage)?;
    Ok(Exit::Success)
}

/// All commands with their help, one after another: the command line's reference.
pub fn reference() -> String {
    fn add(command: &mut clap::Command, path: &str, out: &mut String) {
        let path = if path.is_empty() {
            command.get_name().to_owned()
        } else {
            format!("{path} {}", command.get_name())
        };
        out.push_str(&format!("## {path}\n\n{}\n", command.render_help()));
        for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
            add(sub, &path, out);
        }
    }
    let mut out = String::new();
    add(&mut Cli::command(), "", &mut out);
    out
}
