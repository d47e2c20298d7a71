//! `rollcall backup` and `rollcall restore`

use super::Exit;
use super::client::Client;
use super::output;
use super::part::{Part, check_free};
use super::person::check_list;
use crate::say;
use anyhow::{Context, anyhow};
use clap::Args;
use rollcall_contract::backup::{BackupLine, NotABackup, Reading, RestoreQuery, RestoredBody};
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use serde::de::IgnoredAny;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::path::{Path, PathBuf};

/// Write the whole log to a file while the server runs, or check one that was written
#[derive(Debug, Args)]
pub struct Backup {
    /// The file to make; it must not exist
    #[arg(long, alias = "to", value_name = "FILE", required_unless_present = "check")]
    output: Option<PathBuf>,
    /// Check this backup in place of making one: restore it into a folder of its own in the
    /// temporary folder, which needs its room twice, and compare all of it; exit code 1 if it does
    /// not come out as it is
    #[arg(long, value_name = "FILE", conflicts_with = "output")]
    check: Option<PathBuf>,
    /// For --check: the deployment key that the backup is opened with [default: DIR/deployment.key]
    #[arg(long, env = "ROLLCALL_DEPLOYMENT_KEY_FILE", value_name = "FILE")]
    deployment_key_file: Option<PathBuf>,
    /// Write the keys of people to a file of their own, so that the two can be kept apart
    #[arg(long, value_name = "FILE", conflicts_with_all = ["without_keys", "check"])]
    keys_to: Option<PathBuf>,
    /// Leave the keys out: nobody can be read in this backup, and it cannot be restored alone
    #[arg(long, conflicts_with = "check")]
    without_keys: bool,
}

impl Backup {
    /// The backup that is to be checked, if none is to be made, and where its key is told to be.
    pub fn to_check(&self) -> Option<(&Path, Option<&Path>)> {
        self.check.as_deref().map(|file| (file, self.deployment_key_file.as_deref()))
    }
}

/// Put a backup in place on a running server that is empty
#[derive(Debug, Args)]
pub struct Restore {
    /// A file made by `rollcall backup`
    #[arg(long, alias = "from", value_name = "FILE", required_unless_present = "discard")]
    input: Option<PathBuf>,
    /// A file made by `rollcall backup --keys-to`
    #[arg(long, value_name = "FILE", requires = "input")]
    keys: Option<PathBuf>,
    /// A file made by `rollcall person erasures`, later than the backup: who was erased since is erased
    /// before anybody is served
    #[arg(long, value_name = "FILE", requires = "input")]
    erasures: Option<PathBuf>,
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
    let output = command.output.context("name the file to make with --output")?;
    check_free(&output)?;
    command.keys_to.as_deref().map_or(Ok(()), check_free)?;
    let part =
        Part::download(&output, client.send(&route::BACKUP.line(&Nothing, &Nothing)?).await?)
            .await?;
    let counts = check(part.path())?;
    match (&command.keys_to, command.without_keys) {
        (None, false) => part.finish()?,
        (Some(keys), _) => {
            let (kept, mut to) = Part::begin(keys)?;
            split(part.path(), &output, &mut to)?;
            let file = to.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.sync_all().with_context(|| format!("cannot write {}", keys.display()))?;
            kept.finish()?;
            part.remove()?;
        }
        (None, true) => {
            split(part.path(), &output, &mut std::io::sink())?;
            part.remove()?;
        }
    }
    report(&client, &counts, "written")
}

/// `rollcall restore`. The file is read to its end before anything is sent.
pub async fn restore(command: Restore, client: Client) -> anyhow::Result<Exit> {
    let Some(input) = command.input else {
        client.act(&route::DISCARD_RESTORE.line(&Nothing, &Nothing)?).await?;
        return Ok(Exit::Success);
    };
    check(&input)?;
    let query = RestoreQuery { resume: command.resume, drop_operators: command.drop_operators };
    if let Some(list) = &command.erasures {
        check_list(list)?;
    }
    let (begin, rest) = first_line(BufReader::new(File::open(&input)?))?;
    let mut whole: Box<dyn Read + Send> = Box::new(Cursor::new(begin));
    for file in [&command.erasures, &command.keys].into_iter().flatten() {
        let beside = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        whole = Box::new(whole.chain(beside));
    }
    let whole = whole.chain(rest);
    let chunks = futures::stream::unfold(
        BufReader::with_capacity(1 << 16, whole),
        |mut reader| async move {
            match reader.fill_buf().map(<[u8]>::to_vec) {
                Ok(chunk) if chunk.is_empty() => None,
                Ok(chunk) => {
                    reader.consume(chunk.len());
                    Some((Ok(chunk), reader))
                }
                Err(error) => Some((Err(error), reader)),
            }
        },
    );
    let done: RestoredBody = client
        .upload(&route::RESTORE.line(&Nothing, &query)?, reqwest::Body::wrap_stream(chunks))
        .await?;
    report(&client, &done, "restored")?;
    if !client.json && command.erasures.is_some() {
        let (erased, later) = (done.erased, done.not_in_backup);
        say!("{erased} people erased who were in the backup; {later} of the list came after it");
    }
    Ok(Exit::Success)
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

/// The first line of a backup, and the rest: keys and erasures belong between them.
fn first_line(mut file: BufReader<File>) -> anyhow::Result<(Vec<u8>, BufReader<File>)> {
    let mut line = Vec::new();
    file.read_until(b'\n', &mut line)?;
    Ok((line, file))
}

/// Writes a whole backup to a file, but for the keys, which go elsewhere. They are in its head:
/// from the first line on that is of something else, all is copied as it is.
fn split(whole: &Path, name: &Path, keys: &mut dyn Write) -> anyhow::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 16, File::open(whole)?);
    // Beside the whole one, which has the name that it would get.
    let beside = name.with_extension("keyless");
    let (part, mut rest) = Part::begin(&beside)?;
    let cannot = || format!("cannot write {}", name.display());
    let mut line = Vec::new();
    loop {
        line.clear();
        reader.read_until(b'\n', &mut line)?;
        let read: BackupLine<IgnoredAny, IgnoredAny> =
            serde_json::from_slice(&line).context("a line of the backup cannot be read")?;
        if read.is_of_keys() {
            keys.write_all(&line)?;
            continue;
        }
        rest.write_all(&line).with_context(cannot)?;
        if !matches!(read, BackupLine::Begin { .. } | BackupLine::ClaimKey { .. }) {
            break;
        }
    }
    std::io::copy(&mut reader, &mut rest).with_context(cannot)?;
    keys.flush()?;
    let file = rest.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all().with_context(cannot)?;
    part.finish()?;
    std::fs::rename(&beside, name).with_context(cannot)
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
