//! `rollcall events`

use super::Exit;
use super::client::Client;
use super::output;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use rollcall_office::audit::{EventBody, EventDetail, Format};
use std::path::PathBuf;
use std::time::Duration;
use uuid::Uuid;

/// What happened
#[derive(Debug, Subcommand)]
pub enum Events {
    /// List events in the order in which they were committed
    List {
        #[command(flatten)]
        which: Which,
        /// At most so many
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: usize,
    },
    /// Show an event: the user or group before and after it, and the exchange that led to it
    Show {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The event's position
        position: u64,
    },
    /// Print events as they are committed, one JSON object a line
    Follow {
        #[command(flatten)]
        which: Which,
        /// End after so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Export all events that match; any number
    Export {
        #[command(flatten)]
        which: Which,
        /// How they are written
        #[arg(long, value_enum, default_value = "ndjson")]
        format: Format,
        /// The file to write; standard output if absent
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Which events.
#[derive(Clone, Debug, Args)]
pub struct Which {
    /// The organization's slug
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Only events after this position
    #[arg(long, default_value_t = 0, value_name = "POSITION")]
    after: u64,
    /// Only events of this user, group or organization
    #[arg(long, value_name = "ID")]
    subject: Option<Uuid>,
    /// Only events of this type, such as UserCreated
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only events by this actor: operator, system, scim_token:ID, user:ID
    #[arg(long)]
    actor: Option<String>,
    /// Only events that this exchange caused
    #[arg(long, value_name = "ID")]
    exchange: Option<Uuid>,
    /// Only events that the exchanges of this run caused
    #[arg(long, value_name = "ID")]
    run: Option<Uuid>,
    /// Only events recorded at this instant or later, such as 2026-11-24T08:00:00Z
    #[arg(long, value_name = "INSTANT")]
    from: Option<DateTime<Utc>>,
    /// Only events recorded at this instant or earlier
    #[arg(long, value_name = "INSTANT")]
    to: Option<DateTime<Utc>>,
}

impl Which {
    fn path(&self, rest: &str, after: u64, more: &[(&str, String)]) -> String {
        let mut query = vec![("after", after.to_string())];
        let text = |name, value: Option<String>| value.map(|value| (name, value));
        let instant = |at: DateTime<Utc>| at.to_rfc3339();
        query.extend(text("subject", self.subject.map(|id| id.to_string())));
        query.extend(text("type", self.event_type.clone()));
        query.extend(text("actor", self.actor.clone()));
        query.extend(text("exchange", self.exchange.map(|id| id.to_string())));
        query.extend(text("run", self.run.map(|id| id.to_string())));
        query.extend(text("from", self.from.map(instant)));
        query.extend(text("to", self.to.map(instant)));
        query.extend(more.iter().cloned());
        output::path(&format!("/organizations/{}/events{rest}", self.org), &query)
    }
}

/// Runs it.
pub async fn run(command: Events, client: Client) -> anyhow::Result<Exit> {
    match command {
        Events::List { which, limit } => {
            let events: Vec<EventBody> = client.get(&which.path("", which.after, &[("limit", limit.to_string())])).await?;
            if client.json { output::json(&events)? } else { print(events) }
        }
        Events::Show { org, position } => {
            let event: EventDetail = client.get(&format!("/organizations/{org}/events/{position}")).await?;
            output::json(&event)?;
        }
        Events::Follow { which, limit } => follow(&client, &which, limit).await?,
        Events::Export { which, format, output } => {
            let path = which.path("/export", which.after, &[("format", format.as_str().to_owned())]);
            client.download(&path, output.as_deref()).await?;
        }
    }
    Ok(Exit::Success)
}

/// How long to wait where nothing is new.
const PAUSE: Duration = Duration::from_secs(1);

async fn follow(client: &Client, which: &Which, limit: Option<usize>) -> anyhow::Result<()> {
    let (mut after, mut left) = (which.after, limit.unwrap_or(usize::MAX));
    while left > 0 {
        let page = left.min(1_000).to_string();
        let events: Vec<EventBody> = client.get(&which.path("", after, &[("limit", page)])).await?;
        if events.is_empty() {
            tokio::time::sleep(PAUSE).await;
        }
        left -= events.len().min(left);
        for event in events {
            after = event.position;
            println!("{}", serde_json::to_string(&event)?);
        }
    }
    Ok(())
}

fn print(events: Vec<EventBody>) {
    let row = |e: EventBody| {
        let actor = e.actor["kind"].as_str().unwrap_or_default().to_owned();
        vec![e.position.to_string(), e.recorded_at.to_rfc3339(), e.event_type, e.subject.to_string(), actor, e.payload.to_string()]
    };
    output::table(&["POSITION", "TIME", "EVENT", "SUBJECT", "ACTOR", "WHAT"], &events.into_iter().map(row).collect::<Vec<_>>());
}
