//! Checkpoints that somebody has seen, kept in a folder of theirs: one file for each ledger, a
//! checkpoint after another. Whoever changes a log later cannot change these along with it.

use crate::statement::Statement;
use rollcall_contract::ledger::{Finding, FindingKind, FindingPart};
use rollcall_domain::body_hashes::Sha256Hash;
use rollcall_tlog::{Note, VerifierKey};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Bytes of a line at most.
const MAX_LINE: u64 = 1024 * 1024;

/// Checkpoints of a ledger that are kept before they are thinned out.
const MOST: usize = 2_048;
/// The newest, which are all kept.
const NEWEST: usize = 1_024;

/// A checkpoint that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The signed note.
    pub checkpoint: String,
    /// The key it was verified with.
    pub key: String,
}

impl Seen {
    /// What it says, and whether its key has signed it.
    pub fn statement(&self) -> Option<(Statement, bool)> {
        let note: Note = self.checkpoint.parse().ok()?;
        let statement = Statement::read(&note).ok()?;
        let key: Option<VerifierKey> = self.key.parse().ok();
        let is_signed =
            key.is_some_and(|key| key.name() == statement.origin && note.verify([&key]).is_ok());
        Some((statement, is_signed))
    }
}

/// The folder.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// In this folder, which is made when there is something to keep.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Where the checkpoints of a ledger are.
    pub fn path(&self, origin: &str) -> PathBuf {
        // Origins have slashes, and may have anything else but a space.
        self.0.join(format!("{}.checkpoints", &Sha256Hash::of(origin.as_bytes()).to_string()[..32]))
    }

    /// What was seen of a ledger, first to last.
    ///
    /// # Errors
    /// If a line cannot be read: somebody has changed the file.
    pub fn of(&self, origin: &str) -> std::io::Result<Vec<Seen>> {
        let path = self.path(origin);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        read(BufReader::new(file), &path)
    }

    /// Keeps a checkpoint, unless one of that size is kept.
    pub fn keep(&self, seen: &Seen) -> std::io::Result<()> {
        let Some((statement, _)) = seen.statement() else {
            return Err(std::io::Error::other("this is no checkpoint"));
        };
        let kept = self.of(&statement.origin)?;
        if kept.iter().any(|kept| kept.checkpoint == seen.checkpoint) {
            return Ok(());
        }
        std::fs::create_dir_all(&self.0)?;
        let path = self.path(&statement.origin);
        if kept.len() < MOST {
            let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
            file.write_all(&line(seen)?)?;
            return file.sync_data();
        }
        let lines: Vec<Vec<u8>> =
            thinned(&kept).chain([seen]).map(line).collect::<std::io::Result<_>>()?;
        let part = path.with_extension("part");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(&lines.concat())?;
        file.sync_all()?;
        std::fs::rename(part, path)
    }
}

/// All of the newest, and every second of those before: the further back, the fewer, and the first
/// of all for ever. A checkpoint that is left stands for those before it.
fn thinned(kept: &[Seen]) -> impl Iterator<Item = &Seen> {
    let old = kept.len().saturating_sub(NEWEST);
    kept[..old].iter().step_by(2).chain(&kept[old..])
}

fn line(seen: &Seen) -> std::io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(seen)?;
    line.push(b'\n');
    Ok(line)
}

fn read(mut from: impl BufRead, path: &Path) -> std::io::Result<Vec<Seen>> {
    use std::io::Read as _;
    let mut all = Vec::new();
    loop {
        let mut line = Vec::new();
        from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(all);
        }
        let seen = serde_json::from_slice(&line).map_err(|e| {
            std::io::Error::other(format!("{}, line {}: {e}", path.display(), all.len() + 1))
        })?;
        all.push(seen);
    }
}

/// The statements of what was seen of one ledger; what its key has not signed, or is signed by
/// another key than is trusted, is a finding.
pub fn statements(seen: &[Seen], trusted: &str) -> (Vec<Statement>, Vec<Finding>) {
    let (mut statements, mut findings) = (Vec::new(), Vec::new());
    for (at, seen) in (1..).zip(seen) {
        match seen.statement() {
            Some((statement, true)) if seen.key == trusted => statements.push(statement),
            Some((statement, _)) => findings.push(unsigned(statement.size)),
            None => findings.push(unsigned(at)),
        }
    }
    (statements, findings)
}

fn unsigned(number: u64) -> Finding {
    let (kind, part) = (FindingKind::Unsigned, FindingPart::Tree);
    Finding { kind, part, number, through: None, id: None }
}
