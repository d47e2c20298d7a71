//! Reading an identity provider's metadata.
//!
//! The signature that Entra puts on it is not looked at: it is made with the key that the document
//! announces, so it proves nothing. What proves something is the address it was fetched from.

use super::{IdpMetadata, MAX_BYTES, MAX_CERTIFICATES, MetadataError};
use crate::keys::{fingerprint, instant};
use crate::xml::{DSIG, METADATA, PROTOCOL, REDIRECT, is};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::x509::{X509, X509NameRef};
use rollcall_domain::saml::{IdpCertificate, IdpSettings};
use roxmltree::{Document, Error, Node, ParsingOptions};
use std::borrow::Cow;
use url::{Host, Url};

const MAX_NODES: u32 = 50_000;
const MAX_DEPTH: usize = 64;
const MAX_TEXT: usize = 1_024;
const MIN_BITS: u32 = 2_048;

/// Reads an identity provider's metadata document.
pub fn parse(document: &[u8], now: DateTime<Utc>) -> Result<IdpMetadata, MetadataError> {
    if document.len() > MAX_BYTES {
        return Err(MetadataError::TooLarge);
    }
    // Entra's begins with a byte order mark.
    let text = std::str::from_utf8(document).map_err(|_| MetadataError::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    bounded(text)?;
    let options =
        ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, entity_resolver: None };
    let document = Document::parse_with_options(text, options).map_err(|e| match e {
        Error::DtdDetected => MetadataError::Doctype,
        other => MetadataError::NotXml(other.to_string()),
    })?;
    let entity = entity(&document)?;
    let entity_id = plain(entity, "entityID")
        .filter(|id| !id.trim().is_empty())
        .ok_or(MetadataError::NoEntityId)?;
    if entity_id.len() > MAX_TEXT {
        return Err(MetadataError::NotSaml(format!("an entity id of more than {MAX_TEXT} bytes")));
    }
    if entity_id.contains('{') {
        return Err(MetadataError::ManyTenants);
    }
    let speaks = |n: &Node<'_, '_>| {
        plain(*n, "protocolSupportEnumeration")
            .is_some_and(|p| p.split_whitespace().any(|p| p == PROTOCOL))
    };
    let role = entity
        .children()
        .find(|n| is(*n, METADATA, "IDPSSODescriptor") && speaks(n))
        .ok_or(MetadataError::NoIdp)?;
    let valid_until = [entity, role]
        .into_iter()
        .filter_map(valid_until)
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .min();
    if let Some(until) = valid_until.filter(|until| *until <= now) {
        return Err(MetadataError::Expired(until));
    }
    let (signing_certificates, skipped) = certificates(role)?;
    let logout = redirect(role, "SingleLogoutService");
    let settings = IdpSettings {
        entity_id: entity_id.to_owned(),
        sso_redirect_url: address(
            redirect(role, "SingleSignOnService")
                .and_then(|n| plain(n, "Location"))
                .ok_or(MetadataError::NoSignOnUrl)?,
        )?,
        slo_redirect_url: logout.and_then(|n| plain(n, "Location")).map(address).transpose()?,
        slo_response_url: logout
            .and_then(|n| plain(n, "ResponseLocation"))
            .map(address)
            .transpose()?,
        signing_certificates,
        valid_until,
    };
    Ok(IdpMetadata { settings, skipped })
}

/// Refuses what would make a parser sweat: depth, and a document type before it is looked at.
fn bounded(text: &str) -> Result<(), MetadataError> {
    if text.contains("<!DOCTYPE") || text.contains("<!ENTITY") {
        return Err(MetadataError::Doctype);
    }
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    for (at, _) in text.match_indices('<') {
        match text.as_bytes().get(at + 1) {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b'?' | b'!') => {}
            _ => {
                let empty =
                    text[at..].find('>').is_some_and(|end| text.as_bytes()[at + end - 1] == b'/');
                depth += usize::from(!empty);
                deepest = deepest.max(depth);
            }
        }
        if deepest > MAX_DEPTH {
            return Err(MetadataError::NotXml(format!("more than {MAX_DEPTH} levels")));
        }
    }
    Ok(())
}

/// The one entity of the document.
fn entity<'a, 'i>(document: &'a Document<'i>) -> Result<Node<'a, 'i>, MetadataError> {
    let root = document.root_element();
    if is(root, METADATA, "EntityDescriptor") {
        return Ok(root);
    }
    if !is(root, METADATA, "EntitiesDescriptor") {
        return Err(MetadataError::NotSaml(format!(
            "the document is a {}",
            root.tag_name().name()
        )));
    }
    let idps: Vec<_> = root
        .descendants()
        .filter(|n| {
            is(*n, METADATA, "EntityDescriptor")
                && n.children().any(|role| is(role, METADATA, "IDPSSODescriptor"))
        })
        .collect();
    match idps.as_slice() {
        [] => Err(MetadataError::NoIdp),
        [one] => Ok(*one),
        many => {
            Err(MetadataError::NotSaml(format!("it describes {} identity providers", many.len())))
        }
    }
}

