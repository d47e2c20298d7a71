//! `rollcall runs`

use super::Exit;
use super::client::Client;
use super::output;
use crate::cells;
use crate::output::{Cell, Tone};
use crate::paging::{Listing, Paging};
use crate::say;
use anyhow::Context;
use clap::Subcommand;
use rollcall_contract::events::EventBody;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::provisioning_log::{
    ForgetImport, ForgottenBody, ImportedBody, MismatchBody, ReconciliationBody,
};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_contract::runs::{ChangeQuery, RhythmBody, RunBody, RunPath, RunQuery};
use std::path::PathBuf;
use uuid::Uuid;

/// Sync cycles, on-demand runs and connection tests
#[derive(Debug, Subcommand)]
pub enum Runs {
    /// List runs, newest first
    List {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Only this kind: initial, incremental, restart, on-demand, connection-test,
        /// account-discovery, other-client
        #[arg(long)]
        kind: Option<String>,
        /// Only those with failures
        #[arg(long)]
        failed: bool,
        /// Only those that changed something
        #[arg(long)]
        changed: bool,
        /// Only those that began before the exchange with this number
        #[arg(long, value_name = "NUMBER")]
        before: Option<u64>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one run: what it was, why that is believed, what happened in it
    Show {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The run's id
        run: Uuid,
    },
    /// List the events that a run caused
    Changes {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The run's id
        run: Uuid,
        /// Only events after this position
        #[arg(long, default_value_t = 0, value_name = "POSITION")]
        after: u64,
        #[command(flatten)]
        paging: Paging,
    },
    /// Import an export of Entra's own provisioning log, JSON or CSV; importing it again changes
    /// nothing
    ImportLog {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The export
        #[arg(long, value_name = "FILE", required_unless_present = "file")]
        input: Option<PathBuf>,
        /// As --input
        #[arg(value_name = "FILE", conflicts_with = "input", hide = true)]
        file: Option<PathBuf>,
    },
    /// Take back what was imported of Entra's own log, such as that of another application
    ForgetImport {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// All that was imported
        #[arg(long, conflicts_with = "cycles")]
        all: bool,
        /// Entra's ids of cycles
        #[arg(value_name = "CYCLE", required_unless_present = "all")]
        cycles: Vec<String>,
    },
    /// Compare what Entra's imported log says with what was recorded; exit code 1 if they differ
    Reconcile {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
    /// Show whether the cycles still come; exit code 1 if they do not come as they should
    Rhythm {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
}

/// Runs it.
pub async fn run(command: Runs, client: Client) -> anyhow::Result<Exit> {
    match command {
        Runs::List { org, kind, failed, changed, before, paging } => {
            let query = RunQuery { kind, failed, changed, before, ..RunQuery::default() };
            let path = OrganizationPath::of(org);
            let all: Listing<Vec<RunBody>> =
                paging.ask(&client, &route::LIST_RUNS, &path, &query, 20).await?;
            if client.json {
                output::json(&all.body)?;
            } else {
                let head = [
                    "BEGAN",
                    "TOOK",
                    "KIND",
                    "SURE",
                    "EXCHANGES",
                    "CHANGES",
                    "FAILED",
                    "RETRIED",
                    "USERS",
                    "GROUPS",
                    "RUN",
                ];
                output::table(&head, &all.body.iter().cloned().map(row).collect::<Vec<_>>());
            }
            all.more();
        }
        Runs::Show { org, run } => {
            let run: RunBody = client
                .ask(&route::SHOW_RUN.line(&RunPath { organization: org, run }, &Nothing)?)
                .await?;
            if client.json { output::json(&run)? } else { show(run) }
        }
        Runs::Changes { org, run, after, paging } => {
            let (path, query) = (
                RunPath { organization: org, run },
                ChangeQuery { after, ..ChangeQuery::default() },
            );
            let events: Listing<Vec<EventBody>> =
                paging.ask(&client, &route::LIST_RUN_CHANGES, &path, &query, 100).await?;
            if client.json {
                output::json(&events.body)?;
            } else {
                let row = |e: &EventBody| {
                    vec![
                        e.position.to_string(),
                        output::instant(e.recorded_at),
                        e.event_type.clone(),
                        e.subject_name.clone().unwrap_or_else(|| "-".to_owned()),
                        e.subject.to_string(),
                        e.payload.to_string(),
                    ]
                };
                output::table(
                    &["POSITION", "TIME", "EVENT", "NAME", "SUBJECT", "WHAT"],
                    &events.body.iter().map(row).collect::<Vec<_>>(),
                );
            }
            events.more();
        }
        Runs::ImportLog { org, input, file } => {
            let file = input.or(file).unwrap_or_default();
            let bytes =
                std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let line = route::IMPORT_PROVISIONING_LOG.line(&OrganizationPath::of(org), &Nothing)?;
            let imported: ImportedBody = client.upload(&line, bytes.into()).await?;
            if client.json {
                output::json(&imported)?;
            } else {
                let kept = match imported.positions {
                    Some((first, last)) => {
                        format!("what was new is kept at positions {first} to {last}")
                    }
                    None => "nothing of it was new".to_owned(),
                };
                say!(
                    "{} entries of {} cycles, {} of them about somebody known here; {kept}",
                    imported.entries,
                    imported.cycles,
                    imported.matched
                );
            }
        }
        Runs::ForgetImport { org, all, cycles } => {
            let line = route::FORGET_PROVISIONING_LOG.line(&OrganizationPath::of(org), &Nothing)?;
            let asked = ForgetImport { cycles: cycles.into_iter().collect(), all };
            let forgotten: ForgottenBody = client.tell(&line, &asked).await?;
            if client.json {
                output::json(&forgotten)?;
            } else {
                match forgotten.positions {
                    Some((_, last)) => say!("taken back at position {last}"),
                    None => say!("nothing was imported"),
                }
            }
        }
        Runs::Reconcile { org } => {
            let found: ReconciliationBody =
                client.ask(&route::RECONCILE.line(&OrganizationPath::of(org), &Nothing)?).await?;
            let equal = found.differences.is_empty()
                && found.unseen_cycles.is_empty()
                && found.unknown_runs.is_empty();
            if client.json {
                output::json(&found)?
            } else {
                reconciled(found)
            }
            return Ok(if equal { Exit::Success } else { Exit::Difference });
        }
        Runs::Rhythm { org } => {
            let rhythm: RhythmBody =
                client.ask(&route::SHOW_RHYTHM.line(&OrganizationPath::of(org), &Nothing)?).await?;
            let well = rhythm.state == "regular";
            if client.json {
                output::json(&rhythm)?;
            } else {
                let minutes = |s: Option<i64>| {
                    s.map_or_else(|| "-".to_owned(), |s| format!("{} min", s / 60))
                };
                output::pairs(&[
                    ("Cycles", rhythm.state),
                    (
                        "Last began",
                        rhythm.last_cycle_at.map_or_else(|| "-".to_owned(), output::instant),
                    ),
                    ("Ago", minutes(rhythm.age_seconds)),
                    ("Usual", minutes(rhythm.usual_seconds)),
                ]);
            }
            return Ok(if well { Exit::Success } else { Exit::Difference });
        }
    }
    Ok(Exit::Success)
}

fn reconciled(found: ReconciliationBody) {
    say!("{} cycles of Entra's log have a run here", found.cycles.len());
    if !found.unseen_cycles.is_empty() {
        say!(
            "{} cycles named no resource that a request was about: {}",
            found.unseen_cycles.len(),
            found.unseen_cycles.join(", ")
        );
    }
    if !found.unknown_runs.is_empty() {
        say!("\nRuns with changes of which Entra's log knows nothing");
        let head = [
            "BEGAN",
            "TOOK",
            "KIND",
            "SURE",
            "EXCHANGES",
            "CHANGES",
            "FAILED",
            "RETRIED",
            "USERS",
            "GROUPS",
            "RUN",
        ];
        output::table(&head, &found.unknown_runs.into_iter().map(row).collect::<Vec<_>>());
    }
    if found.differences.is_empty() {
        return say!("\nBoth tell the same of every change");
    }
    say!("\nDifferences");
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let row = |d: MismatchBody| {
        let at = d.at.map(output::instant);
        vec![
            text(at),
            d.difference,
            text(d.subject),
            text(d.action),
            text(d.exchange.map(|x| x.to_string())),
            d.meaning,
        ]
    };
    output::table(
        &["TIME", "DIFFERENCE", "SUBJECT", "ENTRA DID", "EXCHANGE", "MEANING"],
        &found.differences.into_iter().map(row).collect::<Vec<_>>(),
    );
}

fn took(seconds: f64) -> String {
    match seconds {
        s if s < 60.0 => format!("{s:.1} s"),
        s => format!("{:.0} min {:02.0} s", (s / 60.0).floor(), s % 60.0),
    }
}

fn row(run: RunBody) -> Vec<Cell> {
    let kind = if run.state == "open" { format!("{} (open)", run.kind) } else { run.kind };
    let number = |n: u64| if n == 0 { "-".to_owned() } else { n.to_string() };
    let (users, groups) = (number(run.users), number(run.groups));
    let failures = if run.failures == 0 { Tone::Faint } else { Tone::Bad };
    cells![
        output::instant(run.began_at),
        took(run.seconds),
        kind,
        run.confidence,
        number(run.exchanges),
        number(run.changes),
        Cell::toned(failures, number(run.failures)),
        number(run.retries),
        users,
        groups,
        run.run.to_string(),
    ]
}

fn show(run: RunBody) {
    let operations: Vec<String> =
        run.operations.iter().map(|(name, n)| format!("{n} {name}")).collect();
    let since =
        run.since_previous_seconds.map_or_else(|| "-".to_owned(), |s| format!("{} min", s / 60));
    output::pairs(&[
        ("Run", run.run.to_string()),
        ("Kind", format!("{} ({} confidence)", run.kind, run.confidence)),
        ("State", run.state),
        ("Began", output::instant(run.began_at)),
        ("Took", took(run.seconds)),
        ("Since the last cycle", since),
        ("Missed cycles", run.missed.unwrap_or(0).to_string()),
        ("Exchanges", format!("{}: {}", run.exchanges, operations.join(", "))),
        ("Changes", format!("{} exchanges, {} events", run.changes, run.events)),
        ("Failed", run.failures.to_string()),
        ("Retried", run.retries.to_string()),
        (
            "Subjects",
            format!("{} users, {} groups; {} written to", run.users, run.groups, run.written),
        ),
        ("Token", run.token.to_string()),
        ("Sources", run.sources.join(", ")),
    ]);
    say!("\nBecause");
    for sentence in run.evidence {
        say!("- {sentence}");
    }
}
