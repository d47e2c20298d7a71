//! `rollcall events`

use super::Exit;
use super::client::Client;
use super::output;
use crate::audit::EventBody;
use clap::Subcommand;

/// What happened
#[derive(Debug, Subcommand)]
pub enum Events {
    /// List events in the order in which they were committed
    List {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Only events after this position
        #[arg(long, default_value_t = 0, value_name = "POSITION")]
        after: u64,
        /// At most so many
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: usize,
    },
}

/// Runs it.
pub async fn run(command: Events, client: Client) -> anyhow::Result<Exit> {
    let Events::List { org, after, limit } = command;
    let events: Vec<EventBody> = client.get(&format!("/organizations/{org}/events?after={after}&limit={limit}")).await?;
    if client.json {
        output::json(&events)?;
    } else {
        let row = |e: EventBody| {
            let actor = e.actor["kind"].as_str().unwrap_or_default().to_owned();
            vec![e.position.to_string(), e.recorded_at.to_rfc3339(), e.event_type, e.subject.to_string(), actor, e.payload.to_string()]
        };
        output::table(&["POSITION", "TIME", "EVENT", "SUBJECT", "ACTOR", "WHAT"], &events.into_iter().map(row).collect::<Vec<_>>());
    }
    Ok(Exit::Success)
}
