//! `rollcall failures`

use super::Exit;
use super::client::Client;
use super::output;
use crate::cells;
use crate::output::{Cell, Tone};
use crate::paging::{Listing, Paging};
use crate::who;
use clap::Subcommand;
use rollcall_contract::failures::{FailureBody, FailurePath, FailureQuery};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use uuid::Uuid;

/// What went wrong and is not yet right
#[derive(Debug, Subcommand)]
pub enum Failures {
    /// List failures by subject and cause, those last met first
    List {
        /// The organization's slug; `none` for requests whose token named none
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Also those that are cured
        #[arg(long)]
        cured: bool,
        /// Only of this cause, such as name-taken
        #[arg(long)]
        cause: Option<String>,
        /// Only about this user or group
        #[arg(long, value_name = "ID|NAME")]
        subject: Option<String>,
        /// Only those last met before this exchange number
        #[arg(long, value_name = "NUMBER")]
        before: Option<u64>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one failure, and what to do about it
    Show {
        /// The organization's slug; `none` for requests whose token named none
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The failure's id: the first exchange that met it
        failure: Uuid,
    },
}

/// Runs it.
pub async fn run(command: Failures, client: Client) -> anyhow::Result<Exit> {
    match command {
        Failures::List { org, cured, cause, subject, before, paging } => {
            let subject = who::subject(&client, &org, subject.as_deref()).await?;
            let query = FailureQuery { cured, cause, subject, before, ..FailureQuery::default() };
            let path = OrganizationPath::of(org);
            let all: Listing<Vec<FailureBody>> =
                paging.ask(&client, &route::LIST_FAILURES, &path, &query, 50).await?;
            if client.json {
                output::json(&all.body)?;
            } else {
                let head = ["LAST", "TIMES", "CAUSE", "OPERATION", "SUBJECT", "STATE", "ID"];
                output::table(&head, &all.body.iter().cloned().map(row).collect::<Vec<_>>());
            }
            all.more();
        }
        Failures::Show { org, failure } => {
            let path = FailurePath { organization: org, failure };
            let found: FailureBody =
                client.ask(&route::SHOW_FAILURE.line(&path, &Nothing)?).await?;
            if client.json {
                output::json(&found)?;
            } else {
                show(found);
            }
        }
    }
    Ok(Exit::Success)
}

fn row(f: FailureBody) -> Vec<Cell> {
    let subject = f.subject.map_or_else(|| "-".to_owned(), |s| s.to_string());
    let state = match f.access {
        Some(_) => Cell::toned(Tone::Bad, format!("{} (access left)", f.state)),
        None => Cell::state(f.state),
    };
    cells![
        output::instant(f.last_at),
        f.count.to_string(),
        f.cause,
        f.operation,
        subject,
        state,
        f.id.to_string(),
    ]
}

fn show(f: FailureBody) {
    let optional = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let cured = match (f.cured_by, f.cured_at) {
        (Some(by), Some(at)) => format!("by exchange {by} at {}", output::instant(at)),
        (None, Some(at)) => format!("at {}", output::instant(at)),
        _ => "not yet".to_owned(),
    };
    output::pairs(&[
        ("Cause", f.cause),
        ("What happened", f.explanation),
        ("Access", optional(f.access)),
        ("Next step", f.next_step),
        ("Where", f.next_step_in),
        ("Operation", f.operation),
        ("Subject", optional(f.subject.map(|s| s.to_string()))),
        ("Answer", format!("{} {}", f.status, optional(f.scim_type))),
        ("Message", optional(f.detail)),
        (
            "Times",
            format!(
                "{} from {} to {}",
                f.count,
                output::instant(f.first_at),
                output::instant(f.last_at)
            ),
        ),
        ("Last exchange", f.last_exchange.to_string()),
        ("Cured", cured),
    ]);
}
