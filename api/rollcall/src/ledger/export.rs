//! The whole ledger in a file.

use super::elsewhere::Given;
use super::heads::trusted;
use super::output::tell;
use super::verify::of_file;
use anyhow::{Context, bail};
use rollcall_cli::Exit;
use rollcall_cli::client::Client;
use rollcall_cli::part::{Part, check_free};
use rollcall_contract::ledger::{CheckpointBody, EntriesQuery};
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::route;
use rollcall_evidence::file::{FORMAT, Line};
use rollcall_evidence::seen::{Folder, Seen};
use rollcall_evidence::verify::Trust;
use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::Path;

/// How often an answer that broke off is asked for again from where it was.
const TRIES: u32 = 5;

/// Writes it. The file appears under its name only once it is whole and verified.
pub async fn export(
    client: Client,
    org: &str,
    to: &Path,
    trust: &Trust,
    heads: &Folder,
) -> anyhow::Result<Exit> {
    check_free(to)?;
    let path = OrganizationPath::of(org);
    let end: CheckpointBody = client.ask(&route::SHOW_CHECKPOINT.line(&path, &Nothing)?).await?;
    let (part, mut file) = Part::begin(to)?;
    let cannot = || format!("cannot write {}", part.path().display());
    let first =
        Line::Ledger { format: FORMAT, checkpoint: end.checkpoint.clone(), key: end.key.clone() };
    file.write_all(&first.write()?).with_context(cannot)?;
    let (mut from, mut tries) = (0, TRIES);
    loop {
        let query = EntriesQuery { from, records: end.records, exchanges: end.exchanges };
        let (lines, done) =
            client.lines(&route::EXPORT_ENTRIES.line(&path, &query)?, &mut file).await;
        from += lines;
        match done {
            Ok(()) => break,
            // What came is written: it goes on from there.
            Err(_) if lines > 0 => tries = TRIES,
            Err(error) => {
                tries -= 1;
                if tries == 0 {
                    return Err(error);
                }
            }
        }
    }
    let last = Line::End { records: end.records, exchanges: end.exchanges };
    file.write_all(&last.write()?).with_context(cannot)?;
    let file = file.into_inner().map_err(|e| e.into_error()).with_context(cannot)?;
    file.sync_all().with_context(cannot)?;
    let seen = heads.of(&end.origin)?;
    let (trust, is_unknown) = trusted(trust, &seen, &end.key)?;
    let file = BufReader::new(File::open(part.path()).with_context(cannot)?);
    let mut told = of_file(file, &trust, &Given::default(), heads)?;
    told.key_is_unknown = is_unknown;
    part.finish()?;
    if told.verdict.holds() {
        heads.keep(&Seen { checkpoint: end.checkpoint, key: end.key })?;
    } else if told.verdict.leaves < end.size && told.broken.is_none() && from == 0 && end.size > 0 {
        bail!("the server gave no entries");
    }
    tell(&told, client.json)
}
