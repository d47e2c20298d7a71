//! Keys of notes: who they are (signed-note, "Signatures" and "Verifier keys"), and Ed25519.
//!
//! A key is known by its name and by four bytes of a hash over name, kind and public key. The text
//! of a verifier key is `name+id+key`: the id in 8 hexadecimal digits, kind and public key in
//! Base64.

mod signing;

pub(crate) use signing::Secret;
pub use signing::SigningKey;

use crate::cosigned;
use crate::key_id::is_name;
use crate::line::{base64, to_base64};
use crate::signature::Signature;
use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey, Public};
use openssl::sha::Sha256;
use openssl::sign::Verifier;
use std::fmt;
use std::str::FromStr;

pub use crate::key_id::KeyId;

/// Bytes of a key's name at most: an ML-DSA-44 cosignature could not name a longer one.
pub const MAX_NAME: usize = 255;

/// Characters of a verifier key's text at most: one of ML-DSA-44, the longest, has about 2,000.
pub const MAX_KEY_TEXT: usize = 4096;

/// What a key signs; the number stands in front of the public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Ed25519 over the text of a note (signed-note, "Ed25519 signatures").
    Ed25519 = 1,
    /// Ed25519 over a checkpoint and the time at which it was seen (tlog-cosignature).
    Cosignature = 4,
}

/// Why a text is no key, or a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A name that is empty or too long, or has a space, a control character or a plus.
    #[error("a key's name has 1 to {MAX_NAME} bytes, and no space or plus")]
    Name,
    /// It does not look like `name+id+key`.
    #[error("a verifier key is written name+id+key")]
    Form,
    /// Another kind of key.
    #[error("keys of kind {0:#04x} are not supported")]
    Kind(u8),
    /// The id belongs to another key or name.
    #[error("the id does not belong to this key and name")]
    Id,
    /// OpenSSL does not take it.
    #[error("no Ed25519 key")]
    NotEd25519,
}

impl From<ErrorStack> for KeyError {
    fn from(_: ErrorStack) -> Self {
        Self::NotEd25519
    }
}

impl KeyId {
    fn of(name: &str, kind: Kind, public: &[u8; 32]) -> Self {
        let mut hash = Sha256::new();
        hash.update(name.as_bytes());
        hash.update(&[b'\n', kind as u8]);
        hash.update(public);
        let [a, b, c, d, ..] = hash.finish();
        Self([a, b, c, d])
    }
}

/// A public key with its name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: String,
    id: KeyId,
    kind: Kind,
    public: [u8; 32],
}

/// What a signature says that was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// This is the text.
    Text,
    /// This checkpoint was the largest seen, so many seconds after 1970.
    SeenAt(u64),
}

impl VerifierKey {
    /// A key of this name; its id follows.
    pub fn new(name: &str, kind: Kind, public: [u8; 32]) -> Result<Self, KeyError> {
        check_name(name)?;
        PKey::<Public>::public_key_from_raw_bytes(&public, Id::ED25519)?;
        Ok(Self { name: name.to_owned(), id: KeyId::of(name, kind, &public), kind, public })
    }

    /// Its name; a log's is its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// What it signs.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The key without its name.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// Whether a signature says that it is by this key.
    pub fn claims(&self, signature: &Signature) -> bool {
        signature.name() == self.name && signature.key() == self.id
    }

    /// What its signature under this text of a note says; nothing if it is not its signature.
    pub fn verify(&self, text: &str, signature: &Signature) -> Option<Said> {
        if !self.claims(signature) {
            return None;
        }
        match self.kind {
            Kind::Ed25519 => self.ed25519(text.as_bytes(), signature.bytes()).then_some(Said::Text),
            Kind::Cosignature => {
                let (at, bytes) = cosigned::split(signature.bytes())?;
                self.ed25519(cosigned::message(at, text).as_bytes(), bytes)
                    .then_some(Said::SeenAt(at))
            }
        }
    }

    fn ed25519(&self, message: &[u8], signature: &[u8]) -> bool {
        let verify = || {
            let key = PKey::<Public>::public_key_from_raw_bytes(&self.public, Id::ED25519)?;
            Verifier::new_without_digest(&key)?.verify_oneshot(signature, message)
        };
        verify().unwrap_or(false)
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.len() > MAX_KEY_TEXT {
            return Err(KeyError::Form);
        }
        // Base64 may have a plus as well.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Form);
        };
        check_name(name)?;
        if id.len() != 8 || !id.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(KeyError::Form);
        }
        let id = u32::from_str_radix(id, 16).map_err(|_| KeyError::Form)?;
        let key = base64(key).ok_or(KeyError::Form)?;
        let (&kind, public) = key.split_first().ok_or(KeyError::Form)?;
        let kind = match kind {
            1 => Kind::Ed25519,
            4 => Kind::Cosignature,
            other => return Err(KeyError::Kind(other)),
        };
        let read = Self::new(name, kind, public.try_into().map_err(|_| KeyError::Form)?)?;
        if read.id.0 == id.to_be_bytes() { Ok(read) } else { Err(KeyError::Id) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.kind as u8];
        key.extend(self.public);
        write!(f, "{}+{}+{}", self.name, self.id, to_base64(key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// Whether it is short enough for a key that we know, besides.
fn check_name(name: &str) -> Result<(), KeyError> {
    if is_name(name) && name.len() <= MAX_NAME { Ok(()) } else { Err(KeyError::Name) }
}
