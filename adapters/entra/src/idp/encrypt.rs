//! Token encryption: AES for the assertion, RSA-OAEP for its key, as Entra does it.

use super::sign::{DSIG, SignError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::encrypt::Encrypter;
use openssl::hash::MessageDigest;
use openssl::rand::rand_bytes;
use openssl::rsa::Padding;
use openssl::symm::{Cipher, encrypt, encrypt_aead};
use openssl::x509::X509;

/// How the assertion is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ContentCipher {
    /// AES-128 in CBC mode.
    Aes128Cbc,
    /// AES-256 in CBC mode: Entra's.
    #[default]
    Aes256Cbc,
    /// AES-128 in GCM mode.
    Aes128Gcm,
    /// AES-256 in GCM mode.
    Aes256Gcm,
    /// Triple DES: refused by Rollcall.
    TripleDes,
}

impl ContentCipher {
    fn of(self) -> (&'static str, Cipher) {
        match self {
            ContentCipher::Aes128Cbc => {
                ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", Cipher::aes_128_cbc())
            }
            ContentCipher::Aes256Cbc => {
                ("http://www.w3.org/2001/04/xmlenc#aes256-cbc", Cipher::aes_256_cbc())
            }
            ContentCipher::Aes128Gcm => {
                ("http://www.w3.org/2009/xmlenc11#aes128-gcm", Cipher::aes_128_gcm())
            }
            ContentCipher::Aes256Gcm => {
                ("http://www.w3.org/2009/xmlenc11#aes256-gcm", Cipher::aes_256_gcm())
            }
            ContentCipher::TripleDes => {
                ("http://www.w3.org/2001/04/xmlenc#tripledes-cbc", Cipher::des_ede3_cbc())
            }
        }
    }
}

/// How the key of the content is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum KeyTransport {
    /// RSA-OAEP with SHA-1 and MGF1: Entra's.
    #[default]
    OaepMgf1p,
    /// RSA-OAEP with SHA-256 for both.
    OaepSha256,
    /// PKCS#1 v1.5: refused by Rollcall.
    Pkcs1v15,
}

/// The DER of the first certificate in a PEM file, as an administrator uploads it.
pub fn certificate_der(pem: &[u8]) -> Result<Vec<u8>, SignError> {
    Ok(X509::from_pem(pem)?.to_der()?)
}

/// An `EncryptedAssertion` for the holder of a certificate (DER).
pub fn encrypted_assertion(
    assertion: &str,
    certificate_der: &[u8],
    cipher: ContentCipher,
    transport: KeyTransport,
) -> Result<String, SignError> {
    let certificate = X509::from_der(certificate_der)?;
    let public = certificate.public_key()?;
    let (content_uri, algorithm) = cipher.of();
    let mut key = vec![0; algorithm.key_len()];
    rand_bytes(&mut key)?;
    let mut iv = vec![0; algorithm.iv_len().unwrap_or(16)];
    rand_bytes(&mut iv)?;
    let mut content = iv.clone();
    if matches!(cipher, ContentCipher::Aes128Gcm | ContentCipher::Aes256Gcm) {
        let mut tag = [0; 16];
        content.extend(encrypt_aead(
            algorithm,
            &key,
            Some(&iv),
            &[],
            assertion.as_bytes(),
            &mut tag,
        )?);
        content.extend(tag);
    } else {
        content.extend(encrypt(algorithm, &key, Some(&iv), assertion.as_bytes())?);
    }
    let mut encrypter = Encrypter::new(&public)?;
    let method = match transport {
        KeyTransport::OaepMgf1p => {
            encrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
            format!(
                r#"<e:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"><DigestMethod xmlns="{DSIG}" Algorithm="{DSIG}sha1"/></e:EncryptionMethod>"#
            )
        }
        KeyTransport::OaepSha256 => {
            encrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
            encrypter.set_rsa_oaep_md(MessageDigest::sha256())?;
            encrypter.set_rsa_mgf1_md(MessageDigest::sha256())?;
            format!(
                concat!(
                    r#"<e:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#rsa-oaep">"#,
                    r#"<DigestMethod xmlns="{}" Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>"#,
                    r#"<MGF xmlns="http://www.w3.org/2009/xmlenc11#" Algorithm="http://www.w3.org/2009/xmlenc11#mgf1sha256"/></e:EncryptionMethod>"#,
                ),
                DSIG
            )
        }
        KeyTransport::Pkcs1v15 => {
            encrypter.set_rsa_padding(Padding::PKCS1)?;
            r#"<e:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-1_5"/>"#
                .to_owned()
        }
    };
    let mut wrapped = vec![0; encrypter.encrypt_len(&key)?];
    let length = encrypter.encrypt(&key, &mut wrapped)?;
    wrapped.truncate(length);
    Ok(format!(
        concat!(
            r#"<EncryptedAssertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion">"#,
            r#"<xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" Type="http://www.w3.org/2001/04/xmlenc#Element">"#,
            r#"<xenc:EncryptionMethod Algorithm="{content_uri}"/><KeyInfo xmlns="{dsig}">"#,
            r#"<e:EncryptedKey xmlns:e="http://www.w3.org/2001/04/xmlenc#">{method}"#,
            "<KeyInfo><X509Data><X509IssuerSerial><X509IssuerName>CN=Rollcall</X509IssuerName>",
            "<X509SerialNumber>1</X509SerialNumber></X509IssuerSerial></X509Data></KeyInfo>",
            "<e:CipherData><e:CipherValue>{wrapped}</e:CipherValue></e:CipherData></e:EncryptedKey></KeyInfo>",
            "<xenc:CipherData><xenc:CipherValue>{content}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></EncryptedAssertion>",
        ),
        content_uri = content_uri,
        dsig = DSIG,
        method = method,
        wrapped = STANDARD.encode(wrapped),
        content = STANDARD.encode(content),
    ))
}
