//! `rollcall backup` and `rollcall restore`

use super::Exit;
use super::client::Client;
use super::output;
use super::part::{Part, check_free};
use crate::say;
use anyhow::{Context, anyhow};
use clap::Args;
use rollcall_contract::backup::{NotABackup, Reading, RestoreQuery, RestoredBody};
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
    #[arg(long, alias = "from", value_name = "FILE", required_unless_present = "discard")]
    input: Option<PathBuf>,
    /// Go on with a restore of the same file that was broken off
    #[arg(long, requires = "input")]
    resume: bool,
    /// Drop the keys that operators have on this server, for those of the backup
    #[arg(long, requires = "input")]
    drop_operators: bool,
    /// Give up a restore that was broken off: the server is empty afterwards
    #[arg(long, conflicts_with = "input")]
    discard: bool,
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
    let Some(input) = command.input else {
        client.act(&route::DISCARD_RESTORE.line(&Nothing, &Nothing)?).await?;
        return Ok(Exit::Success);
    };
    check(&input)?;
    let file = File::open(&input)?;
    let query = RestoreQuery { resume: command.resume, drop_operators: command.drop_operators };
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
        .upload(&route::RESTORE.line(&Nothing, &query)?, reqwest::Body::wrap_stream(chunks))
        .await?;
    report(&client, &done, "restored")
}

fn report(client: &Client, counts: &RestoredBody, done: &str) -> anyhow::Result<Exit> {
    if client.json {
        output::json(counts)?;
    } else {
        say!("{} records and {} exchanges {done}", counts.records, counts.exchanges);
        if !counts.verified {
            say!(
                "The backup is of a version that wrote no digests: whether it is as it was written cannot be told"
            );
        }
    }
    Ok(Exit::Success)
}

/// Whether a backup is whole; gives what a restore of it would put in place.
pub(crate) fn check(path: &Path) -> anyhow::Result<RestoredBody> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (mut lines, mut reading) = (BufReader::with_capacity(1 << 18, file), Reading::default());
    let refused =
        |why: NotABackup| anyhow!("{} is not a backup that can be restored: {why}", path.display());
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        reading.line::<IgnoredAny, IgnoredAny>(&line).map_err(refused)?;
        line.clear();
    }
    reading.finish().map_err(refused)
}
