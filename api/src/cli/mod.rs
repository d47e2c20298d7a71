//! The command line.

mod auditor;
mod backup;
mod bundle;
mod claims;
mod client;
mod config;
mod diff;
mod directory;
mod events;
mod exchanges;
mod failures;
mod logins;
mod org;
mod output;
mod part;
mod replay;
mod runs;
mod saml;
mod scim;
mod secret;
mod sessions;
mod simulate;
mod views;

use crate::config::ServeArgs;
use crate::{serve, telemetry};
use clap::{Args, Parser, Subcommand};
use client::{Client, Unreachable};
use std::path::PathBuf;

/// Rollcall: the place where Microsoft Entra ID meets an application.
#[derive(Debug, Parser)]
#[command(name = "rollcall", version)]
pub struct Cli {
    #[command(flatten)]
    server: ServerArgs,
    #[command(subcommand)]
    command: Command,
}

/// How commands find the server.
#[derive(Clone, Debug, Args)]
pub struct ServerArgs {
    /// Data folder of the server: its operator key opens the administration [default: data]
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// The server's address; the one it wrote into DIR/address if absent
    #[arg(long, env = "ROLLCALL_URL", value_name = "URL", global = true)]
    pub url: Option<String>,
    /// A file with the key to use in place of the operator's, such as an auditor's
    #[arg(long, env = "ROLLCALL_KEY_FILE", value_name = "FILE", global = true)]
    pub key_file: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(Box<ServeCommand>),
    /// Organizations
    #[command(subcommand)]
    Org(org::Org),
    /// An organization's single sign-on
    #[command(subcommand)]
    Saml(saml::Saml),
    /// An organization's SCIM connection
    #[command(subcommand)]
    Scim(scim::Scim),
    /// Auditors: who may read everything about an organization, and change nothing
    #[command(subcommand)]
    Auditor(auditor::Auditor),
    /// Users, groups and members, now or as they were
    #[command(subcommand)]
    Directory(directory::Directory),
    /// Show what is different between two moments: who was created, joined, left, was disabled...
    Diff(diff::Diff),
    /// What happened
    #[command(subcommand)]
    Events(events::Events),
    /// What was asked and answered
    #[command(subcommand)]
    Exchanges(exchanges::Exchanges),
    /// Sync cycles, on-demand runs and connection tests
    #[command(subcommand)]
    Runs(runs::Runs),
    /// What went wrong and is not yet right
    #[command(subcommand)]
    Failures(failures::Failures),
    /// Recorded requests through today's code
    #[command(subcommand)]
    Replay(replay::Replay),
    /// Who signed in, and who was refused
    #[command(subcommand)]
    Logins(logins::Logins),
    /// Who is signed in
    #[command(subcommand)]
    Sessions(sessions::Sessions),
    /// Exchanges and the state they need, in one file
    #[command(subcommand)]
    Bundle(bundle::Bundle),
    /// Names that only one may have
    #[command(subcommand)]
    Claims(claims::Claims),
    /// Read models
    #[command(subcommand)]
    Views(views::Views),
    /// Write the whole log to a file while the server runs
    Backup(backup::Backup),
    /// Put a backup in place on a running server that is empty
    Restore(backup::Restore),
    /// Configuration of the server
    #[command(subcommand)]
    Config(config::Config),
    /// Entra in a box: a simulated tenant
    #[command(subcommand)]
    Simulate(Box<simulate::Simulate>),
}

/// `rollcall serve`; `--data` is the global one.
#[derive(Debug, Args)]
pub struct ServeCommand {
    #[command(flatten)]
    args: ServeArgs,
}

/// How a command that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// As it should.
    Success,
    /// A comparison found differences.
    Difference,
}

/// Why a command failed, and the exit code that says so.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong.
    pub error: anyhow::Error,
    /// 2 for wrong flags or configuration and for a server that cannot be reached, else 1.
    pub code: u8,
}

