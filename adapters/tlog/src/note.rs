//! Signed notes: a text and the signatures under it (signed-note, "Format").

use crate::key::{KeyId, Said, VerifierKey, is_name};
use crate::line::{base64, first_line, to_base64};
use std::fmt;
use std::str::FromStr;

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

/// A text with signatures. Nothing of it may be believed before it is [verified](Note::verify).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// A key that has signed, and what it says thereby.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified<'k> {
    /// The key.
    pub key: &'k VerifierKey,
    /// What it says.
    pub said: Said,
}

impl Note {
    /// A text that nobody has signed yet; it ends with a newline.
    pub fn new(text: impl Into<String>) -> Result<Self, NoteError> {
        let text = text.into();
        check_text(&text)?;
        Ok(Self { text, signatures: Vec::new() })
    }

    /// The text, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signatures, in their order: also those of keys that are not known.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds a signature, in place of one that the same key made before. It is refused if there are
    /// [`MAX_SIGNATURES`].
    pub fn add(&mut self, signature: Signature) -> Result<(), NoteError> {
        self.signatures.retain(|known| (&known.name, known.key) != (&signature.name, signature.key));
        if self.signatures.len() >= MAX_SIGNATURES {
            return Err(NoteError::TooLong);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Who of these keys has signed it, in the keys' order, each once: by its first signature. The note
    /// is refused if one of them did not make a signature that has its name and id, and if none of them
    /// has signed at all; signatures of other keys are passed over.
    pub fn verify<'k>(&self, keys: impl IntoIterator<Item = &'k VerifierKey>) -> Result<Vec<Verified<'k>>, NoteError> {
        let mut found: Vec<Verified<'k>> = Vec::new();
        for key in keys {
            for signature in self.signatures.iter().filter(|signature| key.claims(signature)) {
                let said = key.verify(&self.text, signature).ok_or_else(|| NoteError::Forged(key.name().to_owned()))?;
                if found.iter().all(|verified| verified.key != key) {
                    found.push(Verified { key, said });
                }
            }
        }
        if found.is_empty() { Err(NoteError::Unverified) } else { Ok(found) }
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE {
            return Err(NoteError::TooLong);
        }
        // The text may have empty lines of its own: the last one divides.
        let divide = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, signatures) = (&note[..=divide], &note[divide + 2..]);
        check_text(text)?;
        if signatures.is_empty() {
            return Err(NoteError::Form);
        }
        Ok(Self { text: text.to_owned(), signatures: Signature::read_all(signatures)? })
    }
}

impl fmt::Display for Note {
    /// The note; only with a signature it is one that can be read again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if text.len() > MAX_NOTE {
        return Err(NoteError::TooLong);
    }
    let good = text.ends_with('\n') && text.bytes().all(|byte| byte >= b' ' || byte == b'\n');
    if good { Ok(()) } else { Err(NoteError::Text) }
}
