//! `rollcall person`

mod export;
mod readable;

use super::Exit;
use super::client::Client;
use super::output;
use super::part::{Part, check_free};
use crate::{say, who};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use export::Form;
use rollcall_contract::backup::erasure_list::ListReading;
use rollcall_contract::erasure::{ErasePerson, ErasedBody};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::people::{HoldBody, HoldPerson};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

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
    /// Let nobody erase a user, or who they were, until they are released: a court may want to know
    Hold(Hold),
    /// Let a user that is held be erased again
    Release(Hold),
    /// List who is held, since when and why
    Holds {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Write everything that is known of one person to a file. That it was read is kept
    Export {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The user; one that is gone by their id
        #[arg(long, value_name = "ID|NAME")]
        user: String,
        /// json for programs, text to be read
        #[arg(long, value_enum, default_value_t = Form::Json)]
        format: Form,
        /// The file to make; it must not exist
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Write the list of all who were erased, of every organization, to a file, for restores of older
    /// backups (`rollcall restore --erasures`). It holds ids and reasons, and nothing else of anybody
    Erasures {
        /// The file to make; it must not exist
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
}

/// Who is held or released, and why
#[derive(Debug, Args)]
pub struct Hold {
    /// The organization's slug
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// The user; one that is gone by their id
    #[arg(long, value_name = "ID|NAME")]
    user: String,
    /// Why, for those who ask later; it stays, so write no name
    #[arg(long, value_name = "TEXT")]
    because: String,
}

/// Runs it.
pub async fn run(command: Person, client: Client) -> anyhow::Result<Exit> {
    match command {
        Person::Erase { org, user, reason, yes, dry_run: _, force } => {
            let asked = (org, user, reason);
            return erase(&client, asked, yes, force).await;
        }
        Person::Hold(hold) => {
            let (path, body) = hold.asked(&client).await?;
            client.act_on(&route::HOLD_PERSON.line(&path, &Nothing)?, &body).await?;
        }
        Person::Release(hold) => {
            let (path, body) = hold.asked(&client).await?;
            client.act_on(&route::RELEASE_PERSON.line(&path, &Nothing)?, &body).await?;
        }
        Person::Holds { org } => {
            let line = route::LIST_HOLDS.line(&OrganizationPath::of(org), &Nothing)?;
            holds(&client, &client.ask::<Vec<HoldBody>>(&line).await?)?;
        }
        Person::Export { org, user, format, output } => {
            export::run(&client, &org, &user, format, &output).await?;
        }
        Person::Erasures { output } => {
            check_free(&output)?;
            let answer = client.send(&route::LIST_ERASURES.line(&Nothing, &Nothing)?).await?;
            let part = Part::download(&output, answer).await?;
            check_list(part.path())?;
            part.finish()?;
        }
    }
    Ok(Exit::Success)
}

impl Hold {
    async fn asked(self, client: &Client) -> anyhow::Result<(OrganizationPath, HoldPerson)> {
        let user = who::user(client, &self.org, Some(&self.user)).await?;
        let user = user.context("a user is needed")?;
        Ok((OrganizationPath::of(self.org), HoldPerson { user, because: self.because }))
    }
}

fn holds(client: &Client, holds: &[HoldBody]) -> anyhow::Result<()> {
    if client.json {
        return output::json(&holds);
    }
    let rows: Vec<Vec<String>> = holds
        .iter()
        .map(|hold| {
            vec![
                hold.user_id.to_string(),
                output::instant(hold.since),
                hold.position.to_string(),
                hold.because.clone(),
            ]
        })
        .collect();
    output::table(&["USER", "SINCE", "POSITION", "BECAUSE"], &rows);
    Ok(())
}

/// Whether a file is a list of erasures, from its first line to its last.
pub(crate) fn check_list(path: &Path) -> anyhow::Result<()> {
    let none = || format!("{} is not a list of erasures that can be used", path.display());
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (mut lines, mut reading) = (BufReader::new(file), ListReading::default());
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        reading.line(&line).with_context(none)?;
        line.clear();
    }
    reading.finish().with_context(none)?.with_context(none).map(drop)
}

async fn erase(
    client: &Client,
    (org, user, reason): (String, String, String),
    yes: bool,
    force: bool,
) -> anyhow::Result<Exit> {
    let user = who::user(client, &org, Some(&user)).await?.context("a user is needed")?;
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
        ("Held at", told.held_at.map_or_else(|| "-".to_owned(), |at| at.to_string())),
        ("Said at", told.erased_at.map_or_else(|| "-".to_owned(), said)),
        ("Records about them", told.records.to_string()),
        ("Keys", told.keys.len().to_string()),
        ("Refused logins", told.logins.to_string()),
        ("Exchanges", told.exchanges.len().to_string()),
        ("Told to", told.consumers.join(", ")),
        ("Ledger", format!("{} leaves, root {}", told.ledger_size, told.ledger_root)),
    ]);
    if told.dry_run && told.held_at.is_some() {
        say!(
            "\nNobody may erase them: see `rollcall person holds` for why, and release them first."
        );
    } else if told.dry_run {
        say!("\nNothing was erased: --yes does it, and nothing brings them back.");
    }
    Ok(Exit::Success)
}
