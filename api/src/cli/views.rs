//! `rollcall views`

use super::Exit;
use super::client::Client;
use super::output;
use crate::admin::{RebuiltBody, VerifiedBody, ViewBody};
use clap::Subcommand;
use reqwest::Method;

/// Read models
#[derive(Debug, Subcommand)]
pub enum Views {
    /// How far the views are, and whether one has stopped
    Status,
    /// Rebuild all views from the log, beside the live ones, and switch
    Rebuild,
    /// Rebuild in a scratch copy and compare row by row; exit code 1 if they differ
    Verify,
    /// Try again to fold the record at which an organization's views have stopped
    Resume {
        /// The organization's slug
        #[arg(long, value_name = "SLUG")]
        org: String,
    },
}

/// Runs it.
pub async fn run(command: Views, client: Client) -> anyhow::Result<Exit> {
    match command {
        Views::Status => {
            let all: Vec<ViewBody> = client.get("/views").await?;
            let stopped = all.iter().any(|v| v.stopped.is_some());
            if client.json {
                output::json(&all)?;
            } else {
                let row = |v: ViewBody| {
                    let state = v.stopped.map_or_else(|| "ok".to_owned(), |s| format!("STOPPED at {}: {}", s.position, s.error));
                    let at = |done: u64, head: u64| format!("{done}/{head}");
                    vec![v.organization_id.to_string(), at(v.position, v.head), at(v.exchange_number, v.exchange_head), state]
                };
                output::table(&["ORGANIZATION", "RECORDS", "EXCHANGES", "STATE"], &all.into_iter().map(row).collect::<Vec<_>>());
            }
            return Ok(if stopped { Exit::Difference } else { Exit::Success });
        }
        Views::Rebuild => {
            let done: RebuiltBody = client.request(Method::POST, "/views/rebuild", None::<&()>).await?;
            if client.json {
                output::json(&done)?;
            } else {
                println!("{} records and {} exchanges folded in {:.2} s", done.records, done.exchanges, done.seconds);
            }
            return Ok(if done.stopped.is_empty() { Exit::Success } else { Exit::Difference });
        }
        Views::Verify => {
            let found: VerifiedBody = client.request(Method::POST, "/views/verify", None::<&()>).await?;
            if client.json {
                output::json(&found)?;
            } else if found.equal {
                println!("{} rows are as a rebuild makes them", found.rows);
            } else {
                println!("{} of {} rows differ; the first:", found.differences, found.rows);
                for d in &found.shown {
                    println!("{} {}\n  live     {:?}\n  rebuilt  {:?}", d.table, d.key.join(" "), d.live, d.rebuilt);
                }
            }
            return Ok(if found.equal { Exit::Success } else { Exit::Difference });
        }
        Views::Resume { org } => client.act(Method::POST, &format!("/organizations/{org}/views/resume")).await?,
    }
    Ok(Exit::Success)
}
