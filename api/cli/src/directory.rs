//! `rollcall directory`: users, groups and members as they were.

use super::Exit;
use super::client::Client;
use super::format::Format;
use super::output;
use crate::paging::{Listing, Paging, Rows};
use crate::say;
use clap::{Args, Subcommand};
use rollcall_contract::directory::{ResourceBody, ResourcePath, ResourceQuery, ResourcesBody};
use rollcall_contract::members::{MemberBody, MemberQuery, MembersBody, ReviewQuery};
use rollcall_contract::memberships::{MembershipQuery, MembershipsBody};
use rollcall_contract::moment::{AsOf, Moment};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Route;
use rollcall_contract::route;
use serde_json::Value;
use std::path::PathBuf;

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
        #[arg(long, value_name = "ID|NAME", required_unless_present = "user")]
        group: Option<String>,
        /// All groups in which this user ever was
        #[arg(long, value_name = "ID|NAME", conflicts_with = "group")]
        user: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// Export an access review of a group: who is in it, since when, by which request, in which run
    Review {
        #[command(flatten)]
        one: One,
        /// How it is written: csv, if absent; json with --json
        #[arg(long, value_enum)]
        format: Option<Format>,
        /// The file to make; it must not exist. Standard output if absent
        #[arg(long, alias = "to", value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Where and when.
#[derive(Debug, Args)]
pub struct At {
    /// The organization's slug
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// A moment: 2026-11-24, 2026-11-24T08:00:00Z, position:N, run:ID or -2d; now, if absent
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    as_of: Option<String>,
}

/// One resource.
#[derive(Debug, Args)]
pub struct One {
    #[command(flatten)]
    at: At,
    /// Its id; or a userName, a mail address or an external id; a group's displayName
    id: String,
}

/// A page of a list.
#[derive(Debug, Args)]
pub struct Page {
    /// Only what began after this position
    #[arg(long, default_value_t = 0, value_name = "POSITION")]
    after: u64,
    #[command(flatten)]
    paging: Paging,
}

/// A list of users or groups.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    at: At,
    /// Only those with this userName, or displayName of a group
    #[arg(long)]
    name: Option<String>,
    /// Only those with this in a name, a mail address or the external id
    #[arg(long, value_name = "TEXT", conflicts_with = "name")]
    search: Option<String>,
    #[command(flatten)]
    page: Page,
}

impl One {
    /// Its place in a path.
    fn path(&self) -> ResourcePath {
        ResourcePath { organization: self.at.org.clone(), id: self.id.clone() }
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
            let query = MembershipQuery {
                as_of: at.as_of,
                after: page.after,
                ..MembershipQuery::default()
            };
            let path = ResourcePath { organization: at.org, id };
            let body = page.paging.ask(&client, of, &path, &query, 100).await?;
            memberships(&client, &body)?;
        }
        Directory::Review { one, format, output } => {
            let format = Format::of(format, Format::Csv, &client, output.as_deref())?.into();
            let query = ReviewQuery { as_of: one.at.as_of.clone(), format };
            client
                .download(&route::REVIEW_GROUP.line(&one.path(), &query)?, output.as_deref())
                .await?;
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
    let List { at, name: named, search, page } = list;
    let query = ResourceQuery {
        as_of: at.as_of,
        name: named,
        search,
        after: page.after,
        ..ResourceQuery::default()
    };
    let path = OrganizationPath::of(at.org);
    let found: Listing<ResourcesBody> = page.paging.ask(client, of, &path, &query, 100).await?;
    let body = &found.body;
    if client.json {
        output::json(body)?;
        found.more();
        return Ok(());
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
    as_of(body.as_of);
    found.more();
    Ok(())
}

async fn show(client: &Client, one: One, of: &Route<ResourcePath, AsOf>) -> anyhow::Result<()> {
    let body: ResourceBody =
        client.ask(&of.line(&one.path(), &AsOf { as_of: one.at.as_of.clone() })?).await?;
    output::json(&body)
}

async fn members(client: &Client, one: One, page: Page) -> anyhow::Result<()> {
    let query =
        MemberQuery { as_of: one.at.as_of.clone(), after: page.after, ..MemberQuery::default() };
    let path = one.path();
    let found: Listing<MembersBody> =
        page.paging.ask(client, &route::LIST_MEMBERS, &path, &query, 100).await?;
    let body = &found.body;
    if client.json {
        output::json(body)?;
        found.more();
        return Ok(());
    }
    let row = |m: &MemberBody| {
        let active = m.active.map_or_else(|| "-".to_owned(), |a| a.to_string());
        vec![m.display.clone(), m.kind.clone(), active, m.since.to_string(), m.id.to_string()]
    };
    output::table(
        &["NAME", "TYPE", "ACTIVE", "SINCE", "ID"],
        &body.members.iter().map(row).collect::<Vec<_>>(),
    );
    as_of(body.as_of);
    found.more();
    Ok(())
}

fn memberships(client: &Client, found: &Listing<MembershipsBody>) -> anyhow::Result<()> {
    let body = &found.body;
    if client.json {
        output::json(body)?;
        found.more();
        return Ok(());
    }
    let rows = body.memberships.iter().map(|m| {
        let to = m.to.as_ref().map_or_else(|| "-".to_owned(), |t| output::instant(t.recorded_at));
        let by = m.to.as_ref().map_or_else(|| "-".to_owned(), |t| t.event_type.clone());
        vec![
            m.group.clone(),
            m.member.clone(),
            output::instant(m.from.recorded_at),
            to,
            by,
            m.member_id.to_string(),
        ]
    });
    output::table(
        &["GROUP", "MEMBER", "FROM", "TO", "ENDED BY", "MEMBER ID"],
        &rows.collect::<Vec<_>>(),
    );
    as_of(body.as_of);
    found.more();
    Ok(())
}

impl Rows for ResourcesBody {
    fn add(&mut self, more: Self) {
        self.resources.extend(more.resources);
        self.next = more.next;
    }
}

impl Rows for MembersBody {
    fn add(&mut self, more: Self) {
        self.members.extend(more.members);
        self.next = more.next;
    }
}

impl Rows for MembershipsBody {
    fn add(&mut self, more: Self) {
        self.memberships.extend(more.memberships);
        self.next = more.next;
    }
}

/// What a table cannot say: as of when it is.
fn as_of(as_of: Moment) {
    let recorded =
        as_of.recorded_at.map(|at| format!(", {}", output::instant(at))).unwrap_or_default();
    say!("\nas of position {}{recorded}", as_of.position);
}
