//! `rollcall exchanges`

use super::Exit;
use super::client::Client;
use super::output;
use crate::cells;
use crate::exit::Misused;
use crate::output::{Cell, Tone};
use crate::paging::{Listing, Paging};
use crate::who;
use anyhow::Context as _;
use clap::Subcommand;
use rollcall_contract::exchanges::{ExchangeBody, ExchangePath, ExchangeQuery, ExchangeSummary};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use uuid::Uuid;

/// What was asked and answered
#[derive(Debug, Subcommand)]
pub enum Exchanges {
    /// List exchanges, newest first
    List {
        /// The organization's slug; `none` for requests whose token named none
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Only those answered with an error
        #[arg(long)]
        failed: bool,
        /// Only those with a PATCH shape that is not known
        #[arg(long)]
        unknown_shape: bool,
        /// Only this operation, such as users.patch
        #[arg(long)]
        operation: Option<String>,
        /// Only those about this user or group
        #[arg(long, value_name = "ID|NAME")]
        subject: Option<String>,
        /// Only those of this run
        #[arg(long, value_name = "ID")]
        run: Option<Uuid>,
        /// Those of strangers, which lie beside the log while they last; so it is for none
        #[arg(long)]
        strangers: bool,
        /// Oldest first, after this number
        #[arg(long, value_name = "NUMBER")]
        after: Option<u64>,
        /// Newest first, before this number
        #[arg(long, value_name = "NUMBER", conflicts_with = "after")]
        before: Option<u64>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one exchange with everything that was kept of it
    Show {
        /// The organization's slug; `none` for requests whose token named none
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// The exchange's id, or its number
        #[arg(value_name = "ID|NUMBER")]
        exchange: String,
    },
}

/// Runs it.
pub async fn run(command: Exchanges, client: Client) -> anyhow::Result<Exit> {
    match command {
        Exchanges::List {
            org,
            failed,
            unknown_shape,
            operation,
            subject,
            run,
            strangers,
            after,
            before,
            paging,
        } => {
            let subject = who::subject(&client, &org, subject.as_deref()).await?;
            let subject = subject.map(|id| id.to_string());
            let query = ExchangeQuery {
                after,
                before,
                failed,
                unknown_shape,
                operation,
                subject,
                run,
                strangers: strangers.then_some(true),
                ..ExchangeQuery::default()
            };
            let path = OrganizationPath::of(org);
            let all: Listing<Vec<ExchangeSummary>> =
                paging.ask(&client, &route::LIST_EXCHANGES, &path, &query, 50).await?;
            if client.json {
                output::json(&all.body)?;
            } else {
                output::table(
                    &["NUMBER", "TIME", "OPERATION", "STATUS", "MS", "EVENTS", "READ AS", "ID"],
                    &all.body.iter().cloned().map(row).collect::<Vec<_>>(),
                );
            }
            all.more();
        }
        Exchanges::Show { org, exchange } => {
            let exchange = id(&client, &org, &exchange).await?;
            let path = ExchangePath { organization: org, exchange };
            let body: ExchangeBody =
                client.ask(&route::SHOW_EXCHANGE.line(&path, &Nothing)?).await?;
            output::json(&body)?;
        }
    }
    Ok(Exit::Success)
}

/// The id of an exchange that may be called by its number.
async fn id(client: &Client, org: &str, called: &str) -> anyhow::Result<Uuid> {
    if let Ok(id) = called.parse() {
        return Ok(id);
    }
    let none = || Misused(format!("{called:?} is no id of an exchange, and no number of one"));
    let number: u64 = called.parse().map_err(|_| none())?;
    let before = Some(number.checked_add(1).ok_or_else(none)?);
    let query = ExchangeQuery { before, limit: Some(1), ..ExchangeQuery::default() };
    let line = route::LIST_EXCHANGES.line(&OrganizationPath::of(org), &query)?;
    let found: Vec<ExchangeSummary> = client.ask(&line).await?;
    let found = found.into_iter().find(|exchange| exchange.number == number);
    Ok(found.with_context(|| format!("there is no exchange {number} here"))?.id)
}

fn row(x: ExchangeSummary) -> Vec<Cell> {
    let events = match (x.first_position, x.last_position) {
        (Some(first), Some(last)) if first == last => first.to_string(),
        (Some(first), Some(last)) => format!("{first}-{last}"),
        _ => "-".to_owned(),
    };
    let readings: Vec<&str> = x
        .interpretations
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|i| i["reading"].as_str())
        .collect();
    let error = x.scim_type.map(|t| format!(" {t}")).unwrap_or_default();
    let millis = format!("{:.1}", x.duration_us as f64 / 1_000.0);
    let time = output::instant(x.received_at);
    cells![
        x.number.to_string(),
        time,
        x.operation,
        Cell::toned(Tone::of_status(x.status), format!("{}{error}", x.status)),
        millis,
        events,
        readings.join(","),
        x.id.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use serde_json::json;

    #[test]
    fn a_row_names_positions_and_readings() {
        let interpretations = json!([{ "reading": "string-boolean", "at": "active" }]);
        let summary = ExchangeSummary {
            number: 3,
            id: Uuid::nil(),
            received_at: DateTime::UNIX_EPOCH,
            operation: "users.patch".into(),
            method: "PATCH".into(),
            target: "/x".into(),
            status: 200,
            scim_type: None,
            detail: None,
            subject: None,
            token: None,
            source: None,
            duration_us: 1_500,
            first_position: Some(4),
            last_position: Some(5),
            interpretations,
            unknown_shape: false,
            parent: None,
            replays: None,
        };
        let row = row(summary);
        let told: Vec<&str> = row[3..7].iter().map(|cell| cell.text.as_str()).collect();
        assert_eq!(told, ["200", "1.5", "4-5", "string-boolean"]);
    }
}
