//! The response around an assertion.

use super::reading::{Issuer, read_issuer};
use crate::gate::Signature;
use crate::xml::{
    ASSERTION, DSIG, PROTOCOL, attribute, elements, instant, is, only_attributes, text, unexpected,
};
use chrono::{DateTime, Utc};
use rollcall_domain::saml::{Reason, Refusal};
use roxmltree::Node;

/// What a response holds.
#[derive(Clone, Copy)]
pub(super) enum Content<'a, 'i> {
    Assertion(Node<'a, 'i>),
    Encrypted(Node<'a, 'i>),
}

/// A response, as it came. Unless it is signed nothing in it is proven.
pub(super) struct Envelope<'a, 'i> {
    pub(super) issued_at: DateTime<Utc>,
    pub(super) destination: Option<String>,
    pub(super) in_response_to: Option<String>,
    pub(super) issuer: Option<Issuer>,
    pub(super) signature: Option<Signature>,
    pub(super) content: Content<'a, 'i>,
}

impl<'a, 'i> Envelope<'a, 'i> {
    /// Reads it; an answer that says that sign-in failed is refused with what it says.
    pub(super) fn read(root: Node<'a, 'i>) -> Result<Self, Refusal> {
        only_attributes(
            root,
            &["ID", "Version", "IssueInstant", "Destination", "Consent", "InResponseTo"],
        )?;
        if attribute(root, "Version").as_deref() != Some("2.0") {
            return Err(Refusal::new(Reason::Version, "the response is not of version 2.0"));
        }
        if attribute(root, "ID").is_none() {
            return Err(Refusal::new(Reason::Id, "the response has no id"));
        }
        let issued = attribute(root, "IssueInstant").unwrap_or_default();
        let issued_at = instant(&issued, Reason::IssueInstant, "IssueInstant of the response")?;

        let mut parts = elements(root)?.into_iter().peekable();
        let issuer = parts.next_if(|n| is(*n, ASSERTION, "Issuer")).map(read_issuer).transpose()?;
        let signature = parts.next_if(|n| is(*n, DSIG, "Signature"));
        let count = root.descendants().filter(|n| is_assertion(*n)).count();
        if count > 1 {
            return Err(Refusal::new(Reason::AssertionCount, format!("{count} assertions")));
        }
        match parts.next() {
            Some(status) if is(status, PROTOCOL, "Status") => success(status)?,
            Some(other) if !is_assertion(other) => {
                return Err(unexpected(format!("{} in the response", other.tag_name().name())));
            }
            _ => {
                return Err(Refusal::new(
                    Reason::IdpStatus,
                    "the response has no status where it belongs",
                ));
            }
        }
        let content = content(count, &parts.collect::<Vec<_>>())?;
        Ok(Self {
            issued_at,
            destination: attribute(root, "Destination"),
            in_response_to: attribute(root, "InResponseTo"),
            issuer,
            signature: signature.map(Signature::read).transpose()?,
            content,
        })
    }
}

/// Whether a document is a response at all.
pub(super) fn expect_response(root: Node<'_, '_>) -> Result<(), Refusal> {
    if is(root, PROTOCOL, "Response") {
        return Ok(());
    }
    Err(Refusal::new(
        Reason::UnexpectedDocument,
        format!("the document is a {}", root.tag_name().name()),
    ))
}

fn is_assertion(node: Node<'_, '_>) -> bool {
    is(node, ASSERTION, "Assertion") || is(node, ASSERTION, "EncryptedAssertion")
}

/// The one assertion, at its place and nowhere else.
fn content<'a, 'i>(count: usize, rest: &[Node<'a, 'i>]) -> Result<Content<'a, 'i>, Refusal> {
    match rest {
        _ if count == 0 => Err(Refusal::new(Reason::AssertionCount, "no assertion")),
        [one] if is(*one, ASSERTION, "Assertion") => Ok(Content::Assertion(*one)),
        [one] if is(*one, ASSERTION, "EncryptedAssertion") => Ok(Content::Encrypted(*one)),
        other => {
            let names: Vec<&str> = other.iter().map(|n| n.tag_name().name()).collect();
            Err(unexpected(format!("the response ends with {}", names.join(", "))))
        }
    }
}

/// Refuses a status that is not success, with its codes: they are the identity provider's words,
/// and its message may name the person, so that it is left out.
fn success(status: Node<'_, '_>) -> Result<(), Refusal> {
    let refused = |what: String| Err(Refusal::new(Reason::IdpStatus, what));
    only_attributes(status, &[])?;
    let parts = elements(status)?;
    let codes: Vec<String> = status
        .descendants()
        .filter(|n| is(*n, PROTOCOL, "StatusCode"))
        .filter_map(|n| attribute(n, "Value"))
        .take(4)
        .collect();
    let Some(first) = parts.first().filter(|n| is(**n, PROTOCOL, "StatusCode")) else {
        return refused("the status has no code".to_owned());
    };
    if attribute(*first, "Value").as_deref() != Some(crate::xml::SUCCESS) {
        let error = parts
            .iter()
            .find(|n| is(**n, PROTOCOL, "StatusMessage"))
            .and_then(|n| text(*n).ok())
            .and_then(|t| aadsts(&t));
        let short: Vec<&str> = codes.iter().filter_map(|c| c.rsplit(':').next()).collect();
        return refused(format!(
            "the identity provider answered {}{}",
            short.join(", "),
            error.unwrap_or_default()
        ));
    }
    let only = parts.len() == 1 && codes.len() == 1 && elements(*first)?.is_empty();
    let message = parts.len() == 2 && codes.len() == 1 && is(parts[1], PROTOCOL, "StatusMessage");
    if only || message {
        Ok(())
    } else {
        refused("a status of success with something else in it".to_owned())
    }
}

/// Entra's error number in a message such as `AADSTS50105: ...`.
fn aadsts(message: &str) -> Option<String> {
    let digits: String = message
        .trim_start()
        .strip_prefix("AADSTS")?
        .chars()
        .take_while(char::is_ascii_digit)
        .take(10)
        .collect();
    (!digits.is_empty()).then(|| format!(" (AADSTS{digits})"))
}
