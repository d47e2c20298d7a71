//! How rows are written, as `--format` says.

use clap::ValueEnum;
use rollcall_contract::format;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON array.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// Comma-separated values (RFC 4180), safe to open in a spreadsheet.
    Csv,
    /// A page that can be printed; `rollcall review` only.
    Html,
    /// One CloudEvents 1.0 envelope (JSON) a line; events only.
    #[value(name = "cloudevents", alias = "cloud-events")]
    CloudEvents,
}

impl From<Format> for format::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Json => format::Format::Json,
            Format::Ndjson => format::Format::Ndjson,
            Format::Csv => format::Format::Csv,
            Format::Html => format::Format::Html,
            Format::CloudEvents => format::Format::CloudEvents,
        }
    }
}
