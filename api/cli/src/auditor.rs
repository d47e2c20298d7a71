//! `rollcall auditor`

use super::Exit;
use super::client::Client;
use super::output;
use super::secret::{self, Lifetime, Listed};
use crate::say;
use clap::Subcommand;
use rollcall_contract::auditors::{AuditorBody, AuditorIssued, AuditorPath, NewAuditor};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use uuid::Uuid;

/// Auditors: who may read everything about an organization, and change nothing
#[derive(Debug, Subcommand)]
pub enum Auditor {
    /// Issue a key; it is shown once
    Issue {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Whom it is for
        #[arg(long)]
        label: String,
        /// Refuse it after so long, such as 90d or 12h
        #[arg(long, value_name = "TIME")]
        expires_in: Option<Lifetime>,
    },
    /// List keys
    List {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Refuse a key from now on
    Revoke {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The key's id, as `auditor list` shows it
        auditor_id: Uuid,
    },
}

/// Runs it.
pub async fn run(command: Auditor, client: Client) -> anyhow::Result<Exit> {
    match command {
        Auditor::Issue { org, label, expires_in } => {
            let new = NewAuditor { label, expires_at: expires_in.map(Lifetime::end) };
            let line = route::ISSUE_AUDITOR.line(&OrganizationPath::of(org), &Nothing)?;
            let issued: AuditorIssued = client.tell(&line, &new).await?;
            if client.json {
                output::json(&issued)?;
            } else {
                output::pairs(&[("Auditor", issued.auditor_id.to_string()), ("Key", issued.key)]);
                say!(
                    "\nGive it to the auditor: as a bearer token, or in a file for --key-file. The key is not shown again."
                );
            }
        }
        Auditor::List { org } => {
            let all: Vec<AuditorBody> = client
                .ask(&route::LIST_AUDITORS.line(&OrganizationPath::of(org), &Nothing)?)
                .await?;
            if client.json {
                output::json(&all)?;
            } else {
                secret::table(all.into_iter().map(listed));
            }
        }
        Auditor::Revoke { org, auditor_id } => {
            let path = AuditorPath { organization: org, auditor: auditor_id };
            client.act(&route::REVOKE_AUDITOR.line(&path, &Nothing)?).await?;
        }
    }
    Ok(Exit::Success)
}

fn listed(key: AuditorBody) -> Listed {
    let AuditorBody { auditor_id: id, state, label, issued_at, expires_at, last_used_at, .. } = key;
    Listed { id, state, label, issued_at, expires_at, last_used_at }
}
