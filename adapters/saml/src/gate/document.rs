//! Second step: a strict parser, then namespaces and ids.

use super::limits::{MAX_FIELD, MAX_NAMESPACES, MAX_NODES};
use crate::xml::{ASSERTION, DSIG, PROTOCOL, is};
use rollcall_domain::saml::{Reason, Refusal};
use roxmltree::{Document, Error, Node, ParsingOptions};
use std::collections::HashSet;

/// Parses a message that passed the scan.
pub(crate) fn parse(text: &str) -> Result<Document<'_>, Refusal> {
    let options =
        ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, entity_resolver: None };
    let document = Document::parse_with_options(text, options).map_err(|e| match e {
        Error::DtdDetected => Refusal::new(Reason::Doctype, "a document type declaration"),
        Error::NodesLimitReached
        | Error::AttributesLimitReached
        | Error::NamespacesLimitReached => Refusal::new(Reason::TooComplex, e.to_string()),
        other => Refusal::new(Reason::NotWellFormed, other.to_string()),
    })?;
    namespaces(&document)?;
    ids(&document)?;
    Ok(document)
}

/// A relative namespace makes canonicalization fail in some libraries, which then sign nothing.
/// And the names that samael matches without looking at their namespace must be the real ones.
fn namespaces(document: &Document<'_>) -> Result<(), Refusal> {
    for node in document.descendants().filter(Node::is_element) {
        if node.namespaces().nth(MAX_NAMESPACES).is_some() {
            return Err(Refusal::new(
                Reason::TooComplex,
                format!("more than {MAX_NAMESPACES} namespaces in scope"),
            ));
        }
        for declared in node.namespaces() {
            let uri = declared.uri();
            if !uri.is_empty() && !is_absolute(uri) {
                return Err(Refusal::new(
                    Reason::Namespace,
                    format!("a relative namespace: {uri}"),
                ));
            }
        }
        if node.tag_name().namespace().is_none_or(str::is_empty) {
            return Err(Refusal::new(
                Reason::Namespace,
                format!("{} is in no namespace", node.tag_name().name()),
            ));
        }
        let name = node.tag_name().name();
        let home = match name {
            "Response" => Some(PROTOCOL),
            "Assertion" | "EncryptedAssertion" | "NameID" | "Issuer" | "Audience" => {
                Some(ASSERTION)
            }
            "Signature" | "SignedInfo" | "Reference" => Some(DSIG),
            _ => None,
        };
        if home.is_some_and(|home| !is(node, home, name)) {
            return Err(Refusal::new(Reason::Namespace, format!("{name} is in another namespace")));
        }
    }
    Ok(())
}

fn is_absolute(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// An id under whatever name is an xs:ID and is there once.
fn ids(document: &Document<'_>) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for node in document.descendants().filter(Node::is_element) {
        for attribute in node.attributes() {
            if !matches!(
                attribute.name().to_ascii_lowercase().as_str(),
                "id" | "assertionid" | "responseid" | "requestid"
            ) {
                continue;
            }
            let id = attribute.value();
            if attribute.namespace().is_some() || !is_ncname(id) || id.len() > MAX_FIELD {
                return Err(Refusal::new(
                    Reason::Id,
                    format!("an odd id in {}", node.tag_name().name()),
                ));
            }
            if !seen.insert(id) {
                return Err(Refusal::new(Reason::Id, "the same id twice"));
            }
        }
    }
    Ok(())
}

fn is_ncname(id: &str) -> bool {
    id.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Signatures are children of what they sign, at most one each, and nowhere else.
pub(crate) fn refuse_signatures_elsewhere(document: &Document<'_>) -> Result<(), Refusal> {
    for signature in document.descendants().filter(|n| is(*n, DSIG, "Signature")) {
        let parent = signature.parent_element();
        let at_home =
            parent.is_some_and(|p| is(p, PROTOCOL, "Response") || is(p, ASSERTION, "Assertion"));
        let siblings = signature
            .parent()
            .into_iter()
            .flat_map(|p| p.children())
            .filter(|n| is(*n, DSIG, "Signature"))
            .count();
        if !at_home || siblings != 1 {
            return Err(Refusal::new(
                Reason::SignatureShape,
                "a signature that is not the only one directly in what it signs",
            ));
        }
    }
    Ok(())
}
