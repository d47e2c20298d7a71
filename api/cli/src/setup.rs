//! `rollcall setup`

use super::Exit;
use super::client::Client;
use super::console_link;
use clap::Subcommand;
use rollcall_contract::console::{LinkRole, NewLink};

/// Have an organization's admin set up single sign-on and provisioning
#[derive(Debug, Subcommand)]
pub enum Setup {
    /// Make a link that leads an admin from nothing to the first cycle; it is shown once
    Link {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Whom it is for: history says so of what is done with it
        #[arg(long, default_value = "Setup link")]
        label: String,
        /// It lets in, and what came in by it stays in, for so many hours [default: 72]
        #[arg(long, value_name = "N")]
        hours: Option<u32>,
        /// Let in more than one browser
        #[arg(long)]
        shareable: bool,
    },
}

/// Runs it.
pub async fn run(command: Setup, client: Client) -> anyhow::Result<Exit> {
    let Setup::Link { org, label, hours, shareable } = command;
    let new = NewLink { role: LinkRole::Setup, label, hours, shareable };
    console_link::make(org, &new, &client).await?;
    Ok(Exit::Success)
}
