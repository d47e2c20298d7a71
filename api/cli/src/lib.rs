//! The command line: commands that ask a running server. It knows the contract of `/api/v1` and
//! nothing of what is behind it.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod admin;
mod auditor;
mod backup;
mod claims;
pub mod client;
mod console_link;
mod consumer;
mod credential;
mod diff;
mod directory;
mod doctor;
mod events;
mod exchanges;
mod exit;
mod failures;
mod format;
pub mod healthcheck;
mod key;
mod log;
mod logins;
mod notify;
mod one_consumer;
mod operator;
mod org;
pub mod output;
pub mod paging;
mod parked;
pub mod part;
mod person;
mod proven;
mod reads;
mod repair;
mod replay;
mod review;
mod runs;
mod saml;
mod scim;
mod secret;
mod sessions;
mod setup;
mod unreachable;
mod views;
mod who;

pub use client::Unreachable;
pub use exit::{Exit, Failure, Misused, usage};
pub use replay::{Choice, exit, report};

use clap::{Args, Subcommand};
use client::Client;
use output::{Color, Fit, Look};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

/// How commands find the server.
#[derive(Clone, Debug, Args)]
pub struct ServerArgs {
    /// Data folder of the server: its operator key opens the administration [default: data, but for
    /// those who open it themselves: serve, config]
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// The server's address; the one it wrote into DIR/address if absent
    #[arg(long, env = "ROLLCALL_URL", value_name = "URL", global = true)]
    pub url: Option<String>,
    /// A file with the key to use in place of the operator's, such as an auditor's
    #[arg(long, env = "ROLLCALL_KEY_FILE", value_name = "FILE", global = true)]
    pub key_file: Option<PathBuf>,
    /// Trust this certificate authority too (PEM), such as one of your own
    #[arg(long, env = "ROLLCALL_CA_FILE", value_name = "FILE", global = true)]
    pub ca_file: Option<PathBuf>,
    /// Send the key over plain http also to another machine, where anybody in between can read it
    #[arg(long, global = true)]
    pub insecure: bool,
    /// Print the result as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not shorten the cells of tables
    #[arg(long, global = true)]
    pub wide: bool,
    /// Fit tables to so many columns [default: those of the terminal]
    #[arg(long, value_name = "N", global = true, conflicts_with = "wide", value_parser = clap::value_parser!(u16).range(20..))]
    pub columns: Option<u16>,
    /// Show tables in colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, global = true)]
    pub color: Color,
    /// Show times as those of this machine, with how far they are from UTC
    #[arg(long, global = true)]
    pub local_time: bool,
}

impl ServerArgs {
    /// How results are shown.
    pub fn look(&self) -> Look {
        Look { fit: self.fit(), in_color: self.color.is_shown(), in_local_time: self.local_time }
    }

    /// How wide tables may be: what is no terminal takes them as they are.
    fn fit(&self) -> Fit {
        let terminal = || {
            let columns = console::Term::stdout().size_checked().map(|(_, columns)| columns);
            columns.filter(|_| std::io::stdout().is_terminal()).map(usize::from)
        };
        match self.columns.map(usize::from).or_else(terminal) {
            Some(columns) if !self.wide => Fit::Columns(columns),
            _ => Fit::Whole,
        }
    }
}

