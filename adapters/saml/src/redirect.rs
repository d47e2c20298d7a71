//! The redirect binding (SAML bindings, section 3.4): a message in a query, signed over the query.

use crate::keys::KeyPair;
use crate::message::MessageError;
use crate::provider::ServiceProvider;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use openssl::hash::MessageDigest;
use openssl::sign::{Signer, Verifier};
use rollcall_domain::saml::{Reason, Refusal};
use std::fmt::Write;
use std::io::Read;

const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const RSA_SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384";
const RSA_SHA512: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512";
/// Bytes that RelayState may have (section 3.4.3).
const MAX_RELAY_STATE: usize = 80;

/// Which field a message travels in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Request,
    Response,
}

impl Field {
    fn name(self) -> &'static str {
        match self {
            Field::Request => "SAMLRequest",
            Field::Response => "SAMLResponse",
        }
    }
}

/// The address that carries a message, signed when there is a key to sign with.
pub(crate) fn address(
    base: &str,
    field: Field,
    xml: &str,
    relay_state: Option<&str>,
    key: Option<&KeyPair>,
) -> Result<String, MessageError> {
    let mut query = format!("{}={}", field.name(), encoded(&STANDARD.encode(deflated(xml)?)));
    if let Some(relay_state) = relay_state {
        if relay_state.len() > MAX_RELAY_STATE {
            return Err(MessageError::RelayState);
        }
        let _ = write!(query, "&RelayState={}", encoded(relay_state));
    }
    if let Some(key) = key {
        let _ = write!(query, "&SigAlg={}", encoded(RSA_SHA256));
        let signature =
            signature(key, query.as_bytes()).map_err(|e| MessageError::Signing(e.to_string()))?;
        let _ = write!(query, "&Signature={}", encoded(&STANDARD.encode(signature)));
    }
    let joint = if base.contains('?') { '&' } else { '?' };
    Ok(format!("{base}{joint}{query}"))
}

fn deflated(xml: &str) -> Result<Vec<u8>, MessageError> {
    let mut out = Vec::new();
    let read = DeflateEncoder::new(xml.as_bytes(), Compression::default()).read_to_end(&mut out);
    read.map_err(|e| MessageError::Signing(e.to_string())).map(|_| out)
}

fn signature(key: &KeyPair, bytes: &[u8]) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    let mut signer = Signer::new(MessageDigest::sha256(), key.private())?;
    signer.sign_oneshot_to_vec(bytes)
}

/// Text in a query, everything but unreserved characters escaped: what is signed is what is sent.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte))
            }
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

/// A message from a query whose signature holds.
pub(crate) struct Received {
    pub(crate) xml: Vec<u8>,
    pub(crate) relay_state: Option<String>,
}

/// Verifies and unpacks a message. The query is as it came: another spelling of the same characters
/// (.NET writes `%2f`, others `%2F`) would have another signature.
pub(crate) fn receive(
    sp: &ServiceProvider,
    raw_query: &str,
    field: Field,
    now: DateTime<Utc>,
) -> Result<Received, Refusal> {
    let limit = sp.connection.policy.max_bytes;
    if raw_query.len() > limit {
        return Err(Refusal::new(Reason::TooLarge, format!("a query of more than {limit} bytes")));
    }
    let message = once(raw_query, field.name())?.ok_or_else(|| {
        Refusal::new(Reason::UnexpectedDocument, format!("the query has no {}", field.name()))
    })?;
    let relay_state = once(raw_query, "RelayState")?;
    if let Some(encoding) = once(raw_query, "SAMLEncoding")?
        && decoded(encoding)? != "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
    {
        return Err(Refusal::new(Reason::UnexpectedDocument, "an unknown encoding of the message"));
    }
    let (Some(algorithm), Some(signature)) =
        (once(raw_query, "SigAlg")?, once(raw_query, "Signature")?)
    else {
        return Err(Refusal::new(Reason::NotSigned, "the query is not signed"));
    };
    let mut signed = format!("{}={message}", field.name());
    if let Some(relay_state) = relay_state {
        let _ = write!(signed, "&RelayState={relay_state}");
    }
    let _ = write!(signed, "&SigAlg={algorithm}");
    let signature = crate::gate::decode(&decoded(signature)?, 4_096)?;
    verify(sp, signed.as_bytes(), &decoded(algorithm)?, &signature, now)?;
    let packed = crate::gate::decode(&decoded(message)?, limit)?;
    let relay_state = relay_state.map(decoded).transpose()?;
    if relay_state.as_ref().is_some_and(|r| r.len() > limit.min(4 * 1024)) {
        return Err(Refusal::new(Reason::TooLarge, "a RelayState of more than 4096 bytes"));
    }
    Ok(Received { xml: inflated(&packed, limit)?, relay_state })
}

/// The undecoded value of a parameter that must not be there twice.
fn once<'a>(raw_query: &'a str, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut found = raw_query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value);
    let first = found.next();
    match found.next() {
        Some(_) => {
            Err(Refusal::new(Reason::UnexpectedContent, format!("{name} twice in the query")))
        }
        None => Ok(first),
    }
}

fn decoded(value: &str) -> Result<String, Refusal> {
    let bytes = percent_decoded(value)
        .ok_or_else(|| Refusal::new(Reason::NotBase64, "a broken escape in the query"))?;
    String::from_utf8(bytes).map_err(|_| Refusal::new(Reason::NotUtf8, "the query is not UTF-8"))
}

fn percent_decoded(value: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(value.len());
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                out.push(
                    u8::from_str_radix(
                        std::str::from_utf8(&digits)
                            .ok()
                            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?,
                        16,
                    )
                    .ok()?,
                );
            }
            b'+' => out.push(b' '),
            other => out.push(other),
        }
    }
    Some(out)
}

fn verify(
    sp: &ServiceProvider,
    signed: &[u8],
    algorithm: &str,
    signature: &[u8],
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let digest = match algorithm {
        RSA_SHA256 => MessageDigest::sha256(),
        RSA_SHA384 => MessageDigest::sha384(),
        RSA_SHA512 => MessageDigest::sha512(),
        other => return Err(Refusal::new(Reason::Algorithm, format!("signed with {other}"))),
    };
    let holds = |key| {
        Verifier::new(digest, key)
            .and_then(|mut v| v.verify_oneshot(signature, signed))
            .unwrap_or(false)
    };
    let Some(by) = sp.trusted.iter().find(|t| holds(&t.key)) else {
        return Err(Refusal::new(
            Reason::SignatureInvalid,
            "no trusted certificate verifies the signature of the query",
        ));
    };
    if !by.is_valid(now, sp.connection.policy.clock_skew) {
        return Err(Refusal::new(
            Reason::CertificateExpired,
            format!("signed with the certificate {}", by.settings.sha256),
        ));
    }
    Ok(())
}

fn inflated(packed: &[u8], limit: usize) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = DeflateDecoder::new(packed).take(bound).read_to_end(&mut out);
    read.map_err(|e| Refusal::new(Reason::NotBase64, format!("not DEFLATE: {e}")))?;
    if out.len() > limit {
        return Err(Refusal::new(Reason::TooLarge, format!("more than {limit} bytes")));
    }
    Ok(out)
}
