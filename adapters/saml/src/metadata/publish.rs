//! Writing our own metadata.

use crate::connection::Connection;
use crate::keys::KeyPair;
use crate::xml::{DSIG, METADATA, POST, PROTOCOL, REDIRECT, escaped};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

const METHODS: [&str; 5] = [
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
];

/// Our metadata. All keys may sign; only the current one is to be encrypted for.
pub(crate) fn write(connection: &Connection) -> String {
    let mut keys = String::new();
    for pair in &connection.keys {
        keys.push_str(&descriptor("signing", pair, &[]));
    }
    if let Some(current) = connection.keys.first() {
        keys.push_str(&descriptor("encryption", current, &METHODS));
    }
    format!(
        concat!(
            r#"<?xml version="1.0" encoding="UTF-8"?>"#,
            r#"<md:EntityDescriptor xmlns:md="{metadata}" entityID="{entity}">"#,
            r#"<md:SPSSODescriptor AuthnRequestsSigned="{signed}" WantAssertionsSigned="true" protocolSupportEnumeration="{protocol}">"#,
            "{keys}",
            r#"<md:SingleLogoutService Binding="{redirect}" Location="{slo}"/>"#,
            "<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified</md:NameIDFormat>",
            r#"<md:AssertionConsumerService Binding="{post}" Location="{acs}" index="0" isDefault="true"/>"#,
            "</md:SPSSODescriptor></md:EntityDescriptor>",
        ),
        metadata = METADATA,
        entity = escaped(&connection.entity_id),
        signed = connection.policy.sign_requests,
        protocol = PROTOCOL,
        keys = keys,
        redirect = REDIRECT,
        slo = escaped(&connection.slo_url),
        post = POST,
        acs = escaped(&connection.acs_url),
    )
}

fn descriptor(purpose: &str, pair: &KeyPair, methods: &[&str]) -> String {
    // A pair was read from DER or made here: writing it again fails only when memory is gone.
    let certificate = pair.certificate_der().map(|der| STANDARD.encode(der)).unwrap_or_default();
    let mut out = format!(
        r#"<md:KeyDescriptor use="{purpose}"><ds:KeyInfo xmlns:ds="{DSIG}"><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"#
    );
    for method in methods {
        let _ = write!(out, r#"<md:EncryptionMethod Algorithm="{method}"/>"#);
    }
    out.push_str("</md:KeyDescriptor>");
    out
}
