//! `rollcall auditor`

use super::Exit;
use super::client::Client;
use super::output;
use super::scim::after;
use crate::admin::{AuditorBody, AuditorIssued};
use crate::clock::Clock;
use chrono::{DateTime, Utc};
use clap::Subcommand;
use reqwest::Method;
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
        expires_in: Option<String>,
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
            let expires_at = expires_in.as_deref().map(|t| after(t, Clock::system().now())).transpose()?;
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
                let time = |t: Option<DateTime<Utc>>| t.map_or_else(|| "-".to_owned(), |t| t.to_rfc3339());
                let row = |a: AuditorBody| {
                    vec![a.auditor_id.to_string(), a.state, a.label, a.issued_at.to_rfc3339(), time(a.expires_at), time(a.last_used_at)]
                };
                output::table(&["ID", "STATE", "LABEL", "ISSUED", "EXPIRES", "LAST USED"], &all.into_iter().map(row).collect::<Vec<_>>());
            }
        }
        Auditor::Revoke { org, auditor_id } => client.act(Method::DELETE, &format!("/organizations/{org}/auditors/{auditor_id}")).await?,
    }
    Ok(Exit::Success)
}
