//! Reads an export of Entra's provisioning log: JSON as Microsoft Graph answers and as the portal
//! downloads it, or the portal's CSV. Only ids, times and outcomes are taken.

mod csv;
mod entry;
mod json;

use rollcall_domain::provisioning_log::{CHANGES_AT_ONCE, ImportedChange};

/// Why an export cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Neither JSON nor CSV.
    #[error("this is neither JSON nor CSV of a provisioning log: {0}")]
    NotALog(String),
    /// One entry is not as it should be.
    #[error("entry {number} cannot be used: {why}")]
    Entry {
        /// Which, from 1.
        number: usize,
        /// Why; never a value.
        why: String,
    },
    /// More than is taken at once.
    #[error(
        "more than {CHANGES_AT_ONCE} entries at once: export a shorter time and import it in parts"
    )]
    TooMany,
}

/// Entries with the cycles they belong to, in the order of the file.
pub fn parse(bytes: &[u8]) -> Result<Vec<(String, ImportedChange)>, ParseError> {
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes))
        .map_err(|e| ParseError::NotALog(format!("it is not UTF-8 at byte {}", e.valid_up_to())))?;
    match text.trim_start().as_bytes().first() {
        None => Err(ParseError::NotALog("it is empty".to_owned())),
        Some(b'{' | b'[') => json::parse(text),
        Some(_) => csv::parse(text),
    }
}

#[cfg(test)]
mod tests;
