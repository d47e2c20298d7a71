//! `rollcall consumer parked`

use super::Exit;
use super::client::Client;
use super::one_consumer::One;
use super::output;
use crate::cells;
use crate::paging::{Listing, Paging};
use crate::say;
use clap::Subcommand;
use rollcall_contract::parked::{
    Handled, HandledBody, ParkedBody, ParkedPath, ParkedQuery, TriedBody, TryParked,
};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;

/// Deliveries that failed for long and were set aside, and those behind them
#[derive(Debug, Subcommand)]
pub enum Parked {
    /// List them, in the order of the log
    List {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one
    Show {
        #[command(flatten)]
        one: One,
        /// The delivery, as the list names it
        delivery: String,
    },
    /// Try them again within a few seconds, each after those of its subject before it
    Redeliver {
        #[command(flatten)]
        one: One,
        /// Those from this position on
        #[arg(long, value_name = "POSITION", required_unless_present = "all")]
        from: Option<u64>,
        /// Those up to this position; that of --from if absent
        #[arg(long, value_name = "POSITION", requires = "from")]
        to: Option<u64>,
        /// All of them
        #[arg(long, conflicts_with_all = ["from", "to"])]
        all: bool,
    },
    /// Note that somebody has seen to one: it is not made, and what waits behind it is
    Handled {
        #[command(flatten)]
        one: One,
        /// The delivery, as the list names it
        delivery: String,
        /// What was done instead; it is kept in the log
        #[arg(long, value_name = "WORDS")]
        because: String,
    },
}

/// Runs it.
pub async fn run(command: Parked, client: Client) -> anyhow::Result<Exit> {
    match command {
        Parked::List { one, paging } => {
            let (path, query) = (one.path(), ParkedQuery::default());
            let all: Listing<Vec<ParkedBody>> =
                paging.ask(&client, &route::LIST_PARKED, &path, &query, 50).await?;
            if client.json {
                output::json(&all.body)?;
            } else {
                table(&all.body);
            }
            all.more();
        }
        Parked::Show { one, delivery } => {
            let line = route::SHOW_PARKED.line(&of(one, delivery), &Nothing)?;
            let shown: ParkedBody = client.ask(&line).await?;
            if client.json {
                output::json(&shown)?;
            } else {
                show(shown);
            }
        }
        Parked::Redeliver { one, from, to, all } => {
            let to = if all { None } else { to.or(from) };
            let line = route::REDELIVER_PARKED.line(&one.path(), &Nothing)?;
            let tried: TriedBody = client.tell(&line, &TryParked { from, to }).await?;
            if client.json {
                output::json(&tried)?;
            } else {
                say!("{} are tried now, {} after those.", tried.now, tried.behind);
            }
        }
        Parked::Handled { one, delivery, because } => {
            let line = route::HANDLE_PARKED.line(&of(one, delivery), &Nothing)?;
            let handled: HandledBody = client.tell(&line, &Handled { because }).await?;
            if client.json {
                output::json(&handled)?;
            }
        }
    }
    Ok(Exit::Success)
}

fn of(one: One, delivery: String) -> ParkedPath {
    let path = one.path();
    ParkedPath { organization: path.organization, consumer: path.consumer, delivery }
}

fn table(all: &[ParkedBody]) {
    let row = |p: &ParkedBody| {
        let (why, next) = (p.outcome.clone().unwrap_or_default(), output::maybe(p.next_attempt_at));
        let attempts = p.attempts.to_string();
        cells![p.delivery.clone(), p.event_type.clone(), p.subject.clone(), attempts, why, next]
    };
    output::table(
        &["DELIVERY", "TYPE", "SUBJECT", "ATTEMPTS", "OUTCOME", "NEXT ATTEMPT"],
        &all.iter().map(row).collect::<Vec<_>>(),
    );
}

fn show(p: ParkedBody) {
    output::pairs(&[
        ("Delivery", p.delivery),
        ("Event", p.event),
        ("Type", p.event_type),
        ("Subject", p.subject),
        ("Set aside", output::maybe(Some(p.parked_at))),
        ("Attempts", p.attempts.to_string()),
        ("Last tried", output::maybe(p.tried_at)),
        ("Outcome", p.outcome.unwrap_or_else(|| "-".to_owned())),
        ("Next attempt", output::maybe(p.next_attempt_at)),
    ]);
}
