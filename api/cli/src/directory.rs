//! `rollcall directory`: users, groups and members as they were.

use super::Exit;
use super::client::Client;
use super::output;
use clap::{Args, Subcommand};
use rollcall_office::audit::{Format, MembersBody, MembershipsBody, Moment, ResourceBody, ResourcesBody};
use serde_json::Value;
use std::path::PathBuf;
use uuid::Uuid;

/// Users, groups and members, now or as they were
#[derive(Debug, Subcommand)]
pub enum Directory {
    /// List users in the order in which they were created
    Users(List),
    /// List groups in the order in which they were created
    Groups(List),
    /// Show a user with its groups
    User(One),
    /// Show a group without its members
    Group(One),
    /// List the members of a group in the order in which they joined
    Members {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        page: Page,
    },
    /// List every time that somebody was in a group
    Memberships {
        #[command(flatten)]
        at: At,
        /// All who ever were in this group
        #[arg(long, value_name = "ID", required_unless_present = "user")]
        group: Option<Uuid>,
        /// All groups in which this user ever was
        #[arg(long, value_name = "ID", conflicts_with = "group")]
        user: Option<Uuid>,
        #[command(flatten)]
        page: Page,
    },
    /// Export an access review of a group: who is in it, since when, by which request, in which run
    Review {
        #[command(flatten)]
        one: One,
        /// How it is written
        #[arg(long, value_enum, default_value = "csv")]
        format: Format,
        /// The file to write; standard output if absent
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
}

/// Where and when.
#[derive(Debug, Args)]
pub struct At {
    /// The organization's slug
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// An instant such as 2026-11-24T08:00:00Z, position:N or run:ID; now, if absent
    #[arg(long, value_name = "MOMENT")]
    as_of: Option<String>,
}

/// One resource.
#[derive(Debug, Args)]
pub struct One {
    #[command(flatten)]
    at: At,
    /// Its id
    id: Uuid,
}

/// A page of a list.
#[derive(Debug, Args)]
pub struct Page {
    /// Where to go on: what the page before said
    #[arg(long, default_value_t = 0, value_name = "PLACE")]
    after: u64,
    /// At most so many
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
}

/// A list of users or groups.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    at: At,
    /// Only those with this userName, or displayName of a group
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    page: Page,
}

impl At {
    fn path(&self, rest: &str, mut query: Vec<(&str, String)>) -> String {
        query.extend(self.as_of.clone().map(|at| ("asOf", at)));
        output::path(&format!("/organizations/{}{rest}", self.org), &query)
    }
}

impl Page {
    fn query(&self) -> Vec<(&'static str, String)> {
        vec![("after", self.after.to_string()), ("limit", self.limit.to_string())]
    }
}

/// Runs it.
pub async fn run(command: Directory, client: Client) -> anyhow::Result<Exit> {
    match command {
        Directory::Users(list) => resources(&client, list, "/users", "userName").await?,
        Directory::Groups(list) => resources(&client, list, "/groups", "displayName").await?,
        Directory::User(one) => show(&client, one, "/users").await?,
        Directory::Group(one) => show(&client, one, "/groups").await?,
        Directory::Members { one, page } => members(&client, &one, &page).await?,
        Directory::Memberships { at, group, user, page } => {
            let of = match (group, user) {
                (Some(group), _) => format!("/groups/{group}/memberships"),
                (None, user) => format!("/users/{}/memberships", user.unwrap_or_default()),
            };
            memberships(&client, &at.path(&of, page.query())).await?;
        }
        Directory::Review { one, format, to } => {
            let path = one.at.path(&format!("/groups/{}/review", one.id), vec![("format", format.as_str().to_owned())]);
            client.download(&path, to.as_deref()).await?;
        }
    }
    Ok(Exit::Success)
}

async fn resources(client: &Client, list: List, of: &str, name: &str) -> anyhow::Result<()> {
    let mut query = list.page.query();
    query.extend(list.name.map(|name| ("name", name)));
    let body: ResourcesBody = client.get(&list.at.path(of, query)).await?;
    if client.json {
        return output::json(&body);
    }
    let text = |r: &Value, name: &str| match &r[name] {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let row = |r: &Value| vec![text(r, name), text(r, "active"), text(r, "externalId"), text(&r["meta"], "lastModified"), text(r, "id")];
    output::table(&["NAME", "ACTIVE", "EXTERNAL ID", "CHANGED", "ID"], &body.resources.iter().map(row).collect::<Vec<_>>());
    more(body.as_of, body.next);
    Ok(())
}

async fn show(client: &Client, one: One, of: &str) -> anyhow::Result<()> {
    let body: ResourceBody = client.get(&one.at.path(&format!("{of}/{}", one.id), Vec::new())).await?;
    output::json(&body)
}

async fn members(client: &Client, one: &One, page: &Page) -> anyhow::Result<()> {
    let body: MembersBody = client.get(&one.at.path(&format!("/groups/{}/members", one.id), page.query())).await?;
    if client.json {
        return output::json(&body);
    }
    let row = |m: &rollcall_office::audit::MemberBody| {
        let active = m.active.map_or_else(|| "-".to_owned(), |a| a.to_string());
        vec![m.display.clone(), m.kind.clone(), active, m.since.to_string(), m.id.to_string()]
    };
    output::table(&["NAME", "TYPE", "ACTIVE", "SINCE", "ID"], &body.members.iter().map(row).collect::<Vec<_>>());
    more(body.as_of, body.next);
    Ok(())
}

async fn memberships(client: &Client, path: &str) -> anyhow::Result<()> {
    let body: MembershipsBody = client.get(path).await?;
    if client.json {
        return output::json(&body);
    }
    let rows = body.memberships.iter().map(|m| {
        let to = m.to.as_ref().map_or_else(|| "-".to_owned(), |t| t.recorded_at.to_rfc3339());
        let by = m.to.as_ref().map_or_else(|| "-".to_owned(), |t| t.event_type.clone());
        vec![m.group.clone(), m.member.clone(), m.from.recorded_at.to_rfc3339(), to, by, m.member_id.to_string()]
    });
    output::table(&["GROUP", "MEMBER", "FROM", "TO", "ENDED BY", "MEMBER ID"], &rows.collect::<Vec<_>>());
    more(body.as_of, body.next);
    Ok(())
}

/// What a table cannot say: as of when it is, and whether there is more.
fn more(as_of: Moment, next: Option<u64>) {
    let recorded = as_of.recorded_at.map(|at| format!(", {}", at.to_rfc3339())).unwrap_or_default();
    println!("\nas of position {}{recorded}", as_of.position);
    if let Some(next) = next {
        println!("there is more: --after {next}");
    }
}
