//! `rollcall directory`: users, groups and members as they were.

use super::Exit;
use super::client::Client;
use super::format::Format;
use super::output;
use clap::{Args, Subcommand};
use rollcall_contract::directory::{ResourceBody, ResourcePath, ResourceQuery, ResourcesBody};
use rollcall_contract::members::{MemberBody, MemberQuery, MembersBody, ReviewQuery};
use rollcall_contract::memberships::{MembershipQuery, MembershipsBody};
use rollcall_contract::moment::{AsOf, Moment};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::{RequestLine, Route};
use rollcall_contract::route;
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

impl One {
    /// Its place in a path.
    fn path(&self) -> ResourcePath {
        ResourcePath { organization: self.at.org.clone(), id: self.id }
    }
}

/// Runs it.
pub async fn run(command: Directory, client: Client) -> anyhow::Result<Exit> {
    match command {
        Directory::Users(list) => resources(&client, list, &route::LIST_USERS, "userName").await?,
        Directory::Groups(list) => {
            resources(&client, list, &route::LIST_GROUPS, "displayName").await?
        }
        Directory::User(one) => show(&client, one, &route::SHOW_USER).await?,
        Directory::Group(one) => show(&client, one, &route::SHOW_GROUP).await?,
        Directory::Members { one, page } => members(&client, one, page).await?,
        Directory::Memberships { at, group, user, page } => {
            let (of, id) = match group {
                Some(group) => (&route::LIST_GROUP_MEMBERSHIPS, group),
                None => (&route::LIST_USER_MEMBERSHIPS, user.unwrap_or_default()),
            };
            let query =
                MembershipQuery { as_of: at.as_of, after: page.after, limit: Some(page.limit) };
            memberships(&client, &of.line(&ResourcePath { organization: at.org, id }, &query)?)
                .await?;
        }
        Directory::Review { one, format, to } => {
            let query = ReviewQuery { as_of: one.at.as_of.clone(), format: format.into() };
            client.download(&route::REVIEW_GROUP.line(&one.path(), &query)?, to.as_deref()).await?;
        }
    }
    Ok(Exit::Success)
}

async fn resources(
    client: &Client,
    list: List,
    of: &Route<OrganizationPath, ResourceQuery>,
    name: &str,
) -> anyhow::Result<()> {
    let List { at, name: named, page } = list;
    let query =
        ResourceQuery { as_of: at.as_of, name: named, after: page.after, limit: Some(page.limit) };
    let body: ResourcesBody = client.ask(&of.line(&OrganizationPath::of(at.org), &query)?).await?;
    if client.json {
        return output::json(&body);
    }
    let text = |r: &Value, name: &str| match &r[name] {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let row = |r: &Value| {
        vec![
            text(r, name),
            text(r, "active"),
            text(r, "externalId"),
            text(&r["meta"], "lastModified"),
            text(r, "id"),
        ]
    };
    output::table(
        &["NAME", "ACTIVE", "EXTERNAL ID", "CHANGED", "ID"],
        &body.resources.iter().map(row).collect::<Vec<_>>(),
    );
    more(body.as_of, body.next);
    Ok(())
}

async fn show(client: &Client, one: One, of: &Route<ResourcePath, AsOf>) -> anyhow::Result<()> {
    let body: ResourceBody =
        client.ask(&of.line(&one.path(), &AsOf { as_of: one.at.as_of.clone() })?).await?;
    output::json(&body)
}

async fn members(client: &Client, one: One, page: Page) -> anyhow::Result<()> {
    let query =
        MemberQuery { as_of: one.at.as_of.clone(), after: page.after, limit: Some(page.limit) };
    let body: MembersBody = client.ask(&route::LIST_MEMBERS.line(&one.path(), &query)?).await?;
    if client.json {
        return output::json(&body);
    }
    let row = |m: &MemberBody| {
        let active = m.active.map_or_else(|| "-".to_owned(), |a| a.to_string());
        vec![m.display.clone(), m.kind.clone(), active, m.since.to_string(), m.id.to_string()]
    };
    output::table(
        &["NAME", "TYPE", "ACTIVE", "SINCE", "ID"],
        &body.members.iter().map(row).collect::<Vec<_>>(),
    );
    more(body.as_of, body.next);
    Ok(())
}

async fn memberships(client: &Client, line: &RequestLine) -> anyhow::Result<()> {
    let body: MembershipsBody = client.ask(line).await?;
    if client.json {
        return output::json(&body);
    }
    let rows = body.memberships.iter().map(|m| {
        let to = m.to.as_ref().map_or_else(|| "-".to_owned(), |t| t.recorded_at.to_rfc3339());
        let by = m.to.as_ref().map_or_else(|| "-".to_owned(), |t| t.event_type.clone());
        vec![
            m.group.clone(),
            m.member.clone(),
            m.from.recorded_at.to_rfc3339(),
            to,
            by,
            m.member_id.to_string(),
        ]
    });
    output::table(
        &["GROUP", "MEMBER", "FROM", "TO", "ENDED BY", "MEMBER ID"],
        &rows.collect::<Vec<_>>(),
    );
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
