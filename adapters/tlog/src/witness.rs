//! A checkpoint's way to a witness (tlog-witness, "add-checkpoint"): what a log asks, what a
//! witness decides, what it answers.

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::key::VerifierKey;
use crate::line::{decimal, first_line, hashes, to_base64};
use crate::note::{MAX_NOTE, Note, NoteError, Signature};
use rollcall_domain::ledger::{NodeHash, verify_consistency};
use std::fmt;
use std::str::FromStr;

/// Hashes of a request at most.
pub const MAX_PATH: usize = 63;

/// Bytes of a request at most: 64 lines of 45, and a note.
pub const MAX_REQUEST: usize = 4096 + MAX_NOTE;

/// Media type of the answer that says which size the witness knows.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

/// Why a text is no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Longer than [`MAX_REQUEST`].
    #[error("the request is too long")]
    TooLong,
    /// No line with the old size.
    #[error("the old size cannot be read")]
    Old,
    /// A hash that is none, too many of them, or no empty line after them.
    #[error("the proof of consistency cannot be read")]
    Path,
    /// What follows is no note.
    #[error("the checkpoint: {0}")]
    Note(#[from] NoteError),
    /// The note is no checkpoint.
    #[error("the checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
}

/// A log asks for a cosignature: body of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// Leaves of the tree that the witness cosigned last; 0 if it never did, or that is not known.
    pub old: u64,
    /// Proves that the new tree began with the old one.
    pub path: Vec<NodeHash>,
    /// The new checkpoint, signed by the log.
    pub note: Note,
}

impl FromStr for AddCheckpoint {
    type Err = RequestError;

    fn from_str(text: &str) -> Result<Self, RequestError> {
        if text.len() > MAX_REQUEST {
            return Err(RequestError::TooLong);
        }
        let (old, rest) = first_line(text).ok_or(RequestError::Old)?;
        let old = old.strip_prefix("old ").and_then(decimal).ok_or(RequestError::Old)?;
        let (path, note) = hashes(rest, MAX_PATH).ok_or(RequestError::Path)?;
        let note: Note = note.parse()?;
        note.text().parse::<Checkpoint>()?;
        Ok(Self { old, path, note })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", to_base64(hash.0)))?;
        write!(f, "\n{}", self.note)
    }
}

/// What a witness knows of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Leaves of the tree that it cosigned last.
    pub size: u64,
    /// That tree's root.
    pub root: NodeHash,
}

/// Why a witness does not cosign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Declined {
    /// It cannot be read, or says that the old tree is larger.
    #[error("the request is malformed")]
    Malformed,
    /// No key is known for this origin.
    #[error("the log is not known")]
    UnknownLog,
    /// No key that is known for this origin has signed.
    #[error("no known key of the log has signed")]
    Unsigned,
    /// The witness cosigned another tree last: of this size, or of this size with another root.
    #[error("the last tree seen has {0} leaves")]
    Conflict(u64),
    /// The new tree did not begin with the old one.
    #[error("the proof of consistency does not hold")]
    Inconsistent,
}

impl Declined {
    /// The status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Declined::Malformed => 400,
            Declined::Unsigned => 403,
            Declined::UnknownLog => 404,
            Declined::Conflict(_) => 409,
            Declined::Inconsistent => 422,
        }
    }

    /// Media type and body of the answer.
    pub fn body(&self) -> (&'static str, String) {
        match self {
            Declined::Conflict(size) => (SIZE_TYPE, format!("{size}\n")),
            other => ("text/plain; charset=utf-8", format!("{other}\n")),
        }
    }
}

/// What a witness decides, which knows these keys of logs and has seen `seen` of an origin. What it
/// gives is to be cosigned, after it was kept durably: together with the look at what was seen, so
/// that two requests at once cannot take a log back.
pub fn decide<'k>(
    request: &AddCheckpoint,
    logs: impl IntoIterator<Item = &'k VerifierKey>,
    seen: impl FnOnce(&str) -> Option<Seen>,
) -> Result<Checkpoint, Declined> {
    let checkpoint: Checkpoint = request.note.text().parse().map_err(|_| Declined::Malformed)?;
    let mut keys = logs.into_iter().filter(|key| key.name() == checkpoint.origin()).peekable();
    if keys.peek().is_none() {
        return Err(Declined::UnknownLog);
    }
    request.note.verify(keys).map_err(|_| Declined::Unsigned)?;
    if request.old > checkpoint.size() {
        return Err(Declined::Malformed);
    }
    let seen = seen(checkpoint.origin())
        .unwrap_or(Seen { size: 0, root: rollcall_domain::ledger::EMPTY_ROOT });
    if request.old != seen.size
        || (seen.size == checkpoint.size() && seen.root != checkpoint.root())
    {
        return Err(Declined::Conflict(seen.size));
    }
    verify_consistency(seen.size, seen.root, checkpoint.size(), checkpoint.root(), &request.path)
        .map_err(|_| Declined::Inconsistent)?;
    Ok(checkpoint)
}

/// What a witness answered, as a log reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Cosignatures of the checkpoint, by whoever: add those that verify.
    Cosigned(Vec<Signature>),
    /// It did not. After a conflict, ask again from the size it knows.
    Declined(Declined),
    /// Something else went wrong: the status.
    Failed(u16),
}

impl Answer {
    /// Reads an answer.
    pub fn read(status: u16, media_type: Option<&str>, body: &str) -> Self {
        match status {
            200 => match Signature::read_all(body) {
                Ok(signatures) if !signatures.is_empty() => Self::Cosigned(signatures),
                _ => Self::Failed(status),
            },
            409 => {
                let is_size = media_type
                    .and_then(|media| media.split(';').next())
                    .is_some_and(|media| media.trim() == SIZE_TYPE);
                let size = body.strip_suffix('\n').and_then(decimal).filter(|_| is_size);
                size.map_or(Self::Failed(status), |size| Self::Declined(Declined::Conflict(size)))
            }
            400 => Self::Declined(Declined::Malformed),
            403 => Self::Declined(Declined::Unsigned),
            404 => Self::Declined(Declined::UnknownLog),
            422 => Self::Declined(Declined::Inconsistent),
            other => Self::Failed(other),
        }
    }
}
