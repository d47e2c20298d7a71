//! Signed notes: a text and the signatures under it (signed-note, "Format").

use crate::key::{Said, VerifierKey};
use std::fmt;
use std::str::FromStr;

pub use crate::signature::{MAX_NOTE, MAX_SIGNATURES, NoteError, Signature};

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
        self.signatures
            .retain(|known| (known.name(), known.key()) != (signature.name(), signature.key()));
        if self.signatures.len() >= MAX_SIGNATURES {
            return Err(NoteError::TooLong);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Who of these keys has signed it, in the keys' order, each once: by its first signature. The
    /// note is refused if one of them did not make a signature that has its name and id, and if
    /// none of them has signed at all; signatures of other keys are passed over.
    pub fn verify<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<Vec<Verified<'k>>, NoteError> {
        let mut found: Vec<Verified<'k>> = Vec::new();
        for key in keys {
            for signature in self.signatures.iter().filter(|signature| key.claims(signature)) {
                let said = key
                    .verify(&self.text, signature)
                    .ok_or_else(|| NoteError::Forged(key.name().to_owned()))?;
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
