//! `rollcall diff`

use super::Exit;
use super::client::Client;
use super::output;
use clap::{Args, ValueEnum};
use rollcall_contract::difference::{DifferenceBody, DifferenceQuery};
use rollcall_contract::format::Format;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::route;
use std::path::PathBuf;
use uuid::Uuid;

/// Show what is different between two moments: who was created, joined, left, was disabled...
#[derive(Debug, Args)]
pub struct Diff {
    /// The organization's slug
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// The earlier moment: 2026-11-24, 2026-11-24T08:00:00Z, position:N, run:ID or -2d
    #[arg(
        long,
        value_name = "MOMENT",
        allow_hyphen_values = true,
        required_unless_present = "run"
    )]
    from: Option<String>,
    /// The later one; now, if absent
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    to: Option<String>,
    /// What this run changed, in place of two moments
    #[arg(long, value_name = "ID", conflicts_with_all = ["from", "to"])]
    run: Option<Uuid>,
    /// How it is written
    #[arg(long, value_enum, default_value = "table")]
    format: Shape,
    /// The file to make; it must not exist. Standard output if absent
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How a difference is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// For people
    Table,
    /// One JSON array
    Json,
    /// One JSON object a line
    Ndjson,
    /// Comma-separated values, safe to open in a spreadsheet
    Csv,
}

/// Runs it.
pub async fn run(command: Diff, client: Client) -> anyhow::Result<Exit> {
    let for_people = command.format == Shape::Table && !client.json && command.output.is_none();
    let format = match command.format {
        Shape::Table | Shape::Json => Format::Json,
        Shape::Ndjson => Format::Ndjson,
        Shape::Csv => Format::Csv,
    };
    let query = DifferenceQuery { from: command.from, to: command.to, run: command.run, format };
    let line = route::DIFFERENCE.line(&OrganizationPath::of(command.org), &query)?;
    if for_people {
        print(client.ask(&line).await?);
    } else {
        client.download(&line, command.output.as_deref()).await?;
    }
    Ok(Exit::Success)
}

fn print(all: Vec<DifferenceBody>) {
    let rows = all.into_iter().map(|d| {
        let detail = d.group.clone().unwrap_or_else(|| d.changes_line());
        let time = d.recorded_at.map_or_else(|| "-".to_owned(), output::instant);
        vec![d.what, d.kind, d.name, detail, time, d.position.to_string(), d.id.to_string()]
    });
    output::table(
        &["WHAT", "TYPE", "NAME", "GROUP OR CHANGE", "TIME", "POSITION", "ID"],
        &rows.collect::<Vec<_>>(),
    );
}
