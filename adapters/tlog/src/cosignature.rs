//! Cosignatures: that somebody has seen a checkpoint, and verified it against all that they saw
//! before (tlog-cosignature, "Ed25519 signed message").

use crate::key::{KeyError, Kind, Secret, VerifierKey};
use crate::note::Signature;
use std::fmt;

/// No time is later: 2^63 - 1 seconds after 1970.
pub const MAX_TIME: u64 = i64::MAX as u64;

/// What is signed of a checkpoint: its whole text, with the time in front.
pub(crate) fn message(at: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {at}\n{text}")
}

/// The bytes of a signature: time and Ed25519.
pub(crate) fn split(signature: &[u8]) -> Option<(u64, &[u8])> {
    let (at, signature) = signature.split_first_chunk()?;
    let at = u64::from_be_bytes(*at);
    (at <= MAX_TIME).then_some((at, signature))
}

/// A witness's private key. It is for one witness: the message does not say whose it is, so no key may
/// serve two names.
pub struct CosigningKey(Secret);

impl CosigningKey {
    /// The key of a seed, which must come from a good source of randomness (RFC 8032 section 5.1.5).
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        Secret::from_seed(name, Kind::Cosignature, seed).map(Self)
    }

    /// What verifies its cosignatures.
    pub fn verifier(&self) -> &VerifierKey {
        &self.0.public
    }

    /// Says of the text of a checkpoint that it was the largest seen at a time, in seconds since 1970;
    /// one after [`MAX_TIME`] is taken for that. Whoever calls this has verified that it is so.
    pub fn cosign(&self, text: &str, at: u64) -> Result<Signature, KeyError> {
        let at = at.min(MAX_TIME);
        let mut bytes = at.to_be_bytes().to_vec();
        bytes.extend(self.0.ed25519(message(at, text).as_bytes())?);
        self.0.signature(bytes)
    }
}

impl fmt::Debug for CosigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CosigningKey({})", self.verifier())
    }
}
