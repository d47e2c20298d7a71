//! AES-256-GCM, as OpenSSL has it.

use crate::error::SealingError;
use openssl::rand::rand_bytes;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use std::fmt;
use zeroize::Zeroizing;

const NONCE: usize = 12;
const TAG: usize = 16;

/// 32 secret bytes of OpenSSL's generator, for a key that is kept nowhere else.
///
/// # Errors
/// If OpenSSL has none.
pub fn draw() -> Result<[u8; 32], openssl::error::ErrorStack> {
    let mut bytes = [0; 32];
    rand_bytes(&mut bytes)?;
    Ok(bytes)
}

/// A key. Its bytes are overwritten when it goes.
pub(crate) struct Key(Zeroizing<[u8; 32]>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub fn draw() -> Result<Self, SealingError> {
        Ok(Self::new(draw()?))
    }

    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Nonce, ciphertext and tag. `about` binds it to its place.
    pub fn seal(&self, clear: &[u8], about: &[u8]) -> Result<Vec<u8>, SealingError> {
        let (mut nonce, mut tag) = ([0; NONCE], [0; TAG]);
        rand_bytes(&mut nonce)?;
        let cipher = Cipher::aes_256_gcm();
        let sealed = encrypt_aead(cipher, &*self.0, Some(&nonce), about, clear, &mut tag)?;
        let mut all = Vec::with_capacity(NONCE + sealed.len() + TAG);
        all.extend_from_slice(&nonce);
        all.extend_from_slice(&sealed);
        all.extend_from_slice(&tag);
        Ok(all)
    }

    /// What was sealed at the same place.
    pub fn open(&self, sealed: &[u8], about: &[u8]) -> Result<Vec<u8>, SealingError> {
        let (nonce, rest) = sealed.split_at_checked(NONCE).ok_or(SealingError::Shape)?;
        let length = rest.len().checked_sub(TAG).ok_or(SealingError::Shape)?;
        let (sealed, tag) = rest.split_at(length);
        decrypt_aead(Cipher::aes_256_gcm(), &*self.0, Some(nonce), about, sealed, tag)
            .map_err(|_| SealingError::Changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_not_equal_and_open_at_their_place_only() {
        let (key, other) = (Key::draw().unwrap(), Key::draw().unwrap());
        let sealed = [key.seal(b"Ada", b"here").unwrap(), key.seal(b"Ada", b"here").unwrap()];
        assert_ne!(sealed[0], sealed[1]);
        assert_eq!(sealed[0].len(), 3 + NONCE + TAG);
        assert_eq!(key.open(&sealed[0], b"here").unwrap(), b"Ada");
        assert_eq!(key.open(&sealed[0], b"there"), Err(SealingError::Changed));
        assert_eq!(other.open(&sealed[0], b"here"), Err(SealingError::Changed));
        for at in 0..sealed[0].len() {
            let mut changed = sealed[0].clone();
            changed[at] ^= 1;
            assert_eq!(key.open(&changed, b"here"), Err(SealingError::Changed), "{at}");
            assert!(key.open(&sealed[0][..at], b"here").is_err(), "{at}");
        }
        assert_eq!(format!("{key:?}"), "Key(..)");
    }
}
