//! `rollcall events`

use super::Exit;
use super::client::Client;
use super::format::Format;
use super::output;
use super::part::{Part, check_free};
use crate::paging::{Listing, Paging};
use crate::who;
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::{Args, Subcommand};
use rollcall_contract::events::{EventBody, EventDetail, EventPath, EventQuery};
use rollcall_contract::ledger::CHECKPOINT;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::{Nothing, RequestLine};
use rollcall_contract::route;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use uuid::Uuid;

/// What happened
#[derive(Debug, Subcommand)]
pub enum Events {
    /// List events in the order in which they were committed
    List {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        paging: Paging,
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
        /// How they are written: ndjson, if absent; json with --json
        #[arg(long, value_enum)]
        format: Option<Format>,
        /// The file to make; it must not exist. Beside it FILE.checkpoint is made: the ledger as it
        /// was, signed, to hold the log against it later. Standard output if absent, and no checkpoint
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
    #[arg(long, value_name = "ID|NAME")]
    subject: Option<String>,
    /// Only events of this type, such as UserCreated
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only events by this actor: operator, named_operator:ID, admin:ID, auditor:ID, system,
    /// scim_token:ID, user:ID
    #[arg(long)]
    actor: Option<String>,
    /// Only events that this exchange caused
    #[arg(long, value_name = "ID")]
    exchange: Option<Uuid>,
    /// Only events that the exchanges of this run caused
    #[arg(long, value_name = "ID")]
    run: Option<Uuid>,
    /// Only events from this moment on: 2026-11-24, 2026-11-24T08:00:00Z, position:N, run:ID, -2d
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    from: Option<String>,
    /// Only events up to this moment
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    to: Option<String>,
}

impl Which {
    fn path(&self) -> OrganizationPath {
        OrganizationPath::of(&self.org)
    }

    async fn query(&self, client: &Client) -> anyhow::Result<EventQuery> {
        Ok(EventQuery {
            after: self.after,
            subject: who::subject(client, &self.org, self.subject.as_deref()).await?,
            event_type: self.event_type.clone(),
            actor: self.actor.clone(),
            exchange: self.exchange,
            run: self.run,
            from: self.from.clone(),
            to: self.to.clone(),
            ..EventQuery::default()
        })
    }
}

/// Runs it.
pub async fn run(command: Events, client: Client) -> anyhow::Result<Exit> {
    match command {
        Events::List { which, paging } => {
            let (path, query) = (which.path(), which.query(&client).await?);
            let events: Listing<Vec<EventBody>> =
                paging.ask(&client, &route::LIST_EVENTS, &path, &query, 100).await?;
            if client.json {
                output::json(&events.body)?
            } else {
                print(&events.body)
            }
            events.more();
        }
        Events::Show { org, position } => {
            let path = EventPath { organization: org, position };
            let event: EventDetail = client.ask(&route::SHOW_EVENT.line(&path, &Nothing)?).await?;
            output::json(&event)?;
        }
        Events::Follow { which, limit } => follow(&client, &which, limit).await?,
        Events::Export { which, format, output } => {
            let format = Format::of(format, Format::Ndjson, &client, output.as_deref())?;
            let query = EventQuery { format: format.into(), ..which.query(&client).await? };
            let line = route::EXPORT_EVENTS.line(&which.path(), &query)?;
            match output {
                Some(output) => with_checkpoint(&client, &line, &output).await?,
                None => client.download(&line, None).await?,
            }
        }
    }
    Ok(Exit::Success)
}

/// Writes an export, and the checkpoint that came with it.
async fn with_checkpoint(client: &Client, line: &RequestLine, to: &Path) -> anyhow::Result<()> {
    let mut beside = to.to_owned().into_os_string();
    beside.push(".checkpoint");
    let beside = PathBuf::from(beside);
    check_free(to)?;
    check_free(&beside)?;
    let answer = client.send(line).await?;
    let note = answer.headers().get(CHECKPOINT).map(|note| BASE64.decode(note));
    let note = note.context("the server sent no checkpoint: it is of an older version")?;
    let note = note.context("the checkpoint that the server sent cannot be read")?;
    Part::download(to, answer).await?.finish()?;
    let (part, mut file) = Part::begin(&beside)?;
    let cannot = || format!("cannot write {}", beside.display());
    file.write_all(&note).with_context(cannot)?;
    let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all().with_context(cannot)?;
    part.finish()
}

/// How long to wait where nothing is new.
const PAUSE: Duration = Duration::from_secs(1);

async fn follow(client: &Client, which: &Which, limit: Option<usize>) -> anyhow::Result<()> {
    let (path, mut query) = (which.path(), which.query(client).await?);
    let mut left = limit.unwrap_or(usize::MAX);
    while left > 0 && !output::closed() {
        query.limit = Some(left.min(1_000));
        let events: Vec<EventBody> = client.ask(&route::LIST_EVENTS.line(&path, &query)?).await?;
        if events.is_empty() {
            tokio::time::sleep(PAUSE).await;
        }
        left -= events.len().min(left);
        for event in events {
            query.after = event.position;
            output::json_line(&event)?;
        }
    }
    Ok(())
}

fn print(events: &[EventBody]) {
    let row = |e: &EventBody| {
        let text = |name: &str| e.actor[name].as_str();
        let actor = text("name").or(text("kind")).unwrap_or_default().to_owned();
        vec![
            e.position.to_string(),
            output::instant(e.recorded_at),
            e.event_type.clone(),
            e.subject.to_string(),
            actor,
            e.payload.to_string(),
        ]
    };
    output::table(
        &["POSITION", "TIME", "EVENT", "SUBJECT", "ACTOR", "WHAT"],
        &events.iter().map(row).collect::<Vec<_>>(),
    );
}
