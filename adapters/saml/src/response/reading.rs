//! What an assertion says, word by word. Everything that SAML allows and Rollcall has no use for is
//! refused rather than skipped: skipped content is where wrapping attacks live.

use crate::gate::{MAX_FIELD, MAX_VALUES, Signature};
use crate::xml::{
    ASSERTION, BEARER, DSIG, XSI, attribute, elements, instant, is, only_attributes, text,
    unexpected,
};
use chrono::{DateTime, Utc};
use rollcall_domain::saml::{NameId, Reason, Refusal};
use roxmltree::{Document, Node};

/// An issuer element.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Issuer {
    pub(crate) value: String,
    pub(crate) format: Option<String>,
}

/// A name id element.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RawNameId {
    pub(crate) value: String,
    pub(crate) format: Option<String>,
    pub(super) name_qualifier: Option<String>,
    pub(super) sp_name_qualifier: Option<String>,
}

impl From<RawNameId> for NameId {
    fn from(raw: RawNameId) -> Self {
        let RawNameId { value, format, name_qualifier, sp_name_qualifier } = raw;
        Self { value: value.into(), format, name_qualifier, sp_name_qualifier }
    }
}

/// A bearer confirmation.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Confirmation {
    pub(super) recipient: Option<String>,
    pub(super) not_before: Option<DateTime<Utc>>,
    pub(super) not_on_or_after: Option<DateTime<Utc>>,
    pub(super) in_response_to: Option<String>,
}

/// The conditions.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Conditions {
    pub(super) not_before: DateTime<Utc>,
    pub(super) not_on_or_after: DateTime<Utc>,
    /// Each restriction with its audiences: all restrictions must hold.
    pub(super) audiences: Vec<Vec<String>>,
}

/// The authentication statement.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Authn {
    pub(super) instant: DateTime<Utc>,
    pub(super) session_index: Option<String>,
    pub(super) session_not_on_or_after: Option<DateTime<Utc>>,
    pub(super) context: Option<String>,
}

/// An assertion as read. The signature is what it looked like, and takes no part in comparisons:
/// verified bytes do not have it.
#[derive(Clone)]
pub(super) struct Reading {
    pub(super) id: String,
    pub(super) issued_at: DateTime<Utc>,
    pub(super) issuer: Issuer,
    pub(super) signature: Option<Signature>,
    pub(super) name_id: RawNameId,
    pub(super) confirmations: Vec<Confirmation>,
    pub(super) conditions: Conditions,
    pub(super) authn: Authn,
    pub(super) attributes: Vec<(String, Vec<String>)>,
}

impl PartialEq for Reading {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, self.issued_at, &self.issuer, &self.name_id)
            == (&other.id, other.issued_at, &other.issuer, &other.name_id)
            && self.confirmations == other.confirmations
            && self.conditions == other.conditions
            && self.authn == other.authn
            && self.attributes == other.attributes
    }
}

impl Reading {
    /// Reads a document that is an assertion.
    pub(super) fn read_alone(document: &Document<'_>) -> Result<Self, Refusal> {
        Self::read(document.root_element())
    }

    /// Reads an assertion element.
    pub(super) fn read(node: Node<'_, '_>) -> Result<Self, Refusal> {
        if !is(node, ASSERTION, "Assertion") {
            return Err(Refusal::new(
                Reason::UnexpectedDocument,
                format!("{} in place of an assertion", node.tag_name().name()),
            ));
        }
        only_attributes(node, &["ID", "Version", "IssueInstant"])?;
        if attribute(node, "Version").as_deref() != Some("2.0") {
            return Err(Refusal::new(Reason::Version, "the assertion is not of version 2.0"));
        }
        let id = attribute(node, "ID")
            .ok_or_else(|| Refusal::new(Reason::Id, "the assertion has no id"))?;
        let issued = attribute(node, "IssueInstant").unwrap_or_default();
        let mut parts = elements(node)?.into_iter().peekable();
        let issuer = parts
            .next_if(|n| is(*n, ASSERTION, "Issuer"))
            .ok_or_else(|| no_issuer("the assertion"))?;
        let signature = parts.next_if(|n| is(*n, DSIG, "Signature"));
        let subject = parts
            .next_if(|n| is(*n, ASSERTION, "Subject"))
            .ok_or_else(|| Refusal::new(Reason::Subject, "no subject"))?;
        let conditions = parts
            .next_if(|n| is(*n, ASSERTION, "Conditions"))
            .ok_or_else(|| Refusal::new(Reason::Conditions, "no conditions"))?;
        let (name_id, confirmations) = read_subject(subject)?;
        let (authn, attributes) = read_statements(parts.collect())?;
        Ok(Self {
            id,
            issued_at: instant(&issued, Reason::IssueInstant, "IssueInstant of the assertion")?,
            issuer: read_issuer(issuer)?,
            signature: signature.map(Signature::read).transpose()?,
            name_id,
            confirmations,
            conditions: read_conditions(conditions)?,
            authn,
            attributes,
        })
    }
}

