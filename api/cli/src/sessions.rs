//! `rollcall sessions`

use super::Exit;
use super::client::Client;
use super::output;
use crate::paging::{Listing, Paging};
use crate::who;
use clap::Subcommand;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_contract::sessions::{SessionPath, SessionQuery, SessionSummary};
use uuid::Uuid;

/// Who is signed in
#[derive(Debug, Subcommand)]
pub enum Sessions {
    /// List sessions, newest first
    List {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Only those that let somebody in now
        #[arg(long)]
        live: bool,
        /// Only those of this user
        #[arg(long, value_name = "ID|NAME")]
        user: Option<String>,
        /// Only those that began before this position
        #[arg(long, value_name = "POSITION")]
        before: Option<u64>,
        #[command(flatten)]
        paging: Paging,
    },
    /// End a session, at once and on every server
    End {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The session's id
        session: Uuid,
    },
}

/// Runs it.
pub async fn run(command: Sessions, client: Client) -> anyhow::Result<Exit> {
    match command {
        Sessions::List { org, live, user, before, paging } => {
            let user = who::user(&client, &org, user.as_deref()).await?;
            let query = SessionQuery { user, live, before, ..SessionQuery::default() };
            let path = OrganizationPath::of(org);
            let all: Listing<Vec<SessionSummary>> =
                paging.ask(&client, &route::LIST_SESSIONS, &path, &query, 50).await?;
            if client.json {
                output::json(&all.body)?;
            } else {
                let head =
                    ["ID", "USER", "STATE", "BEGAN", "EXPIRES", "ENDED BY", "REFUSED AFTER MS"];
                output::table(&head, &all.body.iter().cloned().map(row).collect::<Vec<_>>());
            }
            all.more();
        }
        Sessions::End { org, session } => {
            client
                .act(
                    &route::END_SESSION
                        .line(&SessionPath { organization: org, session }, &Nothing)?,
                )
                .await?;
        }
    }
    Ok(Exit::Success)
}

fn row(session: SessionSummary) -> Vec<String> {
    vec![
        session.session_id.to_string(),
        session.user_id.to_string(),
        session.state,
        output::instant(session.began_at),
        output::instant(session.expires_at),
        session.end_reason.unwrap_or_else(|| "-".to_owned()),
        session.refused_after_ms.map_or_else(|| "-".to_owned(), |ms| ms.to_string()),
    ]
}
