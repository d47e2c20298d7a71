//! `rollcall diff`

use super::Exit;
use super::client::Client;
use super::output;
use clap::{Args, ValueEnum};
use rollcall_office::audit::{DifferenceBody, Format};
use std::path::PathBuf;

/// Show what is different between two moments: who was created, joined, left, was disabled...
#[derive(Debug, Args)]
pub struct Diff {
    /// The organization's slug
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// The earlier moment: an instant such as 2026-11-24T08:00:00Z, position:N or run:ID
    #[arg(long, value_name = "MOMENT")]
    from: String,
    /// The later one; now, if absent
    #[arg(long, value_name = "MOMENT")]
    to: Option<String>,
    /// How it is written
    #[arg(long, value_enum, default_value = "table")]
    format: Shape,
    /// The file to write; standard output if absent
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
    let mut query = vec![("from", command.from)];
    query.extend(command.to.map(|to| ("to", to)));
    let format = match command.format {
        Shape::Table if client.json || command.output.is_some() => Format::Json,
        Shape::Table => {
            let all: Vec<DifferenceBody> = client.get(&output::path(&format!("/organizations/{}/diff", command.org), &query)).await?;
            print(all);
            return Ok(Exit::Success);
        }
        Shape::Json => Format::Json,
        Shape::Ndjson => Format::Ndjson,
        Shape::Csv => Format::Csv,
    };
    query.push(("format", format.as_str().to_owned()));
    let path = output::path(&format!("/organizations/{}/diff", command.org), &query);
    client.download(&path, command.output.as_deref()).await?;
    Ok(Exit::Success)
}

fn print(all: Vec<DifferenceBody>) {
    let rows = all.into_iter().map(|d| {
        let detail = d.group.clone().unwrap_or_else(|| d.changes_line());
        let time = d.recorded_at.map_or_else(|| "-".to_owned(), |at| at.to_rfc3339());
        vec![d.what, d.kind, d.name, detail, time, d.position.to_string(), d.id.to_string()]
    });
    output::table(&["WHAT", "TYPE", "NAME", "GROUP OR CHANGE", "TIME", "POSITION", "ID"], &rows.collect::<Vec<_>>());
}
