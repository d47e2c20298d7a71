//! `rollcall reads`

use super::Exit;
use super::client::Client;
use super::output;
use crate::paging::{Listing, Paging};
use clap::Subcommand;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::reads::{ReadQuery, ReadSummary};
use rollcall_contract::route;
use serde_json::Value;

/// Who read an organization's history
#[derive(Debug, Subcommand)]
pub enum Reads {
    /// List what auditors and admins asked, newest first
    List {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        #[command(flatten)]
        paging: Paging,
    },
}

/// Runs it.
pub async fn run(command: Reads, client: Client) -> anyhow::Result<Exit> {
    let Reads::List { org, paging } = command;
    let (path, query) = (OrganizationPath::of(org), ReadQuery::default());
    let all: Listing<Vec<ReadSummary>> =
        paging.ask(&client, &route::LIST_READS, &path, &query, 50).await?;
    if client.json {
        output::json(&all.body)?;
    } else {
        let head = ["LAST ASKED", "WHO", "REQUESTS", "ROWS", "REFUSED", "QUESTION"];
        output::table(&head, &all.body.iter().cloned().map(row).collect::<Vec<_>>());
    }
    all.more();
    Ok(Exit::Success)
}

/// An admin by name, an auditor by the id of the key.
fn who(caller: &Value) -> String {
    let text = |name: &str| caller[name].as_str();
    let kind = text("kind").unwrap_or_default();
    match text("name").or(text("auditor")) {
        Some(name) => format!("{kind} {name}"),
        None => kind.to_owned(),
    }
}

fn row(read: ReadSummary) -> Vec<String> {
    vec![
        output::instant(read.last_at),
        who(&read.caller),
        read.requests.to_string(),
        read.rows.to_string(),
        read.refused.to_string(),
        read.question.unwrap_or_else(|| "(the oldest, added up)".to_owned()),
    ]
}
