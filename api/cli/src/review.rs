//! `rollcall review`

use super::Exit;
use super::client::Client;
use super::format::Format;
use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args};
use rollcall_contract::findings::{FINDS, FindingQuery};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::review::AccessQuery;
use rollcall_contract::route;
use std::path::PathBuf;

/// Write an access review as evidence
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whose").required(true).multiple(true))]
pub struct Review {
    /// The organization's slug
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Of every group
    #[arg(long, group = "whose", conflicts_with_all = ["group", "user"])]
    all_groups: bool,
    /// In place of who was where: who never signed in, or not for a time; who left, and when their
    /// memberships ended; groups that nobody is in
    #[arg(long, group = "whose", value_name = "WHAT", value_parser = PossibleValuesParser::new(FINDS), conflicts_with_all = ["all_groups", "group", "user"])]
    find: Option<String>,
    /// With --find idle: for so many days; 90, if absent
    #[arg(long, value_name = "DAYS", requires = "find")]
    idle_days: Option<u32>,
    /// Of this group: its displayName, its external id or its id
    #[arg(long, group = "whose", value_name = "NAME|ID")]
    group: Option<String>,
    /// Of this person: userName, mail address, external id or id
    #[arg(long, group = "whose", value_name = "NAME|ID")]
    user: Option<String>,
    /// At a moment: 2026-11-24, 2026-11-24T08:00:00Z, position:N, run:ID or -2d; now, if absent
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true, conflicts_with_all = ["from", "to"])]
    as_of: Option<String>,
    /// Everybody who was there at any time from this moment on
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    from: Option<String>,
    /// To this moment; now, if absent
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    to: Option<String>,
    /// How it is written: csv, if absent; json with --json
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The file to make; it must not exist. Standard output if absent
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs it.
pub async fn run(command: Review, client: Client) -> anyhow::Result<Exit> {
    let Review { org, all_groups: _, find, idle_days, .. } = command;
    let Review { group, user, as_of, from, to, format, output, .. } = command;
    let format = Format::of(format, Format::Csv, &client, output.as_deref())?.into();
    let path = OrganizationPath::of(org);
    let line = match find {
        Some(find) => {
            let query = FindingQuery { find, idle_days, as_of, from, to, format };
            route::REVIEW_FINDINGS.line(&path, &query)?
        }
        None => {
            let query = AccessQuery { group, user, as_of, from, to, format };
            route::REVIEW_ACCESS.line(&path, &query)?
        }
    };
    client.download(&line, output.as_deref()).await?;
    Ok(Exit::Success)
}
