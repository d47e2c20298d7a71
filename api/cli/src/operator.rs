//! `rollcall operator`

use super::Exit;
use super::client::Client;
use super::output;
use super::secret::{self, Lifetime, Listed};
use crate::say;
use clap::Subcommand;
use rollcall_contract::keys::{AccessKeyBody, AccessKeyIssued, NewAccessKey, OperatorPath};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use uuid::Uuid;

/// Operators with keys of their own, so that history says who did what
#[derive(Debug, Subcommand)]
pub enum Operator {
    /// Issue a key; it is shown once
    Add {
        /// Whom it is for: history says so of what is done with it
        #[arg(long)]
        label: String,
        /// Refuse it after so long, such as 90d or 12h
        #[arg(long, value_name = "TIME")]
        expires_in: Option<Lifetime>,
    },
    /// List keys
    List,
    /// Refuse a key from now on
    Revoke {
        /// The key's id, as `operator list` shows it
        key_id: Uuid,
    },
}

/// Runs it.
pub async fn run(command: Operator, client: Client) -> anyhow::Result<Exit> {
    match command {
        Operator::Add { label, expires_in } => {
            let new = NewAccessKey { label, expires_at: expires_in.map(Lifetime::end) };
            let issued: AccessKeyIssued =
                client.tell(&route::ISSUE_OPERATOR.line(&Nothing, &Nothing)?, &new).await?;
            if client.json {
                output::json(&issued)?;
            } else {
                output::pairs(&[("Key id", issued.key_id.to_string()), ("Key", issued.key)]);
                say!(
                    "\nPut it into a file of its holder's, for --key-file. The key is not shown again."
                );
            }
        }
        Operator::List => {
            let all: Vec<AccessKeyBody> =
                client.ask(&route::LIST_OPERATORS.line(&Nothing, &Nothing)?).await?;
            if client.json {
                output::json(&all)?;
            } else {
                // When an operator last came is not known: they come to every organization.
                secret::without_use(all.into_iter().map(Listed::from));
            }
        }
        Operator::Revoke { key_id } => {
            client
                .act(&route::REVOKE_OPERATOR.line(&OperatorPath { key: key_id }, &Nothing)?)
                .await?;
        }
    }
    Ok(Exit::Success)
}
