//! A ledger in a file, or the proof of one entry, verified without a server.

use crate::file::{FORMAT, Line, LineError, MAX_LINE};
use crate::findings::{Checker, Claimed, Tree};
use crate::statement::{Statement, StatementError};
use rollcall_contract::ledger::{Finding, FindingKind, FindingPart, Verdict};
use rollcall_domain::ledger::entry::{Header, Of};
use rollcall_domain::ledger::{NodeHash, leaf};
use rollcall_tlog::note::NoteError;
use rollcall_tlog::policy::Refused;
use rollcall_tlog::proof::{FormatError, NotProven};
use rollcall_tlog::{Note, Policy, Proof, VerifierKey};
use std::io::{BufRead, Read as _};

/// Why a file says nothing, one way or the other.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It begins with something else.
    #[error("this is neither a ledger nor a proof")]
    NoLedger,
    /// A later version wrote it.
    #[error("it has format {0}; this version reads {FORMAT}")]
    Format(u32),
    /// Its checkpoint cannot be read.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The proof cannot be read.
    #[error("the proof: {0}")]
    Proof(#[from] FormatError),
}

/// Whom the verifier trusts.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// Whoever the file names: that it holds together is all that is shown.
    #[default]
    File,
    /// This key.
    Key(VerifierKey),
    /// The logs and witnesses of a policy.
    Policy(Box<Policy>),
}

/// What a file came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What differs.
    pub verdict: Verdict,
    /// What the checkpoint says.
    pub statement: Statement,
    /// The checkpoint as it stood in the file.
    pub note: String,
    /// The key that it was verified with.
    pub key: String,
    /// The line at which the file cannot be read any more, and why.
    pub broken: Option<(u64, LineError)>,
}

/// Verifies a ledger. `earlier` are checkpoints that the verifier has kept of it.
pub fn verify(
    mut file: impl BufRead,
    trust: &Trust,
    earlier: impl FnOnce(&Statement) -> Vec<Statement>,
) -> Result<Verified, FileError> {
    let first = next(&mut file)?.ok_or(FileError::NoLedger)?;
    let (checkpoint, key) = match Line::read(&first) {
        Ok(Line::Ledger { format: FORMAT, checkpoint, key }) => (checkpoint, key),
        Ok(Line::Ledger { format, .. }) => return Err(FileError::Format(format)),
        _ => return Err(FileError::NoLedger),
    };
    let note: Note = checkpoint.parse().map_err(StatementError::Note)?;
    let statement = Statement::read(&note)?;
    let (is_signed, key) = is_signed(&note, &statement, &key, trust)?;
    let mut checker = Checker::new(earlier(&statement));
    if !is_signed {
        checker.add(about_the_tree(FindingKind::Unsigned, statement.size));
    }
    let mut broken = None;
    let (mut line, mut counted, mut ended) = (1, (0, 0), None);
    while let Some(bytes) = next(&mut file)? {
        line += 1;
        let read = match Line::read(&bytes) {
            Ok(_) if ended.is_some() => Err(LineError::Json("the last line was before it".into())),
            read => read,
        };
        let item = match read {
            Ok(Line::End { records, exchanges }) => {
                ended = Some((records, exchanges));
                continue;
            }
            Ok(Line::Ledger { .. }) => Err(LineError::Json("the first line once more".into())),
            Ok(entry) => entry.item(),
            Err(error) => Err(error),
        };
        match item {
            Ok(Some(item)) => {
                match item.content.part() {
                    FindingPart::Exchange => counted.1 += 1,
                    _ => counted.0 += 1,
                }
                checker.push(item);
            }
            Ok(None) => {}
            Err(error) => {
                checker.add(about_the_tree(FindingKind::Unreadable, counted.0 + counted.1 + 1));
                broken = Some((line, error));
                break;
            }
        }
    }
    if broken.is_none() && ended != Some(counted) {
        checker.add(about_the_tree(FindingKind::TailCut, counted.0 + counted.1 + 1));
    }
    let claimed = Claimed { head: statement.head, tree: Tree::Statement(&statement) };
    let verdict = checker.finish(&claimed, statement.uncovered, statement.epoch);
    Ok(Verified { verdict, statement, note: checkpoint, key, broken })
}

