//! `rollcall claims`

use super::Exit;
use super::client::Client;
use super::output;
use chrono::SecondsFormat;
use clap::Subcommand;
use rollcall_contract::claims::CollisionBody;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;

/// Names that only one may have
#[derive(Debug, Subcommand)]
pub enum Claims {
    /// Users whose names are one, because an older version told them apart by blanks or invisible
    /// marks at the ends; exit code 1 if there are some. Rename or delete one of each
    Collisions {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
}

/// Runs it.
pub async fn run(command: Claims, client: Client) -> anyhow::Result<Exit> {
    let Claims::Collisions { org } = command;
    let all: Vec<CollisionBody> =
        client.ask(&route::LIST_COLLISIONS.line(&OrganizationPath::of(org), &Nothing)?).await?;
    let found = !all.is_empty();
    if client.json {
        output::json(&all)?;
    } else {
        let rows = all.into_iter().flat_map(|collision| collision.users).map(|user| {
            let holds = if user.holds_name { "yes" } else { "no" };
            // Quoted and escaped, or nobody would see what is different.
            vec![
                format!("{:?}", user.user_name),
                user.user_id.to_string(),
                user.created_at.to_rfc3339_opts(SecondsFormat::Secs, true),
                holds.to_owned(),
            ]
        });
        output::table(&["USER NAME", "ID", "CREATED", "HOLDS THE NAME"], &rows.collect::<Vec<_>>());
    }
    Ok(if found { Exit::Difference } else { Exit::Success })
}
