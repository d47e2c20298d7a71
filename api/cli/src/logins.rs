//! `rollcall logins`

use super::Exit;
use super::client::Client;
use super::output;
use crate::cells;
use crate::output::Cell;
use crate::paging::{Listing, Paging};
use crate::who;
use anyhow::Context as _;
use clap::Subcommand;
use rollcall_contract::logins::{LoginBody, LoginPath, LoginQuery};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::repin::{NewPerson, PersonPath};
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
        #[arg(long, value_name = "ID|NAME")]
        user: Option<String>,
        /// Only those whose assertion said something else than SCIM
        #[arg(long)]
        drifted: bool,
        /// Messages that could not be trusted, which are no events and are kept while they last
        #[arg(long, conflicts_with_all = ["refused", "user", "drifted"])]
        untrusted: bool,
        /// Only those before this position
        #[arg(long, value_name = "POSITION")]
        before: Option<u64>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one login with everything that was kept of it
    Show {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The exchange's id: the reference on the page that refuses a login
        exchange: Uuid,
    },
    /// Know the person of a user by another object id, or by that of the next login: an account
    /// that was refused as other-person and may go to them. Its sessions end
    Repin {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Their object id at the identity provider; that of the next login if absent
        #[arg(long, value_name = "ID")]
        object_id: Option<String>,
        /// Why, for whoever reads the log
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The user
        #[arg(value_name = "ID|NAME")]
        user: String,
    },
}

/// Runs it.
pub async fn run(command: Logins, client: Client) -> anyhow::Result<Exit> {
    match command {
        Logins::List { org, refused, user, drifted, untrusted, before, paging } => {
            let user = who::user(&client, &org, user.as_deref()).await?;
            let query = LoginQuery {
                accepted: refused.then_some(false),
                user,
                drifted,
                untrusted,
                before,
                ..LoginQuery::default()
            };
            let path = OrganizationPath::of(org);
            let all: Listing<Vec<LoginBody>> =
                paging.ask(&client, &route::LIST_LOGINS, &path, &query, 50).await?;
            if client.json {
                output::json(&all.body)?;
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
                output::table(&head, &all.body.iter().cloned().map(row).collect::<Vec<_>>());
            }
            all.more();
        }
        Logins::Show { org, exchange } => {
            let path = LoginPath { organization: org, exchange };
            let body: LoginBody = client.ask(&route::SHOW_LOGIN.line(&path, &Nothing)?).await?;
            output::json(&body)?;
        }
        Logins::Repin { org, object_id, reason, user } => {
            let user = who::user(&client, &org, Some(&user)).await?.context("no user is named")?;
            let line =
                route::REPIN_PERSON.line(&PersonPath { organization: org, user }, &Nothing)?;
            client.act_on(&line, &NewPerson { object_id, reason }).await?;
        }
    }
    Ok(Exit::Success)
}

fn row(login: LoginBody) -> Vec<Cell> {
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let drift: Vec<String> = login.drift.into_iter().map(|d| d.attribute).collect();
    cells![
        login.position.to_string(),
        output::instant(login.at),
        Cell::state(login.outcome),
        text(login.reason),
        text(login.name_id),
        text(login.initiated_by),
        text(login.matched_by),
        text(login.source),
        text(Some(drift.join(",")).filter(|d| !d.is_empty())),
        text(login.exchange.map(|x| x.to_string())),
    ]
}
