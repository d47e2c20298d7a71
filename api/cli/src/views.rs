//! `rollcall views`

use super::Exit;
use super::client::Client;
use super::output;
use crate::cells;
use crate::output::{Cell, Tone};
use crate::say;
use clap::{Subcommand, ValueEnum};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_contract::views::{RebuildQuery, RebuiltBody, VerifiedBody, ViewBody, ViewFamily};
use uuid::Uuid;

/// Read models
#[derive(Debug, Subcommand)]
pub enum Views {
    /// How far the views are, and whether one has stopped
    Status,
    /// Rebuild views from the log, beside those in use, and switch
    Rebuild {
        /// Only this family: what answers SCIM, or what answers auditors
        #[arg(long, value_name = "FAMILY")]
        family: Option<Family>,
    },
    /// Rebuild in a scratch copy and compare row by row; exit code 1 if they differ
    Verify,
    /// Try again to fold the record at which an organization's views have stopped
    Resume {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
}

/// A family of views, as `--family` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Family {
    /// What answers SCIM.
    Live,
    /// What answers auditors.
    Audit,
}

impl From<Family> for ViewFamily {
    fn from(family: Family) -> Self {
        match family {
            Family::Live => ViewFamily::Live,
            Family::Audit => ViewFamily::Audit,
        }
    }
}

/// What was compared besides rows, and how far the views stood.
fn told(found: &VerifiedBody) {
    say!(
        "{} claims are compared with the records; {} exchanges are read",
        found.claims,
        found.exchanges
    );
    for view in &found.families {
        let at = |done: u64, head: u64| format!("{done} of {head}");
        let records = at(view.position, view.head);
        let exchanges = at(view.exchange_number, view.exchange_head);
        let (whose, family) = (view.organization_id, &view.family);
        say!("{whose} {family}: records {records}, exchanges {exchanges}");
    }
    for view in &found.not_compared {
        let (whose, family, stop) = (view.organization_id, &view.family, &view.stopped);
        say!("{whose} {family}: not compared, position {}: {}", stop.position, stop.error);
    }
    for claim in &found.claim_differences {
        let name = |id: Option<Uuid>| id.map_or_else(|| "nobody".to_owned(), |id| id.to_string());
        let (held, expected) = (name(claim.held_by), name(claim.expected));
        say!("{} {}: held by {held}, should be by {expected}", claim.organization_id, claim.kind);
    }
    for hole in &found.exchange_holes {
        say!("{}: exchange {} is missing or cannot be read", hole.organization_id, hole.number);
    }
}

/// Runs it.
pub async fn run(command: Views, client: Client) -> anyhow::Result<Exit> {
    match command {
        Views::Status => {
            let all: Vec<ViewBody> =
                client.ask(&route::SHOW_VIEWS.line(&Nothing, &Nothing)?).await?;
            let stopped = all.iter().any(|v| v.stopped.is_some());
            if client.json {
                output::json(&all)?;
            } else {
                let row = |v: ViewBody| {
                    let state = v.stopped.map_or_else(
                        || Cell::state("ok"),
                        |s| {
                            let text = format!("STOPPED at {}: {}", s.position, s.error);
                            Cell::toned(Tone::Bad, text)
                        },
                    );
                    let at = |done: u64, head: u64| format!("{done}/{head}");
                    cells![
                        v.organization_id.to_string(),
                        v.family,
                        at(v.position, v.head),
                        at(v.exchange_number, v.exchange_head),
                        state,
                    ]
                };
                output::table(
                    &["ORGANIZATION", "FAMILY", "RECORDS", "EXCHANGES", "STATE"],
                    &all.into_iter().map(row).collect::<Vec<_>>(),
                );
            }
            return Ok(if stopped { Exit::Difference } else { Exit::Success });
        }
        Views::Rebuild { family } => {
            let query = RebuildQuery { family: family.map(ViewFamily::from) };
            let done: Vec<RebuiltBody> =
                client.ask(&route::REBUILD_VIEWS.line(&Nothing, &query)?).await?;
            if client.json {
                output::json(&done)?;
            } else {
                for d in &done {
                    say!(
                        "{}: {} records and {} exchanges folded in {:.2} s",
                        d.family,
                        d.records,
                        d.exchanges,
                        d.seconds
                    );
                }
            }
            return Ok(if done.iter().all(|d| d.stopped.is_empty()) {
                Exit::Success
            } else {
                Exit::Difference
            });
        }
        Views::Verify => {
            let found: VerifiedBody =
                client.ask(&route::VERIFY_VIEWS.line(&Nothing, &Nothing)?).await?;
            if client.json {
                output::json(&found)?;
            } else if found.equal {
                say!("{} rows are as a rebuild makes them", found.rows);
                told(&found);
            } else {
                told(&found);
                say!("{} of {} rows differ; the first:", found.differences, found.rows);
                for d in &found.shown {
                    say!(
                        "{} {}\n  live     {:?}\n  rebuilt  {:?}",
                        d.table,
                        d.key.join(" "),
                        d.live,
                        d.rebuilt
                    );
                }
            }
            return Ok(if found.equal { Exit::Success } else { Exit::Difference });
        }
        Views::Resume { org } => {
            client.act(&route::RESUME_VIEWS.line(&OrganizationPath::of(org), &Nothing)?).await?
        }
    }
    Ok(Exit::Success)
}