/// What the server can be asked.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Organizations
    #[command(subcommand)]
    Org(org::Org),
    /// An organization's single sign-on
    #[command(subcommand)]
    Saml(saml::Saml),
    /// An organization's SCIM connection
    #[command(subcommand)]
    Scim(scim::Scim),
    /// Operators with keys of their own, so that history says who did what
    #[command(subcommand)]
    Operator(operator::Operator),
    /// Admins: who may change one organization, and nothing else
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Auditors: who may read everything about an organization, and change nothing
    #[command(subcommand)]
    Auditor(auditor::Auditor),
    /// Consumers: who follows an organization's log from outside
    #[command(subcommand)]
    Consumer(consumer::Consumer),
    /// The pages that the server has for browsers
    #[command(subcommand)]
    Console(console_link::Console),
    /// Have an organization's admin set up single sign-on and provisioning
    #[command(subcommand)]
    Setup(setup::Setup),
    /// Users, groups and members, now or as they were
    #[command(subcommand)]
    Directory(directory::Directory),
    /// Write an access review as evidence: who was in which group, since and until when, and by what
    Review(review::Review),
    /// Show what is different between two moments: who was created, joined, left, was disabled...
    Diff(diff::Diff),
    /// What happened
    #[command(subcommand)]
    Events(events::Events),
    /// What was asked and answered
    #[command(subcommand)]
    Exchanges(exchanges::Exchanges),
    /// Who read what of the history
    #[command(subcommand)]
    Reads(reads::Reads),
    /// Sync cycles, on-demand runs and connection tests
    #[command(subcommand)]
    Runs(runs::Runs),
    /// What went wrong and is not yet right
    #[command(subcommand)]
    Failures(failures::Failures),
    /// Recorded requests through today's code
    #[command(subcommand)]
    Replay(replay::Replay),
    /// Play Entra's part against the public URL, and explain what is seen
    #[command(subcommand)]
    Doctor(doctor::Doctor),
    /// List what needs somebody in an organization now; exit code 1 if anything does
    Attention(notify::Attention),
    /// Who is told by mail what needs somebody
    #[command(subcommand)]
    Notify(notify::Notify),
    /// Who signed in, and who was refused
    #[command(subcommand)]
    Logins(logins::Logins),
    /// What is kept of a person
    #[command(subcommand)]
    Person(person::Person),
    /// Who is signed in
    #[command(subcommand)]
    Sessions(sessions::Sessions),
    /// Names that only one may have
    #[command(subcommand)]
    Claims(claims::Claims),
    /// Read models
    #[command(subcommand)]
    Views(views::Views),
    /// Which log is served, and whether it is the one that was known
    #[command(subcommand)]
    Log(log::Log),
    /// Write the whole log to a file while the server runs, or check one that was written
    Backup(backup::Backup),
    /// Put a backup in place on a running server that is empty
    Restore(backup::Restore),
}

impl Command {
    /// The backup that is to be checked, if that is what is asked: by restoring it, which needs no
    /// server.
    pub fn backup_to_check(&self) -> Option<(&Path, Option<&Path>)> {
        match self {
            Self::Backup(backup) => backup.to_check(),
            _ => None,
        }
    }
}

/// Runs one command against a server.
///
/// # Errors
/// Says in one line what went wrong, with the exit code for it.
pub fn run(command: Command, server: ServerArgs) -> Result<Exit, Failure> {
    call(server, async |client| match command {
        Command::Org(org) => org::run(org, client).await,
        Command::Saml(saml) => saml::run(saml, client).await,
        Command::Doctor(doctor) => doctor::run(doctor, client).await,
        Command::Attention(attention) => notify::attention(attention, client).await,
        Command::Notify(notify) => notify::run(notify, client).await,
        Command::Logins(logins) => logins::run(logins, client).await,
        Command::Person(person) => person::run(person, client).await,
        Command::Sessions(sessions) => sessions::run(sessions, client).await,
        Command::Scim(scim) => scim::run(scim, client).await,
        Command::Operator(operator) => operator::run(operator, client).await,
        Command::Admin(admin) => admin::run(admin, client).await,
        Command::Auditor(auditor) => auditor::run(auditor, client).await,
        Command::Consumer(consumer) => consumer::run(consumer, client).await,
        Command::Console(console) => console_link::run(console, client).await,
        Command::Setup(setup) => setup::run(setup, client).await,
        Command::Directory(directory) => directory::run(directory, client).await,
        Command::Review(review) => review::run(review, client).await,
        Command::Diff(diff) => diff::run(diff, client).await,
        Command::Events(events) => events::run(events, client).await,
        Command::Exchanges(exchanges) => exchanges::run(exchanges, client).await,
        Command::Reads(reads) => reads::run(reads, client).await,
        Command::Runs(runs) => runs::run(runs, client).await,
        Command::Failures(failures) => failures::run(failures, client).await,
        Command::Replay(replay) => replay::run(replay, client).await,
        Command::Claims(claims) => claims::run(claims, client).await,
        Command::Views(views) => views::run(views, client).await,
        Command::Log(log) => log::run(log, client).await,
        Command::Backup(backup) => backup::backup(backup, client).await,
        Command::Restore(restore) => backup::restore(restore, client).await,
    })
}

/// Runs what needs a server.
///
/// # Errors
/// As the command says, or exit code 4 if the server cannot be reached.
pub fn call(
    server: ServerArgs,
    command: impl AsyncFnOnce(Client) -> anyhow::Result<Exit>,
) -> Result<Exit, Failure> {
    let client = Client::new(server).map_err(usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    Ok(runtime.block_on(command(client))?)
}
