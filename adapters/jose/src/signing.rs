//! Keys of our own: what is signed with them, and their public half as others fetch it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sha::sha256;
use openssl::sign::Signer;
use serde_json::{Value, json};
use std::fmt;

/// Bits of a generated key: the interoperability profile of shared signals asks for this.
const BITS: u32 = 2_048;

/// Why nothing can be signed.
#[derive(Debug, thiserror::Error)]
#[error("openssl: {0}")]
pub struct SigningError(#[from] ErrorStack);

/// A private RSA key that signs with RS256.
pub struct SigningKey {
    key: PKey<Private>,
    id: String,
    modulus: String,
    exponent: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

impl SigningKey {
    /// Draws a key; this takes a good part of a second.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn generate() -> Result<Vec<u8>, SigningError> {
        Ok(PKey::from_rsa(Rsa::generate(BITS)?)?.private_key_to_pkcs8()?)
    }

    /// The key of this PKCS 8 document.
    ///
    /// # Errors
    /// If there is no RSA key in it.
    pub fn read(pkcs8: &[u8]) -> Result<Self, SigningError> {
        let key = PKey::private_key_from_pkcs8(pkcs8)?;
        let rsa = key.rsa()?;
        let (n, e) = (rsa.n().to_vec(), rsa.e().to_vec());
        let (modulus, exponent) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
        // The thumbprint of RFC 7638: members in this order, nothing between them.
        let canonical = format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#);
        let id = URL_SAFE_NO_PAD.encode(sha256(canonical.as_bytes()));
        Ok(Self { key, id, modulus, exponent })
    }

    /// Its public half as a JSON Web Key (RFC 7517).
    pub fn public(&self) -> Value {
        json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.id,
            "n": self.modulus,
            "e": self.exponent,
        })
    }

    /// Claims as a token in compact form; `typ` says of what kind. The same claims give the same
    /// token.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn sign(&self, typ: &str, claims: &Value) -> Result<String, SigningError> {
        let header = json!({ "alg": "RS256", "typ": typ, "kid": self.id });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key)?;
        let signature = signer.sign_oneshot_to_vec(signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
