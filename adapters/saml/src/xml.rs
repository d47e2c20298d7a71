//! Names of SAML's XML, and reading it without leniency: what is not expected is refused.

use chrono::{DateTime, SecondsFormat, Utc};
use rollcall_domain::saml::{Reason, Refusal};
use roxmltree::Node;
use std::borrow::Cow;

pub(crate) const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
pub(crate) const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(crate) const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
pub(crate) const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const XMLENC: &str = "http://www.w3.org/2001/04/xmlenc#";
pub(crate) const XMLENC11: &str = "http://www.w3.org/2009/xmlenc11#";
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
pub(crate) const ENTITY_FORMAT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";
pub(crate) const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
pub(crate) const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
pub(crate) const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
pub(crate) const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// Whether an element has this name.
pub(crate) fn is(node: Node<'_, '_>, namespace: &str, name: &str) -> bool {
    node.tag_name().name() == name && node.tag_name().namespace() == Some(namespace)
}

/// The elements in an element; a refusal if there is text between them.
pub(crate) fn elements<'a, 'i>(node: Node<'a, 'i>) -> Result<Vec<Node<'a, 'i>>, Refusal> {
    let stray = |n: Node<'_, '_>| {
        n.is_text() && n.text().is_some_and(|t| !t.chars().all(|c| c.is_ascii_whitespace()))
    };
    if node.children().any(stray) {
        return Err(unexpected(format!("text in {}", node.tag_name().name())));
    }
    Ok(node.children().filter(Node::is_element).collect())
}

/// The whole text of an element that has no elements in it.
pub(crate) fn text(node: Node<'_, '_>) -> Result<String, Refusal> {
    if node.children().any(|c| c.is_element()) {
        return Err(unexpected(format!("an element in {}", node.tag_name().name())));
    }
    Ok(node.children().filter_map(|c| c.text()).collect())
}

/// Refuses attributes other than these, all of them without a namespace.
pub(crate) fn only_attributes(node: Node<'_, '_>, allowed: &[&str]) -> Result<(), Refusal> {
    match node.attributes().find(|a| a.namespace().is_some() || !allowed.contains(&a.name())) {
        Some(other) => {
            Err(unexpected(format!("attribute {} in {}", other.name(), node.tag_name().name())))
        }
        None => Ok(()),
    }
}

/// An attribute without a namespace.
pub(crate) fn attribute(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.attributes()
        .find(|a| a.namespace().is_none() && a.name() == name)
        .map(|a| a.value().to_owned())
}

/// An instant: xs:dateTime in UTC, which is the only zone that SAML allows (core, section 1.3.3).
pub(crate) fn instant(value: &str, reason: Reason, what: &str) -> Result<DateTime<Utc>, Refusal> {
    let utc = value.ends_with('Z').then(|| DateTime::parse_from_rfc3339(value).ok()).flatten();
    utc.map(|t| t.with_timezone(&Utc))
        .ok_or_else(|| Refusal::new(reason, format!("{what} is no instant in UTC: {value}")))
}

/// An instant as SAML writes it.
pub(crate) fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A refusal for something that has no place.
pub(crate) fn unexpected(what: impl AsRef<str>) -> Refusal {
    Refusal::new(Reason::UnexpectedContent, what)
}

/// Text for an element or an attribute in double quotes.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'', '\n', '\r', '\t']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}
