//! `rollcall backup` and `rollcall restore`

use super::Exit;
use super::client::Client;
use super::output;
use super::part::{Part, check_free};
use crate::say;
use anyhow::{Context, bail};
use clap::Args;
use rollcall_contract::backup::{BackupLine, RestoredBody};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use serde::de::IgnoredAny;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Write the whole log to a file while the server runs
#[derive(Debug, Args)]
pub struct Backup {
    /// The file to make; it must not exist
    #[arg(long, alias = "to", value_name = "FILE")]
    output: PathBuf,
}

/// Put a backup in place on a running server that is empty
#[derive(Debug, Args)]
pub struct Restore {
    /// A file made by `rollcall backup`
    #[arg(long, alias = "from", value_name = "FILE")]
    input: PathBuf,
}

/// `rollcall backup`. The file appears under its name only once it is whole.
pub async fn backup(command: Backup, client: Client) -> anyhow::Result<Exit> {
    check_free(&command.output)?;
    let part = Part::download(
        &command.output,
        client.send(&route::BACKUP.line(&Nothing, &Nothing)?).await?,
    )
    .await?;
    let counts = check(part.path())?;
    part.finish()?;
    report(&client, &counts, "written")
}

/// `rollcall restore`. The file is read to its end before anything is sent.
pub async fn restore(command: Restore, client: Client) -> anyhow::Result<Exit> {
    check(&command.input)?;
    let file = File::open(&command.input)?;
    let chunks =
        futures::stream::unfold(BufReader::with_capacity(1 << 16, file), |mut reader| async move {
            match reader.fill_buf().map(<[u8]>::to_vec) {
                Ok(chunk) if chunk.is_empty() => None,
                Ok(chunk) => {
                    reader.consume(chunk.len());
                    Some((Ok(chunk), reader))
                }
                Err(error) => Some((Err(error), reader)),
            }
        });
    let done: RestoredBody = client
        .upload(&route::RESTORE.line(&Nothing, &Nothing)?, reqwest::Body::wrap_stream(chunks))
        .await?;
    report(&client, &done, "restored")
}

fn report(client: &Client, counts: &RestoredBody, done: &str) -> anyhow::Result<Exit> {
    if client.json {
        output::json(counts)?;
    } else {
        say!("{} records and {} exchanges {done}", counts.records, counts.exchanges);
    }
    Ok(Exit::Success)
}

/// Whether a backup is whole; gives what a restore of it would put in place.
fn check(path: &Path) -> anyhow::Result<RestoredBody> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut last = String::new();
    for line in BufReader::new(file).lines() {
        last = line.with_context(|| format!("{} is not a backup", path.display()))?;
    }
    match serde_json::from_str(&last) {
        Ok(BackupLine::<IgnoredAny, IgnoredAny>::End { records, exchanges }) => {
            Ok(RestoredBody { records, exchanges })
        }
        _ => bail!("{} is not a whole backup: its last line is missing", path.display()),
    }
}
