//! Private keys.

use super::{KeyError, Kind, VerifierKey};
use crate::signature::Signature;
use openssl::pkey::{Id, PKey, Private};
use openssl::sign::Signer;
use std::fmt;

/// A private key that signs notes; a log's, for its checkpoints.
pub struct SigningKey(Secret);

impl SigningKey {
    /// The key of a seed, which must come from a good source of randomness (RFC 8032 section
    /// 5.1.5).
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        Secret::from_seed(name, Kind::Ed25519, seed).map(Self)
    }

    /// What verifies its signatures.
    pub fn verifier(&self) -> &VerifierKey {
        &self.0.public
    }

    /// Signs a text of a note, its last newline included.
    pub fn sign(&self, text: &str) -> Result<Signature, KeyError> {
        self.0.signature(self.0.ed25519(text.as_bytes())?)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifier())
    }
}

/// A private key and its public half.
pub(crate) struct Secret {
    key: PKey<Private>,
    pub(crate) public: VerifierKey,
}

impl Secret {
    pub(crate) fn from_seed(name: &str, kind: Kind, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = PKey::private_key_from_raw_bytes(seed, Id::ED25519)?;
        let public = key.raw_public_key()?.try_into().map_err(|_| KeyError::NotEd25519)?;
        Ok(Self { key, public: VerifierKey::new(name, kind, public)? })
    }

    pub(crate) fn ed25519(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok(Signer::new_without_digest(&self.key)?.sign_oneshot_to_vec(message)?)
    }

    pub(crate) fn signature(&self, bytes: Vec<u8>) -> Result<Signature, KeyError> {
        Signature::new(self.public.name(), self.public.id(), bytes).ok_or(KeyError::Name)
    }
}
