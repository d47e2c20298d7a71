//! How rows are written, as `--format` says.

use crate::client::Client;
use crate::exit::Misused;
use clap::ValueEnum;
use rollcall_contract::format;
use std::path::Path;

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

impl Format {
    /// How rows are written that go to a file or to standard output, where they are JSON if that is
    /// asked of all commands.
    ///
    /// # Errors
    /// Wrong use, if both are said and differ.
    pub fn of(
        said: Option<Self>,
        usual: Self,
        client: &Client,
        output: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let json = client.json && output.is_none();
        match said {
            Some(Self::Csv | Self::Html) if json => {
                let told = "--json and another --format contradict each other: say one of them";
                Err(Misused(told.to_owned()).into())
            }
            Some(said) => Ok(said),
            None => Ok(if json { Self::Json } else { usual }),
        }
    }
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
