//! The deployment's key: seals private keys before they reach the log, and signs cookies.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use rollcall_domain::organization::SealedKey;
use rollcall_engine::ids::Ids;
use rollcall_engine::secrets;
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::{Path, PathBuf};

const ALGORITHM: &str = "aes-256-gcm";
const TAG_BYTES: usize = 16;

/// The key of a deployment: the same for all processes on one database.
#[derive(Clone)]
pub struct DeploymentKey {
    key: [u8; 32],
    id: String,
    /// What was sealed with it is opened, and nothing more is sealed.
    former: Option<Box<DeploymentKey>>,
}

impl fmt::Debug for DeploymentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeploymentKey({})", self.id)
    }
}

/// Why something could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Another deployment's, or this process was given another key than the others.
    #[error(
        "it was sealed with the deployment key {sealed_with}, and this process has {ours}: give every process the same key with --deployment-key-file"
    )]
    OtherKey {
        /// The key that was used.
        sealed_with: String,
        /// The key that is here.
        ours: String,
    },
    /// Changed since it was sealed, or sealed in a way that is not known here.
    #[error(
        "it was changed after it was sealed, or sealed in a way that this version does not know"
    )]
    Damaged,
    /// The cryptographic library failed.
    #[error("openssl: {0}")]
    OpenSsl(#[from] openssl::error::ErrorStack),
}

/// The purpose for which [`DeploymentKey::derived`] gives what the keys of organizations are wrapped
/// with.
pub const WRAPPING: &str = "the keys of organizations";

/// Where the deployment's key lies unless configured.
pub fn deployment_key_path(data: &Path) -> PathBuf {
    data.join("deployment.key")
}

impl DeploymentKey {
    /// Reads the key from a file, made on first use with mode 0600.
    pub fn read_or_make(path: &Path, ids: &Ids) -> anyhow::Result<Self> {
        let text = secrets::key_file(path, || URL_SAFE_NO_PAD.encode(ids.key()))?;
        Self::parse(&text, path)
    }

    /// Reads a key that must be there.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        anyhow::ensure!(path.exists(), "there is no deployment key in {}", path.display());
        let text = secrets::key_file(path, String::new)?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> anyhow::Result<Self> {
        let key = URL_SAFE_NO_PAD
            .decode(text.trim())
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        key.map(Self::new).ok_or_else(|| {
            anyhow::anyhow!(
                "{} does not hold a deployment key: 32 bytes in base64url",
                path.display()
            )
        })
    }

    /// The same key, which also opens what the one before it sealed.
    pub fn after(self, former: DeploymentKey) -> Self {
        Self { former: Some(Box::new(former)), ..self }
    }

    /// The key before this one, if it is known.
    pub fn former(&self) -> Option<&DeploymentKey> {
        self.former.as_deref()
    }

    /// A key that follows from a secret: for applications in process, which have no file.
    pub fn derived_from(secret: &str) -> Self {
        Self::new(
            Sha256::new()
                .chain_update(b"rollcall deployment key of ")
                .chain_update(secret)
                .finalize()
                .into(),
        )
    }

    fn new(key: [u8; 32]) -> Self {
        let digest =
            Sha256::new().chain_update(b"rollcall deployment key id").chain_update(key).finalize();
        let id = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { key, id, former: None }
    }

    /// Seals a secret. `about` binds it to its place; a nonce is used once.
    pub fn seal(
        &self,
        secret: &[u8],
        about: &str,
        nonce: [u8; 12],
    ) -> Result<SealedKey, SealError> {
        let mut tag = [0; TAG_BYTES];
        let mut ciphertext = encrypt_aead(
            Cipher::aes_256_gcm(),
            &self.key,
            Some(&nonce),
            about.as_bytes(),
            secret,
            &mut tag,
        )?;
        ciphertext.extend(tag);
        Ok(SealedKey {
            algorithm: ALGORITHM.to_owned(),
            sealed_with: self.id.clone(),
            nonce: STANDARD.encode(nonce),
            ciphertext: STANDARD.encode(ciphertext),
        })
    }