fn about_the_tree(kind: FindingKind, number: u64) -> Finding {
    Finding { kind, part: FindingPart::Tree, number, through: None, id: None }
}

/// Whether a checkpoint is signed by whom the verifier trusts, and by which key.
pub fn is_signed(
    note: &Note,
    statement: &Statement,
    named: &str,
    trust: &Trust,
) -> Result<(bool, String), StatementError> {
    let of_key = |key: &VerifierKey| key.name() == statement.origin && note.verify([key]).is_ok();
    Ok(match trust {
        Trust::File => {
            let key: VerifierKey = named.parse()?;
            (of_key(&key), key.to_string())
        }
        // A file that names another key is not what it was, whoever has signed it.
        Trust::Key(key) => (of_key(key) && key.to_string() == named, key.to_string()),
        Trust::Policy(policy) => match policy.evaluate(note) {
            Ok(signed) => (signed.log.to_string() == named, signed.log.to_string()),
            Err(_) => (false, named.to_owned()),
        },
    })
}

/// The next line without its end. One that is too long is given cut, and then is none.
fn next(file: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    file.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    // The last line has an end as well: one without is not whole.
    match line.pop() {
        Some(b'\n') => {}
        Some(other) => line.extend([other, b'\n']),
        None => {}
    }
    Ok(Some(line))
}

/// The proof of an entry as a file, with the entry as extra data.
pub fn proof_file(
    entry: Vec<u8>,
    index: u64,
    path: Vec<NodeHash>,
    note: &str,
) -> Result<String, StatementError> {
    let note: Note = note.parse()?;
    Ok(Proof { extra: Some(entry), index, path, note }.to_string())
}

/// What the proof of one entry came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Whether it proves anything.
    pub holds: bool,
    /// What the entry is; nothing if it cannot be read.
    pub of: Option<Header>,
    /// Its place among the leaves, from 0.
    pub index: u64,
    /// What the checkpoint says.
    pub statement: Statement,
    /// The key that it was verified with; none if none was named.
    pub key: Option<String>,
    /// Why it proves nothing.
    pub why: Option<NotProven>,
}

impl Proven {
    /// Position or number of the entry.
    pub fn number(&self) -> Option<(FindingPart, u64)> {
        self.of.map(|header| match header.of {
            Of::Record(position) => (FindingPart::Record, position),
            Of::Exchange(number) => (FindingPart::Exchange, number),
        })
    }
}

/// Verifies the proof of an entry, which is its extra data. Without a trusted key it shows only
/// that the entry is in the tree of the checkpoint, whoever has signed that.
pub fn prove(text: &str, trust: &Trust) -> Result<Proven, FileError> {
    let proof: Proof = text.parse()?;
    let statement = Statement::read(&proof.note)?;
    let entry = proof.extra.clone().unwrap_or_default();
    let of = Header::read(&entry);
    let entry = leaf(&entry);
    let (why, key) = match trust {
        Trust::Key(key) => {
            let none: Policy = Policy::read(b"quorum none\n").map_err(|_| FileError::NoLedger)?;
            (proof.verify(entry, &none.trusting(key.clone())).err(), Some(key.to_string()))
        }
        Trust::Policy(policy) => match proof.verify(entry, policy) {
            Ok(signed) => (None, Some(signed.log.to_string())),
            Err(why) => (Some(why), None),
        },
        Trust::File => {
            let path = rollcall_domain::ledger::verify_inclusion(
                entry,
                proof.index,
                statement.size,
                &proof.path,
                statement.root,
            );
            (path.err().map(NotProven::Entry), None)
        }
    };
    let why =
        why.or(of.is_none().then_some(NotProven::Checkpoint(Refused::Signature(NoteError::Form))));
    Ok(Proven { holds: why.is_none(), of, index: proof.index, statement, key, why })
}
