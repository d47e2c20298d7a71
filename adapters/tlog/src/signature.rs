//! The signatures under a note, one line each (signed-note, "Format").

use crate::key_id::{KeyId, is_name};
use crate::line::{base64, first_line, to_base64};
use std::fmt;

/// Bytes of a note at most.
pub const MAX_NOTE: usize = 512 * 1024;

/// Signatures of a note at most; 16 must be read.
pub const MAX_SIGNATURES: usize = 100;

/// What a line of a signature begins with.
const DASH: &str = "\u{2014} ";

/// Why a text is no note, or cannot be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More than [`MAX_NOTE`] bytes or [`MAX_SIGNATURES`].
    #[error("the note is too long, or has too many signatures")]
    TooLong,
    /// A control character, or no newline at the end.
    #[error("the text of a note ends with a newline and has no other control character")]
    Text,
    /// No empty line with signatures after it.
    #[error("a note has a text, an empty line and signatures")]
    Form,
    /// A line after the text that is no signature.
    #[error("signature {0} cannot be read")]
    Signature(usize),
    /// A key that is known did not make the signature under its name.
    #[error("the signature of {0} does not verify")]
    Forged(String),
    /// No key that is known has signed it.
    #[error("no known key has signed it")]
    Unverified,
}

/// A signature, which may be by anybody and of any kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    name: String,
    key: KeyId,
    bytes: Vec<u8>,
}

impl Signature {
    /// Puts a signature together; none if nobody may have that name, or there are no bytes.
    pub fn new(name: &str, key: KeyId, bytes: Vec<u8>) -> Option<Self> {
        let good = is_name(name) && !bytes.is_empty();
        good.then(|| Self { name: name.to_owned(), key, bytes })
    }

    /// Name of the key that is said to have made it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Id of that key.
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// The signature itself, in the form of its key's kind.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads lines of signatures to the end of the text, at most [`MAX_SIGNATURES`].
    pub fn read_all(mut text: &str) -> Result<Vec<Self>, NoteError> {
        if text.len() > MAX_NOTE {
            return Err(NoteError::TooLong);
        }
        let mut found = Vec::new();
        while !text.is_empty() {
            let (line, rest) = first_line(text).ok_or(NoteError::Signature(found.len() + 1))?;
            if found.len() == MAX_SIGNATURES {
                return Err(NoteError::TooLong);
            }
            found.push(Self::read(line).ok_or(NoteError::Signature(found.len() + 1))?);
            text = rest;
        }
        Ok(found)
    }

    fn read(line: &str) -> Option<Self> {
        let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
        let bytes = base64(signature)?;
        let (key, bytes) = bytes.split_first_chunk()?;
        Self::new(name, KeyId(*key), bytes.to_vec())
    }
}

impl fmt::Display for Signature {
    /// Its line, without the newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.key.0[..], &self.bytes].concat();
        write!(f, "{DASH}{} {}", self.name, to_base64(bytes))
    }
}
