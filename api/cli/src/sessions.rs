//! `rollcall sessions`

use super::Exit;
use super::client::Client;
use super::output;
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
        #[arg(long, value_name = "ID")]
        user: Option<Uuid>,
        /// Only those that began before this position
        #[arg(long, value_name = "POSITION")]
        before: Option<u64>,
        /// At most so many
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: usize,
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
        Sessions::List { org, live, user, before, limit } => {
            let query = SessionQuery { user, live, before, limit: Some(limit) };
            let all: Vec<SessionSummary> =
                client.ask(&route::LIST_SESSIONS.line(&OrganizationPath::of(org), &query)?).await?;
            if client.json {
                output::json(&all)?;
            } else {
                let head =
                    ["ID", "USER", "STATE", "BEGAN", "EXPIRES", "ENDED BY", "REFUSED AFTER MS"];
                output::table(&head, &all.into_iter().map(row).collect::<Vec<_>>());
            }
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
        session.began_at.to_rfc3339(),
        session.expires_at.to_rfc3339(),
        session.end_reason.unwrap_or_else(|| "-".to_owned()),
        session.refused_after_ms.map_or_else(|| "-".to_owned(), |ms| ms.to_string()),
    ]
}
