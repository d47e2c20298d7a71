//! `rollcall sessions`

use super::Exit;
use super::client::Client;
use super::output;
use crate::cells;
use crate::output::Cell;
use crate::paging::{Listing, Paging};
use crate::{say, who};
use clap::Subcommand;
use rollcall_contract::organizations::{OrganizationBody, OrganizationPath};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_contract::sessions::{
    EndSessions, EndedBody, SessionPath, SessionQuery, SessionSummary,
};
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
    /// End a session, all of a user, all of an organization, or all there are, at once and on every
    /// server
    End {
        /// The organization's slug; all organizations with --all, if absent
        #[arg(long, value_name = "SLUG", required_unless_present = "all")]
        org: Option<String>,
        /// All of this user
        #[arg(long, value_name = "ID|NAME", requires = "org", conflicts_with_all = ["session", "all"])]
        user: Option<String>,
        /// All of the organization, or of everybody
        #[arg(long, conflicts_with = "session")]
        all: bool,
        /// The session's id
        #[arg(required_unless_present_any = ["user", "all"])]
        session: Option<Uuid>,
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
        Sessions::End { org: Some(org), session: Some(session), .. } => {
            let path = SessionPath { organization: org, session };
            client.act(&route::END_SESSION.line(&path, &Nothing)?).await?;
        }
        Sessions::End { org, user, .. } => {
            let organizations = match org {
                Some(org) => vec![org],
                None => {
                    let line = route::LIST_ORGANIZATIONS.line(&Nothing, &Nothing)?;
                    let all: Vec<OrganizationBody> = client.ask(&line).await?;
                    all.into_iter().map(|organization| organization.domain).collect()
                }
            };
            let mut ended = 0;
            for org in organizations {
                let user = who::user(&client, &org, user.as_deref()).await?;
                let line = route::END_SESSIONS.line(&OrganizationPath::of(org), &Nothing)?;
                let done: EndedBody = client.tell(&line, &EndSessions { user }).await?;
                ended += done.ended;
            }
            if client.json {
                output::json(&EndedBody { ended })?;
            } else {
                say!("{ended} sessions ended.");
            }
        }
    }
    Ok(Exit::Success)
}

fn row(session: SessionSummary) -> Vec<Cell> {
    cells![
        session.session_id.to_string(),
        session.user_id.to_string(),
        Cell::state(session.state),
        output::instant(session.began_at),
        output::instant(session.expires_at),
        session.end_reason.unwrap_or_else(|| "-".to_owned()),
        session.refused_after_ms.map_or_else(|| "-".to_owned(), |ms| ms.to_string()),
    ]
}
