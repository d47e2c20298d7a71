//! What operators are told in `docs/operating.md`, to be held against what a server says.

use anyhow::{Context as _, Result, ensure};
use std::path::Path;

/// The row of a reason: what happened, and what to do.
///
/// # Errors
/// If there is not exactly one.
pub fn row(reason: &str) -> Result<(String, String)> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace")?;
    let page = std::fs::read_to_string(workspace.join("docs/operating.md"))?;
    let begins = format!("| `{reason}` | ");
    let rows: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix(&begins)).collect();
    ensure!(rows.len() == 1, "docs/operating.md has {} rows for {reason}", rows.len());
    let (happened, to_do) = rows[0].split_once(" | ").context("two columns")?;
    ensure!(happened.len() > 10 && to_do.len() > 10, "the row of {reason} says nothing");
    Ok((happened.to_owned(), to_do.to_owned()))
}