fn no_issuer(what: &str) -> Refusal {
    Refusal::new(Reason::Issuer, format!("{what} has no issuer"))
}

pub(crate) fn read_issuer(node: Node<'_, '_>) -> Result<Issuer, Refusal> {
    only_attributes(node, &["Format"])?;
    let value = field(node)?;
    if value.is_empty() {
        return Err(no_issuer("an empty element"));
    }
    Ok(Issuer { value, format: attribute(node, "Format") })
}

/// The text of a field that has a bearable length.
fn field(node: Node<'_, '_>) -> Result<String, Refusal> {
    let value = text(node)?;
    if value.chars().count() > MAX_FIELD {
        return Err(Refusal::new(
            Reason::TooComplex,
            format!("{} has more than {MAX_FIELD} characters", node.tag_name().name()),
        ));
    }
    Ok(value)
}

fn read_subject(node: Node<'_, '_>) -> Result<(RawNameId, Vec<Confirmation>), Refusal> {
    let refused = |what: &str| Refusal::new(Reason::Subject, what);
    only_attributes(node, &[])?;
    let parts = elements(node)?;
    let Some((first, rest)) = parts.split_first() else { return Err(refused("an empty subject")) };
    if !is(*first, ASSERTION, "NameID") {
        return Err(refused("the subject does not begin with a name id in clear"));
    }
    let mut confirmations = Vec::new();
    for confirmation in rest {
        if !is(*confirmation, ASSERTION, "SubjectConfirmation") {
            return Err(refused(
                "the subject has something else than one name id and confirmations",
            ));
        }
        if attribute(*confirmation, "Method").as_deref() == Some(BEARER) {
            confirmations.push(read_confirmation(*confirmation)?);
        }
    }
    Ok((read_name_id(*first)?, confirmations))
}

pub(crate) fn read_name_id(node: Node<'_, '_>) -> Result<RawNameId, Refusal> {
    only_attributes(node, &["Format", "NameQualifier", "SPNameQualifier", "SPProvidedID"])?;
    let value = field(node)?;
    if value.is_empty() || value.trim() != value || value.contains(char::is_control) {
        return Err(Refusal::new(
            Reason::Subject,
            "the name id is empty, padded, or has control characters",
        ));
    }
    Ok(RawNameId {
        value,
        format: attribute(node, "Format"),
        name_qualifier: attribute(node, "NameQualifier"),
        sp_name_qualifier: attribute(node, "SPNameQualifier"),
    })
}

fn read_confirmation(node: Node<'_, '_>) -> Result<Confirmation, Refusal> {
    only_attributes(node, &["Method"])?;
    let parts = elements(node)?;
    let [data] = parts.as_slice() else {
        return Err(Refusal::new(
            Reason::Confirmation,
            "a bearer confirmation without its data, or with more",
        ));
    };
    if !is(*data, ASSERTION, "SubjectConfirmationData") {
        return Err(Refusal::new(Reason::Confirmation, "a bearer confirmation without its data"));
    }
    only_attributes(*data, &["NotBefore", "NotOnOrAfter", "Recipient", "InResponseTo", "Address"])?;
    if !text(*data)?.trim().is_empty() {
        return Err(unexpected("text in SubjectConfirmationData"));
    }
    let time = |name: &str| {
        attribute(*data, name).map(|value| instant(&value, Reason::Confirmation, name)).transpose()
    };
    Ok(Confirmation {
        recipient: attribute(*data, "Recipient"),
        not_before: time("NotBefore")?,
        not_on_or_after: time("NotOnOrAfter")?,
        in_response_to: attribute(*data, "InResponseTo"),
    })
}

fn read_conditions(node: Node<'_, '_>) -> Result<Conditions, Refusal> {
    only_attributes(node, &["NotBefore", "NotOnOrAfter"])?;
    let time = |name: &str| {
        let value = attribute(node, name).ok_or_else(|| {
            Refusal::new(Reason::Conditions, format!("conditions without {name}"))
        })?;
        instant(&value, Reason::Conditions, name)
    };
    let mut audiences = Vec::new();
    for condition in elements(node)? {
        let empty = || Ok::<_, Refusal>(elements(condition)?.is_empty());
        if is(condition, ASSERTION, "AudienceRestriction") {
            only_attributes(condition, &[])?;
            let inner = elements(condition)?;
            if let Some(other) = inner.iter().find(|n| !is(**n, ASSERTION, "Audience")) {
                return Err(unexpected(format!(
                    "{} in AudienceRestriction",
                    other.tag_name().name()
                )));
            }
            if inner.is_empty() {
                return Err(Refusal::new(Reason::Audience, "a restriction to nobody"));
            }
            audiences.push(inner.into_iter().map(field).collect::<Result<_, _>>()?);
        } else if is(condition, ASSERTION, "OneTimeUse") && empty()? {
            // Every assertion is used once.
            only_attributes(condition, &[])?;
        } else if is(condition, ASSERTION, "ProxyRestriction") {
            // Rollcall issues no assertions: nothing to restrict.
            only_attributes(condition, &["Count"])?;
        } else {
            return Err(Refusal::new(
                Reason::Conditions,
                format!("an unknown condition: {}", condition.tag_name().name()),
            ));
        }
    }
    Ok(Conditions {
        not_before: time("NotBefore")?,
        not_on_or_after: time("NotOnOrAfter")?,
        audiences,
    })
}