    /// Whether something was sealed with this key, or with the one before it.
    pub fn has_sealed(&self, sealed: &SealedKey) -> bool {
        sealed.sealed_with == self.id || self.former().is_some_and(|key| key.has_sealed(sealed))
    }

    /// Opens what was sealed at the same place.
    pub fn open(&self, sealed: &SealedKey, about: &str) -> Result<Vec<u8>, SealError> {
        if let Some(former) = self.former().filter(|key| key.has_sealed(sealed)) {
            return former.open(sealed, about);
        }
        if !self.has_sealed(sealed) {
            return Err(SealError::OtherKey {
                sealed_with: sealed.sealed_with.clone(),
                ours: self.id.clone(),
            });
        }
        let decode = |text: &str| STANDARD.decode(text).map_err(|_| SealError::Damaged);
        let (nonce, ciphertext) = (decode(&sealed.nonce)?, decode(&sealed.ciphertext)?);
        if sealed.algorithm != ALGORITHM || nonce.len() != 12 || ciphertext.len() < TAG_BYTES {
            return Err(SealError::Damaged);
        }
        let (ciphertext, tag) = ciphertext.split_at(ciphertext.len() - TAG_BYTES);
        decrypt_aead(
            Cipher::aes_256_gcm(),
            &self.key,
            Some(&nonce),
            about.as_bytes(),
            ciphertext,
            tag,
        )
        .map_err(|_| SealError::Damaged)
    }

    /// Names it; the key does not follow from that.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// 32 secret bytes for one purpose: another key that needs no place of its own.
    pub fn derived(&self, purpose: &str) -> [u8; 32] {
        let mut mac = self.keyed(b"rollcall key for ");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// Signs a text for one purpose.
    pub fn sign(&self, purpose: &str, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(purpose, text).finalize().into_bytes())
    }

    /// Checks [`Self::sign`], in a time that does not depend on where two differ.
    pub fn is_signed(&self, purpose: &str, text: &str, signature: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(signature)
            .is_ok_and(|signature| self.mac(purpose, text).verify_slice(&signature).is_ok())
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    fn keyed(&self, what: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length");
        mac.update(what);
        mac
    }

    fn mac(&self, purpose: &str, text: &str) -> Hmac<Sha256> {
        let mut mac = self.keyed(b"rollcall signature for ");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_opens_it_at_the_same_place() {
        let key = DeploymentKey::derived_from("a");
        let sealed = key.seal(b"private", "here", [7; 12]).unwrap();
        assert!(
            !format!("{sealed:?} {}", serde_json::to_string(&sealed).unwrap()).contains("private")
        );
        assert_eq!(key.open(&sealed, "here").unwrap(), b"private");
        assert!(matches!(key.open(&sealed, "there"), Err(SealError::Damaged)));
        assert!(matches!(
            DeploymentKey::derived_from("b").open(&sealed, "here"),
            Err(SealError::OtherKey { .. })
        ));
        let mut changed = sealed.clone();
        changed.ciphertext = STANDARD.encode([0; 40]);
        assert!(matches!(key.open(&changed, "here"), Err(SealError::Damaged)));
    }

    #[test]
    fn what_is_derived_is_for_one_purpose_and_no_signature() {
        let (a, b) = (DeploymentKey::derived_from("a"), DeploymentKey::derived_from("b"));
        assert_eq!(a.derived("x"), DeploymentKey::derived_from("a").derived("x"));
        assert!(a.derived("x") != a.derived("y") && a.derived("x") != b.derived("x"));
        assert_ne!(URL_SAFE_NO_PAD.encode(a.derived("x")), a.sign("x", ""));
    }

    #[test]
    fn a_signature_is_for_one_purpose_and_one_text() {
        let key = DeploymentKey::derived_from("a");
        let signature = key.sign("x", "text");
        assert!(key.is_signed("x", "text", &signature));
        assert!(
            !key.is_signed("y", "text", &signature)
                && !key.is_signed("x", "texts", &signature)
                && !key.is_signed("x", "text", "")
        );
    }
}
