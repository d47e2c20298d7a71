//! `rollcall backup` and `rollcall restore`

use super::Exit;
use super::client::Client;
use super::output;
use super::part::{Part, check_free};
use anyhow::{Context, bail};
use clap::Args;
use reqwest::Method;
use rollcall_office::admin::BackupLine;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Write the whole log to a file while the server runs
#[derive(Debug, Args)]
pub struct Backup {
    /// The file to make; it must not exist
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// Put a backup in place on a running server that is empty
#[derive(Debug, Args)]
pub struct Restore {
    /// A file made by `rollcall backup`
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
}

/// `rollcall backup`. The file appears under its name only once it is whole.
pub async fn backup(command: Backup, client: Client) -> anyhow::Result<Exit> {
    check_free(&command.to)?;
    let part = Part::download(&command.to, client.send(Method::GET, "/backup", None::<&()>).await?).await?;
    let (records, exchanges) = check(part.path())?;
    part.finish()?;
    report(&client, records, exchanges, "written")
}

/// `rollcall restore`. The file is read to its end before anything is sent.
pub async fn restore(command: Restore, client: Client) -> anyhow::Result<Exit> {
    check(&command.from)?;
    let file = File::open(&command.from)?;
    let chunks = futures::stream::unfold(BufReader::with_capacity(1 << 16, file), |mut reader| async move {
        match reader.fill_buf().map(<[u8]>::to_vec) {
            Ok(chunk) if chunk.is_empty() => None,
            Ok(chunk) => {
                reader.consume(chunk.len());
                Some((Ok(chunk), reader))
            }
            Err(error) => Some((Err(error), reader)),
        }
    });
    let done: Value = client.upload("/restore", reqwest::Body::wrap_stream(chunks)).await?.json().await?;
    let number = |name: &str| done[name].as_u64().unwrap_or(0);
    report(&client, number("records"), number("exchanges"), "restored")
}

fn report(client: &Client, records: u64, exchanges: u64, done: &str) -> anyhow::Result<Exit> {
    if client.json {
        output::json(&json!({ "records": records, "exchanges": exchanges }))?;
    } else {
        println!("{records} records and {exchanges} exchanges {done}");
    }
    Ok(Exit::Success)
}

/// Whether a backup is whole; gives the numbers of records and exchanges.
fn check(path: &Path) -> anyhow::Result<(u64, u64)> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut last = String::new();
    for line in BufReader::new(file).lines() {
        last = line.with_context(|| format!("{} is not a backup", path.display()))?;
    }
    match serde_json::from_str(&last) {
        Ok(BackupLine::End { records, exchanges }) => Ok((records, exchanges)),
        _ => bail!("{} is not a whole backup: its last line is missing", path.display()),
    }
}