type Attributes = Vec<(String, Vec<String>)>;

fn read_statements(parts: Vec<Node<'_, '_>>) -> Result<(Authn, Attributes), Refusal> {
    let mut authn = None;
    let mut attributes: Attributes = Vec::new();
    for part in parts {
        if is(part, ASSERTION, "AuthnStatement") {
            if authn.replace(read_authn(part)?).is_some() {
                return Err(Refusal::new(
                    Reason::AuthnStatement,
                    "more than one authentication statement",
                ));
            }
        } else if is(part, ASSERTION, "AttributeStatement") {
            only_attributes(part, &[])?;
            for attribute in elements(part)? {
                attributes.push(read_attribute(attribute)?);
            }
        } else {
            return Err(unexpected(format!("{} in the assertion", part.tag_name().name())));
        }
    }
    if attributes.iter().map(|(_, values)| values.len()).sum::<usize>() > MAX_VALUES {
        return Err(Refusal::new(
            Reason::TooComplex,
            format!("more than {MAX_VALUES} attribute values"),
        ));
    }
    let mut names: Vec<&str> = attributes.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Refusal::new(Reason::Attributes, format!("the attribute {} twice", twice[0])));
    }
    Ok((
        authn.ok_or_else(|| Refusal::new(Reason::AuthnStatement, "no authentication statement"))?,
        attributes,
    ))
}

fn read_authn(node: Node<'_, '_>) -> Result<Authn, Refusal> {
    let refused = |what: &str| Refusal::new(Reason::AuthnStatement, what);
    only_attributes(node, &["AuthnInstant", "SessionIndex", "SessionNotOnOrAfter"])?;
    let at = attribute(node, "AuthnInstant")
        .ok_or_else(|| refused("an authentication statement without its instant"))?;
    let until = attribute(node, "SessionNotOnOrAfter");
    let session_index = attribute(node, "SessionIndex");
    if session_index.as_ref().is_some_and(|s| s.is_empty() || s.chars().count() > MAX_FIELD) {
        return Err(refused("an odd session index"));
    }
    let mut context = None;
    let mut contexts = 0;
    for part in elements(node)? {
        if is(part, ASSERTION, "AuthnContext") {
            contexts += 1;
            only_attributes(part, &[])?;
            for inner in elements(part)? {
                match inner.tag_name().name() {
                    "AuthnContextClassRef" if context.is_none() => {
                        context = Some(field(inner)?.trim().to_owned())
                    }
                    "AuthnContextDeclRef" | "AuthenticatingAuthority" => drop(field(inner)?),
                    other => return Err(refused(&format!("{other} in AuthnContext"))),
                }
            }
        } else if is(part, ASSERTION, "SubjectLocality") {
            only_attributes(part, &["Address", "DNSName"])?;
            elements(part)?
                .is_empty()
                .then_some(())
                .ok_or_else(|| refused("something in SubjectLocality"))?;
        } else {
            return Err(refused(&format!("{} in AuthnStatement", part.tag_name().name())));
        }
    }
    if contexts != 1 {
        return Err(refused("an authentication statement without exactly one context"));
    }
    Ok(Authn {
        instant: instant(&at, Reason::AuthnStatement, "AuthnInstant")?,
        session_index,
        session_not_on_or_after: until
            .map(|u| instant(&u, Reason::AuthnStatement, "SessionNotOnOrAfter"))
            .transpose()?,
        context,
    })
}

fn read_attribute(node: Node<'_, '_>) -> Result<(String, Vec<String>), Refusal> {
    let refused = |what: String| Refusal::new(Reason::Attributes, what);
    if !is(node, ASSERTION, "Attribute") {
        return Err(refused(format!("{} in AttributeStatement", node.tag_name().name())));
    }
    only_attributes(node, &["Name", "NameFormat", "FriendlyName"])?;
    let name = attribute(node, "Name")
        .filter(|n| !n.trim().is_empty())
        .ok_or_else(|| refused("an attribute without a name".to_owned()))?;
    let mut values = Vec::new();
    for value in elements(node)? {
        if !is(value, ASSERTION, "AttributeValue") {
            return Err(refused(format!("{} in the attribute {name}", value.tag_name().name())));
        }
        let odd = value
            .attributes()
            .find(|a| a.namespace() != Some(XSI) || !matches!(a.name(), "type" | "nil"));
        if let Some(odd) = odd {
            return Err(refused(format!("{} in a value of {name}", odd.name())));
        }
        values.push(text(value).map_err(|_| refused(format!("a value of {name} is not text")))?);
    }
    Ok((name, values))
}
