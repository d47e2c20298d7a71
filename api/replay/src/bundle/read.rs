//! Reading a bundle: everything is checked before anything is used.

use super::line::{BUNDLE_FORMAT, BundleBegin, BundleLine, body, counts};
use flate2::read::MultiGzDecoder;
use rollcall_domain::exchange::Protocol;
use rollcall_domain::log::{
    AggregateKind, Log, LogError, RecordedExchange, Restored, StreamId, Version,
};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use tokio::sync::mpsc;

/// A line longer than this is no line of ours: a body of 16 MiB in base64 fits.
const LINE_BYTES: u64 = 64 * 1024 * 1024;
/// More than this is not unpacked.
const TOTAL_BYTES: u64 = 16 * 1024 * 1024 * 1024;
/// Parts put into a log at once.
const BATCH: usize = 500;

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It cannot be read, or is no gzip.
    #[error("the file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It was written by another version.
    #[error("the bundle has format {0}; this version reads {BUNDLE_FORMAT}")]
    Format(u32),
    /// It is no bundle, was cut, or was changed.
    #[error("this is no whole bundle: {0}")]
    Damaged(String),
    /// It cannot be put into the log.
    #[error(transparent)]
    Log(#[from] LogError),
}

fn damaged(what: impl Into<String>) -> BundleError {
    BundleError::Damaged(what.into())
}

/// A bundle that was read to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// Its first line.
    pub begin: BundleBegin,
    /// Its records.
    pub records: u64,
    /// Its exchanges.
    pub exchanges: u64,
    /// Exchanges that were chosen and are not in it because they are no SCIM.
    pub left_out: u64,
}

/// Reads a bundle to its end and gives each part to `take`.
pub fn read(
    source: impl Read,
    mut take: impl FnMut(&BundleBegin, Restored) -> Result<(), BundleError>,
) -> Result<Whole, BundleError> {
    let mut lines =
        BufReader::with_capacity(1 << 16, MultiGzDecoder::new(source).take(TOTAL_BYTES));
    let mut digest = Sha256::new();
    let (mut begin, mut records, mut exchanges) = (None, 0_u64, 0_u64);
    let mut versions: HashMap<StreamId, Version> = HashMap::new();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let length = (&mut lines).take(LINE_BYTES).read_until(b'\n', &mut buffer)?;
        if length == 0 || buffer.last() != Some(&b'\n') {
            return Err(damaged("it breaks off, or a line is too long"));
        }
        let line = serde_json::from_slice(&buffer)
            .map_err(|e| damaged(format!("a line cannot be read at column {}", e.column())))?;
        match (line, &begin) {
            (BundleLine::Begin(first), None) if first.format == BUNDLE_FORMAT => {
                begin = Some(first)
            }
            (BundleLine::Begin(first), None) => return Err(BundleError::Format(first.format)),
            (BundleLine::Record { record }, Some(first)) if exchanges == 0 => {
                records += 1;
                let version = versions.entry(record.stream).or_default();
                *version += 1;
                let own = record.stream.kind != AggregateKind::Organization
                    || record.stream.id == first.organization.0;
                if (record.position, record.version, record.stream.organization)
                    != (records, *version, first.organization)
                    || !own
                {
                    return Err(damaged("its records do not follow each other"));
                }
                take(first, Restored::Record(*record))?;
            }
            (
                BundleLine::Exchange { number, positions, after, mut exchange, request, answer },
                Some(first),
            ) => {
                exchanges += 1;
                let placed = positions.is_none_or(|(f, l)| 0 < f && f <= l && l <= after)
                    && after <= records;
                if number != exchanges
                    || exchange.organization != first.organization
                    || exchange.protocol != Protocol::Scim
                    || !placed
                {
                    return Err(damaged("its exchanges do not follow each other"));
                }
                exchange.request_body =
                    body(&request).ok_or_else(|| damaged("a body cannot be read"))?;
                exchange.answer_body =
                    body(&answer).ok_or_else(|| damaged("a body cannot be read"))?;
                take(
                    first,
                    Restored::Exchange(Box::new(RecordedExchange {
                        number,
                        positions,
                        after,
                        exchange: *exchange,
                    })),
                )?;
            }
            (BundleLine::End { records: r, exchanges: x, left_out, sha256 }, Some(first)) => {
                let digest =
                    std::mem::take(&mut digest).chain_update(counts(r, x, left_out)).finalize();
                let found: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                if (r, x) != (records, exchanges) || found != sha256 {
                    return Err(damaged("its lines are not those that were written"));
                }
                if lines.read(&mut [0])? != 0 {
                    return Err(damaged("there is more after its last line"));
                }
                return Ok(Whole { begin: first.clone(), records, exchanges, left_out });
            }
            _ => return Err(damaged("a line stands where it cannot")),
        }
        digest.update(&buffer);
    }
}

/// Reads a file to its end and uses nothing of it.
pub fn check(path: &Path) -> Result<Whole, BundleError> {
    read(File::open(path)?, |_, _| Ok(()))
}

/// Puts a file into a log, as it is but for what `change` does to each part. It is read twice: what
/// is not whole leaves nothing behind.
pub async fn load(
    path: &Path,
    log: &dyn Log,
    mut change: impl FnMut(Restored) -> Result<Restored, BundleError>,
) -> Result<Whole, BundleError> {
    check(path)?;
    let file = path.to_owned();
    let (parts, mut arriving) = mpsc::channel::<Restored>(BATCH);
    let reader = tokio::task::spawn_blocking(move || {
        read(File::open(file)?, |_, part| {
            parts.blocking_send(part).map_err(|_| damaged("nobody takes its parts"))
        })
    });
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(part) = arriving.recv().await {
        batch.push(change(part)?);
        if batch.len() >= BATCH {
            log.restore(std::mem::take(&mut batch)).await?;
        }
    }
    log.restore(batch).await?;
    reader.await.map_err(|e| damaged(e.to_string()))?
}
