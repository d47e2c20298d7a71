//! `rollcall console`

use super::client::Client;
use super::console_group::{self, Group, Role};
use super::{Exit, output};
use crate::say;
use clap::Subcommand;
use rollcall_contract::console::{
    ConsoleSessionBody, ConsoleSessionPath, LinkBody, LinkMade, LinkPath, LinkRole, NewLink,
};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use uuid::Uuid;

/// The pages that the server has for browsers
#[derive(Debug, Subcommand)]
pub enum Console {
    /// Print a link that signs a browser in as the operator, once and within a minute
    Open,
    /// Make a link for an admin or an auditor of an organization; it is shown once
    Invite {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// What they may do
        #[arg(long, value_enum)]
        role: Role,
        /// Whom it is for: history says so of what is done with it
        #[arg(long)]
        label: String,
        /// It lets in for so many hours [default: 72]
        #[arg(long, value_name = "N")]
        hours: Option<u32>,
    },
    /// List links, setup links among them
    Links {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Take a link back; whoever came in by it is out
    Revoke {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The link's id, as `console links` shows it
        link_id: Uuid,
    },
    /// Groups whose members use the console, by signing in through their organization
    #[command(subcommand)]
    Group(Group),
    /// List who is, or was, signed in to the console
    Sessions {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// End a session of the console
    End {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The session's id, as `console sessions` shows it
        session_id: Uuid,
    },
}

/// Makes a link, and prints it.
pub async fn make(org: String, new: &NewLink, client: &Client) -> anyhow::Result<()> {
    let line = route::MAKE_LINK.line(&OrganizationPath::of(org), &Nothing)?;
    let made: LinkMade = client.tell(&line, new).await?;
    if client.json {
        return output::json(&made);
    }
    show(made);
    Ok(())
}

fn show(made: LinkMade) {
    let mut pairs = vec![("Link", made.url), ("Until", output::instant(made.ends_at))];
    if let Some(id) = made.link_id {
        pairs.push(("Link id", id.to_string()));
    }
    output::pairs(&pairs);
}

/// Runs it.
pub async fn run(command: Console, client: Client) -> anyhow::Result<Exit> {
    match command {
        Console::Open => {
            let made: LinkMade = client.ask(&route::OPEN_CONSOLE.line(&Nothing, &Nothing)?).await?;
            if client.json {
                output::json(&made)?;
            } else {
                show(made);
                say!("\nOpen it in a browser within a minute.");
            }
        }
        Console::Invite { org, role, label, hours } => {
            let role = match role {
                Role::Admin => LinkRole::Admin,
                Role::Auditor => LinkRole::Auditor,
            };
            make(org, &NewLink { role, label, hours, shareable: false }, &client).await?;
        }
        Console::Links { org } => {
            let line = route::LIST_LINKS.line(&OrganizationPath::of(org), &Nothing)?;
            let all: Vec<LinkBody> = client.ask(&line).await?;
            if client.json {
                output::json(&all)?;
            } else {
                let head = ["ENDS", "STATE", "ROLE", "FOR", "MADE BY", "USES", "LAST", "ID"];
                let rows = all.into_iter().map(|link| {
                    vec![
                        output::instant(link.ends_at),
                        link.state,
                        link.role,
                        link.label,
                        link.made_by,
                        link.uses.to_string(),
                        output::maybe(link.last_use_at),
                        link.link_id.to_string(),
                    ]
                });
                output::table(&head, &rows.collect::<Vec<_>>());
            }
        }
        Console::Revoke { org, link_id } => {
            let path = LinkPath { organization: org, link: link_id };
            client.act(&route::REVOKE_LINK.line(&path, &Nothing)?).await?;
        }
        Console::Group(group) => console_group::run(group, &client).await?,
        Console::Sessions { org } => {
            let line = route::LIST_CONSOLE_SESSIONS.line(&OrganizationPath::of(org), &Nothing)?;
            let all: Vec<ConsoleSessionBody> = client.ask(&line).await?;
            if client.json {
                output::json(&all)?;
            } else {
                let head = ["BEGAN", "SEEN", "STATE", "ROLE", "WHO", "FROM", "ID"];
                let rows = all.into_iter().map(|session| {
                    vec![
                        output::instant(session.began_at),
                        output::instant(session.seen_at),
                        if session.live { "live" } else { "over" }.to_owned(),
                        session.role,
                        session.label,
                        session.source.unwrap_or_else(|| "-".to_owned()),
                        session.session_id.to_string(),
                    ]
                });
                output::table(&head, &rows.collect::<Vec<_>>());
            }
        }
        Console::End { org, session_id } => {
            let path = ConsoleSessionPath { organization: org, session: session_id };
            client.act(&route::END_CONSOLE_SESSION.line(&path, &Nothing)?).await?;
        }
    }
    Ok(Exit::Success)
}
