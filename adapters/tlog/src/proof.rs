//! One file that proves that an entry is in a log, without asking anybody (tlog-proof, "Format").

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::line::{base64, decimal, first_line, hashes, to_base64};
use crate::note::{MAX_NOTE, Note, NoteError};
use crate::policy::{Policy, Refused, Signed};
use rollcall_domain::ledger::{LeafHash, MAX_PATH, NodeHash, ProofError, verify_inclusion};
use std::fmt;
use std::str::FromStr;

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Bytes of extra data at most.
pub const MAX_EXTRA: usize = 64 * 1024;

/// Bytes of a file at most: extra data in Base64, a path, and a note.
pub const MAX_FILE: usize = 2 * MAX_EXTRA + MAX_NOTE;

/// Why a text is no proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Longer than [`MAX_FILE`].
    #[error("the file is too long")]
    TooLong,
    /// It begins otherwise.
    #[error("a proof begins with {HEADER}")]
    Header,
    /// Extra data that is no Base64, or too long.
    #[error("the extra data cannot be read")]
    Extra,
    /// No index.
    #[error("the index cannot be read")]
    Index,
    /// A hash that is none, too many of them, or no empty line after them.
    #[error("the path cannot be read")]
    Path,
    /// What follows is no note.
    #[error("the checkpoint: {0}")]
    Note(#[from] NoteError),
    /// The note is no checkpoint.
    #[error("the checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
}

/// Why a proof does not prove.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProven {
    /// The policy does not accept the checkpoint.
    #[error("the checkpoint: {0}")]
    Checkpoint(#[from] Refused),
    /// The entry is not where the proof says, in the tree of that checkpoint.
    #[error("the entry: {0}")]
    Entry(#[from] ProofError),
}

/// That an entry is in a log: its place, its path to the root, and a checkpoint with that root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Whatever goes along. Nobody has signed it.
    pub extra: Option<Vec<u8>>,
    /// Index of the entry, from 0.
    pub index: u64,
    /// From the sibling of the leaf to the child of the root.
    pub path: Vec<NodeHash>,
    /// The log's note with its signatures and cosignatures.
    pub note: Note,
}

impl Proof {
    /// Verifies that a log which the policy knows has this leaf, and that enough witnesses have
    /// seen it. Says which checkpoint that rests on.
    pub fn verify(&self, leaf: LeafHash, policy: &Policy) -> Result<Signed, NotProven> {
        let signed = policy.evaluate(&self.note)?;
        verify_inclusion(
            leaf,
            self.index,
            signed.checkpoint.size(),
            &self.path,
            signed.checkpoint.root(),
        )?;
        Ok(signed)
    }
}

impl FromStr for Proof {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        if text.len() > MAX_FILE {
            return Err(FormatError::TooLong);
        }
        let (header, rest) = first_line(text).ok_or(FormatError::Header)?;
        if header != HEADER {
            return Err(FormatError::Header);
        }
        let (mut line, mut rest) = first_line(rest).ok_or(FormatError::Index)?;
        let mut extra = None;
        if let Some(data) = line.strip_prefix("extra ") {
            extra = Some(
                base64(data).filter(|data| data.len() <= MAX_EXTRA).ok_or(FormatError::Extra)?,
            );
            (line, rest) = first_line(rest).ok_or(FormatError::Index)?;
        }
        let index = line.strip_prefix("index ").and_then(decimal).ok_or(FormatError::Index)?;
        let (path, note) = hashes(rest, MAX_PATH).ok_or(FormatError::Path)?;
        let note: Note = note.parse()?;
        note.text().parse::<Checkpoint>()?;
        Ok(Self { extra, index, path, note })
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", to_base64(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", to_base64(hash.0)))?;
        write!(f, "\n{}", self.note)
    }
}
