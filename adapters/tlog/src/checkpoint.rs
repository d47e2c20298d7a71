//! Checkpoints: what a log says of its tree (tlog-checkpoint, "Note text").

use crate::line::{decimal, first_line, hash, to_base64};
use rollcall_domain::ledger::{MAX_LEAVES, NodeHash};
use std::fmt;
use std::str::FromStr;

/// Bytes of an origin at most: an ML-DSA-44 cosignature could not name a longer one.
pub const MAX_ORIGIN: usize = 255;

/// Extension lines at most.
pub const MAX_EXTENSIONS: usize = 16;

/// Bytes of an extension line at most.
pub const MAX_EXTENSION: usize = 1024;

/// Why a text is no checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Fewer than three lines, or no newline at the end.
    #[error("a checkpoint has an origin, a size and a root, each on its line")]
    Form,
    /// Empty, too long, or with a control character.
    #[error("an origin has 1 to {MAX_ORIGIN} bytes on one line")]
    Origin,
    /// No number in decimal, or more leaves than a tree can have.
    #[error("the size of the tree cannot be read")]
    Size,
    /// No hash in Base64.
    #[error("the root of the tree cannot be read")]
    Root,
    /// Empty, too long, with a control character, or too many of them.
    #[error("there are at most {MAX_EXTENSIONS} extension lines, of 1 to {MAX_EXTENSION} bytes")]
    Extension,
}

/// The tree of a log at one moment. Its text is signed as a [`crate::Note`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: NodeHash,
    extensions: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint; `size` counts leaves. Whoever cosigns it says nothing of what the extension
    /// lines mean.
    pub fn new(
        origin: impl Into<String>,
        size: u64,
        root: NodeHash,
        extensions: Vec<String>,
    ) -> Result<Self, CheckpointError> {
        let origin = origin.into();
        if !is_line(&origin, MAX_ORIGIN) {
            return Err(CheckpointError::Origin);
        }
        if size > MAX_LEAVES {
            return Err(CheckpointError::Size);
        }
        if extensions.len() > MAX_EXTENSIONS
            || !extensions.iter().all(|line| is_line(line, MAX_EXTENSION))
        {
            return Err(CheckpointError::Extension);
        }
        Ok(Self { origin, size, root, extensions })
    }

    /// Which log it is of.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The tree's root.
    pub fn root(&self) -> NodeHash {
        self.root
    }

    /// Further lines.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Reads the text of a note.
    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let (origin, rest) = first_line(text).ok_or(CheckpointError::Form)?;
        let (size, rest) = first_line(rest).ok_or(CheckpointError::Form)?;
        let (root, mut rest) = first_line(rest).ok_or(CheckpointError::Form)?;
        let size = decimal(size).ok_or(CheckpointError::Size)?;
        let root = hash(root).ok_or(CheckpointError::Root)?;
        let mut extensions = Vec::new();
        while !rest.is_empty() {
            let (line, after) = first_line(rest).ok_or(CheckpointError::Form)?;
            if extensions.len() == MAX_EXTENSIONS {
                return Err(CheckpointError::Extension);
            }
            extensions.push(line.to_owned());
            rest = after;
        }
        Self::new(origin, size, root, extensions)
    }
}

impl fmt::Display for Checkpoint {
    /// The text of the note, with its last newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, to_base64(self.root.0))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

fn is_line(text: &str, limit: usize) -> bool {
    !text.is_empty() && text.len() <= limit && text.bytes().all(|byte| byte >= b' ')
}