fn plain<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes().find(|a| a.namespace().is_none() && a.name() == name).map(|a| a.value())
}

fn valid_until(node: Node<'_, '_>) -> Option<Result<DateTime<Utc>, MetadataError>> {
    let value = plain(node, "validUntil")?;
    let parsed = DateTime::parse_from_rfc3339(value).map(|t| t.with_timezone(&Utc));
    Some(parsed.map_err(|_| {
        MetadataError::NotSaml(format!(
            "validUntil is no instant: {}",
            value.chars().take(40).collect::<String>()
        ))
    }))
}

fn redirect<'a, 'i>(role: Node<'a, 'i>, service: &str) -> Option<Node<'a, 'i>> {
    role.children().find(|n| is(*n, METADATA, service) && plain(*n, "Binding") == Some(REDIRECT))
}

/// An address that a browser is sent to: https, or the same machine.
fn address(value: &str) -> Result<String, MetadataError> {
    let refused = || MetadataError::Address(value.chars().take(200).collect());
    let url = Url::parse(value).ok().filter(|_| value.len() <= 2 * MAX_TEXT).ok_or_else(refused)?;
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    let usable = url.scheme() == "https" || (url.scheme() == "http" && local);
    if usable && url.fragment().is_none() && url.username().is_empty() && url.password().is_none() {
        Ok(value.to_owned())
    } else {
        Err(refused())
    }
}

/// The certificates that may sign: of this role, for signing or for everything.
fn certificates(role: Node<'_, '_>) -> Result<(Vec<IdpCertificate>, Vec<String>), MetadataError> {
    let (mut found, mut skipped): (Vec<IdpCertificate>, Vec<String>) = (Vec::new(), Vec::new());
    let keys = role.children().filter(|n| is(*n, METADATA, "KeyDescriptor"));
    for key in keys.filter(|n| matches!(plain(*n, "use"), None | Some("signing"))) {
        // Others in the same X509Data would be a chain above it, whose keys sign no messages.
        for data in key.descendants().filter(|n| is(*n, DSIG, "X509Data")) {
            let Some(node) = data.children().find(|n| is(*n, DSIG, "X509Certificate")) else {
                continue;
            };
            let text: String = node.children().filter_map(|c| c.text()).collect();
            match certificate(&text) {
                Ok(one) if found.iter().any(|f| f.sha256 == one.sha256) => {}
                Ok(one) => found.push(one),
                Err(why) => skipped.push(why),
            }
        }
    }
    if found.len() > MAX_CERTIFICATES {
        return Err(MetadataError::NotSaml(format!(
            "more than {MAX_CERTIFICATES} signing certificates"
        )));
    }
    if found.is_empty() {
        let why =
            if skipped.is_empty() { String::new() } else { format!(": {}", skipped.join("; ")) };
        return Err(MetadataError::NoSigningCertificate(why));
    }
    Ok((found, skipped))
}

fn certificate(text: &str) -> Result<IdpCertificate, String> {
    let dense: Cow<'_, str> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let der = STANDARD
        .decode(dense.as_bytes())
        .map_err(|_| "a certificate that is not base64".to_owned())?;
    let certificate =
        X509::from_der(&der).map_err(|_| "a certificate that cannot be read".to_owned())?;
    // What follows the certificate would be part of the fingerprint and of nothing else.
    if certificate.to_der().map_err(|e| e.to_string())? != der {
        return Err("a certificate with something after it".to_owned());
    }
    let sha256 = fingerprint(&certificate);
    let key = certificate
        .public_key()
        .map_err(|_| format!("the certificate {sha256} has an unknown kind of key"))?;
    if let Some(weak) = weakness(&key) {
        return Err(format!("the certificate {sha256} has {weak}"));
    }
    let dates = instant(certificate.not_before()).zip(instant(certificate.not_after()));
    let (not_before, not_after) =
        dates.ok_or_else(|| format!("the certificate {sha256} has no readable dates"))?;
    Ok(IdpCertificate {
        sha256,
        der: STANDARD.encode(&der),
        subject: subject(certificate.subject_name()),
        not_before,
        not_after,
    })
}

/// Why a key must not verify signatures.
pub(crate) fn weakness(key: &PKey<Public>) -> Option<String> {
    if key.id() != Id::RSA {
        return Some("a key that is not RSA".to_owned());
    }
    (key.bits() < MIN_BITS)
        .then(|| format!("an RSA key of {} bits, fewer than {MIN_BITS}", key.bits()))
}

fn subject(name: &X509NameRef) -> String {
    let of = |nid| name.entries_by_nid(nid).next().and_then(|e| e.data().to_string().ok());
    let text = of(Nid::COMMONNAME).or_else(|| of(Nid::ORGANIZATIONNAME)).unwrap_or_default();
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
