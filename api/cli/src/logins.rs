//! `rollcall logins`

use super::Exit;
use super::client::Client;
use super::output;
use clap::Subcommand;
use rollcall_contract::logins::{LoginBody, LoginPath, LoginQuery};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use uuid::Uuid;

/// Who signed in, and who was refused
#[derive(Debug, Subcommand)]
pub enum Logins {
    /// List logins, newest first
    List {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Only refused ones
        #[arg(long)]
        refused: bool,
        /// Only those of this user
        #[arg(long, value_name = "ID")]
        user: Option<Uuid>,
        /// Only those whose assertion said something else than SCIM
        #[arg(long)]
        drifted: bool,
        /// Only those before this position
        #[arg(long, value_name = "POSITION")]
        before: Option<u64>,
        /// At most so many
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: usize,
    },
    /// Show one login with everything that was kept of it
    Show {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The exchange's id: the reference on the page that refuses a login
        exchange: Uuid,
    },
}

/// Runs it.
pub async fn run(command: Logins, client: Client) -> anyhow::Result<Exit> {
    match command {
        Logins::List { org, refused, user, drifted, before, limit } => {
            let query = LoginQuery {
                accepted: refused.then_some(false),
                user,
                drifted,
                before,
                limit: Some(limit),
            };
            let all: Vec<LoginBody> =
                client.ask(&route::LIST_LOGINS.line(&OrganizationPath::of(org), &query)?).await?;
            if client.json {
                output::json(&all)?;
            } else {
                let head = [
                    "POSITION",
                    "TIME",
                    "OUTCOME",
                    "REASON",
                    "WHO",
                    "BEGAN AT",
                    "MATCHED BY",
                    "FROM",
                    "DRIFT",
                    "EXCHANGE",
                ];
                output::table(&head, &all.into_iter().map(row).collect::<Vec<_>>());
            }
        }
        Logins::Show { org, exchange } => {
            let path = LoginPath { organization: org, exchange };
            let body: LoginBody = client.ask(&route::SHOW_LOGIN.line(&path, &Nothing)?).await?;
            output::json(&body)?;
        }
    }
    Ok(Exit::Success)
}

fn row(login: LoginBody) -> Vec<String> {
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let drift: Vec<String> = login.drift.into_iter().map(|d| d.attribute).collect();
    vec![
        login.position.to_string(),
        login.at.to_rfc3339(),
        login.outcome,
        text(login.reason),
        text(login.name_id),
        text(login.initiated_by),
        text(login.matched_by),
        text(login.source),
        text(Some(drift.join(",")).filter(|d| !d.is_empty())),
        text(login.exchange.map(|x| x.to_string())),
    ]
}
