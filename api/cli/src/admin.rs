//! `rollcall admin`

use super::Exit;
use super::client::Client;
use super::output;
use super::secret::{self, Lifetime, Listed};
use crate::say;
use clap::Subcommand;
use rollcall_contract::keys::{AccessKeyBody, AccessKeyIssued, AdminPath, NewAccessKey};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use uuid::Uuid;

/// Admins: who may change one organization, and nothing else
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Issue a key; it is shown once
    Add {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Whom it is for: history says so of what is done with it
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
        /// The key's id, as `admin list` shows it
        key_id: Uuid,
    },
}

/// Runs it.
pub async fn run(command: Admin, client: Client) -> anyhow::Result<Exit> {
    match command {
        Admin::Add { org, label, expires_in } => {
            let new = NewAccessKey { label, expires_at: expires_in.map(Lifetime::end) };
            let issued: AccessKeyIssued = client
                .tell(&route::ISSUE_ADMIN.line(&OrganizationPath::of(org), &Nothing)?, &new)
                .await?;
            if client.json {
                output::json(&issued)?;
            } else {
                output::pairs(&[("Key id", issued.key_id.to_string()), ("Key", issued.key)]);
                say!(
                    "\nPut it into a file of its holder's, for --key-file. The key is not shown again."
                );
            }
        }
        Admin::List { org } => {
            let all: Vec<AccessKeyBody> =
                client.ask(&route::LIST_ADMINS.line(&OrganizationPath::of(org), &Nothing)?).await?;
            if client.json {
                output::json(&all)?;
            } else {
                secret::table(all.into_iter().map(Listed::from));
            }
        }
        Admin::Revoke { org, key_id } => {
            client
                .act(
                    &route::REVOKE_ADMIN
                        .line(&AdminPath { organization: org, key: key_id }, &Nothing)?,
                )
                .await?;
        }
    }
    Ok(Exit::Success)
}
