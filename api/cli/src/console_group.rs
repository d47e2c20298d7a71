//! `rollcall console group`

use super::client::Client;
use super::output;
use clap::{Subcommand, ValueEnum};
use rollcall_contract::console::{
    ConsoleGroupBody, ConsoleGroupPath, ConsoleGroupRole, NewConsoleGroup,
};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;

/// What somebody may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Role {
    /// Change the organization
    Admin,
    /// Read everything of it
    Auditor,
}

/// Groups that open the console.
#[derive(Debug, Subcommand)]
pub enum Group {
    /// Let the members of a group in; another group of the same name is not meant
    Set {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Its displayName, its external id or its id
        #[arg(long, value_name = "NAME|ID")]
        group: String,
        /// What its members may do
        #[arg(long, value_enum)]
        role: Role,
    },
    /// List the groups whose members are let in
    List {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Let the members of a group in no more; who came in by it is out
    Remove {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Its displayName, its external id or its id; its id, if it is gone
        #[arg(long, value_name = "NAME|ID")]
        group: String,
    },
}

fn word(role: ConsoleGroupRole) -> &'static str {
    match role {
        ConsoleGroupRole::Admin => "admin",
        ConsoleGroupRole::Auditor => "auditor",
    }
}

fn row(body: ConsoleGroupBody) -> Vec<String> {
    vec![
        body.group.unwrap_or_else(|| "(gone)".to_owned()),
        word(body.role).to_owned(),
        body.members.to_string(),
        output::instant(body.set_at),
        body.group_id.to_string(),
    ]
}

/// Runs it.
pub async fn run(command: Group, client: &Client) -> anyhow::Result<()> {
    let head = ["GROUP", "ROLE", "MEMBERS", "SINCE", "ID"];
    match command {
        Group::Set { org, group, role } => {
            let role = match role {
                Role::Admin => ConsoleGroupRole::Admin,
                Role::Auditor => ConsoleGroupRole::Auditor,
            };
            let path = ConsoleGroupPath { organization: org, group };
            let line = route::SET_CONSOLE_GROUP.line(&path, &Nothing)?;
            let set: ConsoleGroupBody = client.tell(&line, &NewConsoleGroup { role }).await?;
            if client.json {
                return output::json(&set);
            }
            output::table(&head, &[row(set)]);
        }
        Group::List { org } => {
            let line = route::LIST_CONSOLE_GROUPS.line(&OrganizationPath::of(org), &Nothing)?;
            let all: Vec<ConsoleGroupBody> = client.ask(&line).await?;
            if client.json {
                return output::json(&all);
            }
            output::table(&head, &all.into_iter().map(row).collect::<Vec<_>>());
        }
        Group::Remove { org, group } => {
            let path = ConsoleGroupPath { organization: org, group };
            client.act(&route::REMOVE_CONSOLE_GROUP.line(&path, &Nothing)?).await?;
        }
    }
    Ok(())
}
