//! `rollcall auditor`

use super::Exit;
use super::client::Client;
use super::output;
use super::secret::{self, Lifetime, Listed};
use clap::Subcommand;
use reqwest::Method;
use rollcall_engine::clock::Clock;
use rollcall_office::admin::{AuditorBody, AuditorIssued};
use serde_json::json;
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
            let expires_at = expires_in.map(|lifetime| lifetime.end(Clock::system().now()));
            let body = json!({ "label": label, "expires_at": expires_at });
            let issued: AuditorIssued = client.request(Method::POST, &format!("/organizations/{org}/auditors"), Some(&body)).await?;
            if client.json {
                output::json(&issued)?;
            } else {
                output::pairs(&[("Auditor", issued.auditor_id.to_string()), ("Key", issued.key)]);
                println!("\nGive it to the auditor: as a bearer token, or in a file for --key-file. The key is not shown again.");
            }
        }
        Auditor::List { org } => {
            let all: Vec<AuditorBody> = client.get(&format!("/organizations/{org}/auditors")).await?;
            if client.json {
                output::json(&all)?;
            } else {
                secret::table(all.into_iter().map(listed));
            }
        }
        Auditor::Revoke { org, auditor_id } => client.act(Method::DELETE, &format!("/organizations/{org}/auditors/{auditor_id}")).await?,
    }
    Ok(Exit::Success)
}

fn listed(key: AuditorBody) -> Listed {
    let AuditorBody { auditor_id: id, state, label, issued_at, expires_at, last_used_at, .. } = key;
    Listed { id, state, label, issued_at, expires_at, last_used_at }
}
