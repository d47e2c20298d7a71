//! Our own keys: RSA with a self-signed certificate.

use chrono::{DateTime, TimeDelta, Utc};
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, KeyUsage};
use openssl::x509::{X509, X509NameBuilder};
use std::fmt;

/// Bits of a generated key.
pub const BITS: u32 = 3072;

/// Why a key cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The cryptographic library failed.
    #[error("openssl: {0}")]
    OpenSsl(#[from] ErrorStack),
    /// The certificate speaks of another key.
    #[error("the certificate does not belong to the private key")]
    Mismatch,
    /// A common name that no certificate can hold.
    #[error("a common name has 1 to 64 characters")]
    CommonName,
    /// An instant that no certificate can hold.
    #[error("the validity cannot be written in a certificate")]
    Validity,
}

/// A private key with its certificate.
#[derive(Clone)]
pub struct KeyPair {
    key: PKey<Private>,
    certificate: X509,
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.sha256())
    }
}

/// Makes a key of [`BITS`] bits and certifies it for some days from now. The key and the serial
/// number are drawn by OpenSSL; this takes about a second.
pub fn generate(common_name: &str, now: DateTime<Utc>, days: u32) -> Result<KeyPair, KeyError> {
    if common_name.is_empty() || common_name.chars().count() > 64 {
        return Err(KeyError::CommonName);
    }
    let key = PKey::from_rsa(Rsa::generate(BITS)?)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", common_name)?;
    let name = name.build();
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    let until =
        now.checked_add_signed(TimeDelta::days(i64::from(days))).ok_or(KeyError::Validity)?;

    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*serial.to_asn1_integer()?)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(&key)?;
    builder.set_not_before(&*Asn1Time::from_unix(now.timestamp())?)?;
    builder.set_not_after(&*Asn1Time::from_unix(until.timestamp())?)?;
    builder.append_extension(BasicConstraints::new().critical().build()?)?;
    builder.append_extension(
        KeyUsage::new().critical().digital_signature().key_encipherment().build()?,
    )?;
    builder.sign(&key, MessageDigest::sha256())?;
    Ok(KeyPair { key, certificate: builder.build() })
}

impl KeyPair {
    /// A pair from what was stored: PKCS#8 and the certificate, both in DER.
    pub fn from_der(pkcs8: &[u8], certificate: &[u8]) -> Result<Self, KeyError> {
        let key = PKey::private_key_from_pkcs8(pkcs8)?;
        let certificate = X509::from_der(certificate)?;
        if !certificate.public_key()?.public_eq(&key) {
            return Err(KeyError::Mismatch);
        }
        Ok(Self { key, certificate })
    }

    /// The private key, PKCS#8 in DER: to be sealed before it is stored.
    pub fn private_key_pkcs8(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.key.private_key_to_pkcs8()?)
    }

    /// The certificate in DER.
    pub fn certificate_der(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.certificate.to_der()?)
    }

    /// The certificate as a `.pem` or `.cer` file for people to upload.
    pub fn certificate_pem(&self) -> Result<String, KeyError> {
        Ok(String::from_utf8_lossy(&self.certificate.to_pem()?).into_owned())
    }

    /// SHA-256 over the certificate's DER, in lower-case hex.
    pub fn sha256(&self) -> String {
        fingerprint(&self.certificate)
    }

    /// From when on the certificate is valid.
    pub fn not_before(&self) -> Option<DateTime<Utc>> {
        instant(self.certificate.not_before())
    }

    /// Until when the certificate is valid.
    pub fn not_after(&self) -> Option<DateTime<Utc>> {
        instant(self.certificate.not_after())
    }

    pub(crate) fn private(&self) -> &PKey<Private> {
        &self.key
    }
}

/// SHA-256 over a certificate's DER, in lower-case hex.
pub(crate) fn fingerprint(certificate: &X509) -> String {
    let digest = certificate.digest(MessageDigest::sha256());
    digest.map(|d| d.iter().map(|byte| format!("{byte:02x}")).collect()).unwrap_or_default()
}

/// An instant of a certificate.
pub(crate) fn instant(time: &Asn1TimeRef) -> Option<DateTime<Utc>> {
    let passed = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    DateTime::from_timestamp(i64::from(passed.days) * 86_400 + i64::from(passed.secs), 0)
}