impl Failure {
    /// What went wrong, once: some errors repeat what caused them.
    pub fn in_one_line(&self) -> String {
        let mut told = String::new();
        for cause in self.error.chain().map(ToString::to_string) {
            if told.is_empty() {
                told = cause;
            } else if !told.contains(&cause) {
                told = format!("{told}: {cause}");
            }
        }
        one_line(&told)
    }

    /// Arguments that cannot be read.
    pub fn of_arguments(error: &clap::Error) -> Self {
        let text = error.to_string();
        // What follows is the usage, which --help shows better.
        let what = text.split("\n\nUsage:").next().and_then(|t| t.split("\n\nFor more").next()).unwrap_or_default();
        usage(anyhow::anyhow!("{} (see --help)", what.trim_start_matches("error: ").trim()))
    }
}

/// Runs of blanks and ends of lines as one blank.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { error, code: 1 }
    }
}

fn usage(error: anyhow::Error) -> Failure {
    Failure { error, code: 2 }
}

/// Runs one command.
pub fn run(cli: Cli) -> Result<Exit, Failure> {
    let Cli { server, command } = cli;
    match command {
        Command::Serve(serve) => start(serve.args.with_data(server.data)),
        Command::Config(config) => config::run(config, server),
        Command::Simulate(simulate) => simulate::run(*simulate, server),
        Command::Org(org) => call(server, async |client| org::run(org, client).await),
        Command::Saml(saml) => call(server, async |client| saml::run(saml, client).await),
        Command::Logins(logins) => call(server, async |client| logins::run(logins, client).await),
        Command::Sessions(sessions) => call(server, async |client| sessions::run(sessions, client).await),
        Command::Scim(scim) => call(server, async |client| scim::run(scim, client).await),
        Command::Auditor(auditor) => call(server, async |client| auditor::run(auditor, client).await),
        Command::Directory(directory) => call(server, async |client| directory::run(directory, client).await),
        Command::Diff(diff) => call(server, async |client| diff::run(diff, client).await),
        Command::Events(events) => call(server, async |client| events::run(events, client).await),
        Command::Exchanges(exchanges) => call(server, async |client| exchanges::run(exchanges, client).await),
        Command::Runs(runs) => call(server, async |client| runs::run(runs, client).await),
        Command::Failures(failures) => call(server, async |client| failures::run(failures, client).await),
        Command::Replay(replay) => call(server, async |client| replay::run(replay, client).await),
        Command::Bundle(bundle) => bundle::run(bundle, server),
        Command::Claims(claims) => call(server, async |client| claims::run(claims, client).await),
        Command::Views(views) => call(server, async |client| views::run(views, client).await),
        Command::Backup(backup) => call(server, async |client| backup::backup(backup, client).await),
        Command::Restore(restore) => call(server, async |client| backup::restore(restore, client).await),
    }
}

fn start(args: ServeArgs) -> Result<Exit, Failure> {
    let config = args.resolve().map_err(usage)?;
    telemetry::start_logs(config.log_format, &config.log).map_err(usage)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from)?;
    // A store that cannot be opened, or a port that is taken, is for the operator to change.
    runtime.block_on(serve::serve(config)).map_err(usage)?;
    Ok(Exit::Success)
}

fn call(server: ServerArgs, command: impl AsyncFnOnce(Client) -> anyhow::Result<Exit>) -> Result<Exit, Failure> {
    let client = Client::new(server).map_err(usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from)?;
    // Where the server is, or that it runs, is for the operator to change.
    runtime.block_on(command(client)).map_err(|error| if error.is::<Unreachable>() { usage(error) } else { error.into() })
}

/// All commands with their help, one after another: the command line's reference.
pub fn reference() -> String {
    fn add(command: &mut clap::Command, path: &str, out: &mut String) {
        let path = if path.is_empty() { command.get_name().to_owned() } else { format!("{path} {}", command.get_name()) };
        out.push_str(&format!("## {path}\n\n{}\n", command.render_help()));
        for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
            add(sub, &path, out);
        }
    }
    let mut out = String::new();
    add(&mut <Cli as clap::CommandFactory>::command(), "", &mut out);
    out
}
