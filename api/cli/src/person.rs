//! `rollcall person`

use super::Exit;
use super::client::Client;
use super::output;
use crate::{say, who};
use anyhow::Context as _;
use clap::Subcommand;
use rollcall_contract::erasure::{ErasePerson, ErasedBody};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;

/// What is kept of a person
#[derive(Debug, Subcommand)]
pub enum Person {
    /// Erase who a user was: deletes them if they are there, and makes unreadable what is known of
    /// them. What was done, when and by whom stays, and every proof of the ledger holds. Without
    /// --yes it says where they are found, and erases nothing
    Erase {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The user; one that is gone by their id
        #[arg(long, value_name = "ID|NAME")]
        user: String,
        /// Why, for those who ask later; it stays, so write no name
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Erase them: nothing brings them back
        #[arg(long, conflicts_with = "dry_run")]
        yes: bool,
        /// Say where they are found, which is what is done without --yes
        #[arg(long)]
        dry_run: bool,
        /// Also if they are active
        #[arg(long)]
        force: bool,
    },
}

/// Runs it.
pub async fn run(command: Person, client: Client) -> anyhow::Result<Exit> {
    let Person::Erase { org, user, reason, yes, dry_run: _, force } = command;
    let user = who::user(&client, &org, Some(&user)).await?.context("a user is needed")?;
    let line = route::ERASE_PERSON.line(&OrganizationPath::of(org), &Nothing)?;
    let asked = ErasePerson { user, because: reason, dry_run: !yes, force };
    let told: ErasedBody = client.tell(&line, &asked).await?;
    if client.json {
        output::json(&told)?;
        return Ok(Exit::Success);
    }
    let said = |position| format!("{position} (rollcall events list --type UserErased)");
    output::pairs(&[
        ("User", told.user_id.to_string()),
        ("Said at", told.erased_at.map_or_else(|| "-".to_owned(), said)),
        ("Records about them", told.records.to_string()),
        ("Keys", told.keys.len().to_string()),
        ("Refused logins", told.logins.to_string()),
        ("Exchanges", told.exchanges.len().to_string()),
        ("Told to", told.consumers.join(", ")),
        ("Ledger", format!("{} leaves, root {}", told.ledger_size, told.ledger_root)),
    ]);
    if told.dry_run {
        say!("\nNothing was erased: --yes does it, and nothing brings them back.");
    }
    Ok(Exit::Success)
}
