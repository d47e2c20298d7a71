//! Cosignatures: that somebody has seen a checkpoint, and verified it against all that they saw
//! before (tlog-cosignature, "Ed25519 signed message").

use crate::cosigned::message;
use crate::key::{KeyError, Kind, Secret, VerifierKey};
use crate::signature::Signature;
use std::fmt;

pub use crate::cosigned::MAX_TIME;

/// A witness's private key. It is for one witness: the message does not say whose it is, so no key
/// may serve two names.
pub struct CosigningKey(Secret);

impl CosigningKey {
    /// The key of a seed, which must come from a good source of randomness (RFC 8032 section
    /// 5.1.5).
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        Secret::from_seed(name, Kind::Cosignature, seed).map(Self)
    }

    /// What verifies its cosignatures.
    pub fn verifier(&self) -> &VerifierKey {
        &self.0.public
    }

    /// Says of the text of a checkpoint that it was the largest seen at a time, in seconds since
    /// 1970; one after [`MAX_TIME`] is taken for that. Whoever calls this has verified that it is
    /// so.
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
