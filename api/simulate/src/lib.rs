//! `rollcall simulate`: Entra in a box.

mod app;
mod credential;
mod entra;
mod faults;
mod history;
mod idp;
mod output;
mod progress;

use clap::Subcommand;
use rollcall_cli::{Exit, Failure, ServerArgs};

/// Entra in a box: a simulated tenant
#[derive(Debug, Subcommand)]
pub enum Simulate {
    /// Provision a simulated tenant to any SCIM server; name the tenant URL with --url
    Entra(entra::Entra),
    /// Make a data folder with the history of an organization, in seconds
    History(history::History),
    /// Be its identity provider: metadata, sign-in page, tokens, logout
    Idp(idp::Idp),
}

/// Runs it.
pub fn run(simulate: Simulate, server: ServerArgs) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    match simulate {
        Simulate::Entra(entra) => runtime.block_on(entra::run(entra, server)),
        Simulate::History(history) => runtime.block_on(history::run(history, server)),
        Simulate::Idp(idp) => runtime.block_on(idp::run(idp, server)),
    }
}
