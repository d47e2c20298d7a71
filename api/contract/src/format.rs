//! How rows of an answer of any length are written.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON array.
    #[default]
    Json,
    /// One JSON object a line.
    Ndjson,
    /// Comma-separated values (RFC 4180), safe to open in a spreadsheet.
    Csv,
    /// A page that can be printed; reviews only.
    Html,
    /// One CloudEvents 1.0 envelope (JSON) a line; events only.
    CloudEvents,
}
