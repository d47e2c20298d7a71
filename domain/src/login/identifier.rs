//! What people are recognized by: one thing that an assertion says, held against one that SCIM
//! said. It is compared exactly, as its kind asks; nothing is rewritten to make two values equal.

use crate::saml::{Assertion, attribute_names};
use crate::scim::Attributes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use uuid::Uuid;

/// Formats of a NameID that never hold a user name.
const OPAQUE: [&str; 2] = [
    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
];
/// Longest name of a claim, in bytes.
const CLAIM_BYTES: usize = 300;
const CLAIM: &str = "claim:";

/// One identifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Identifier {
    /// The NameID, unless it is opaque, against `userName`.
    NameId,
    /// The object id against `externalId`.
    ObjectId,
    /// The one value of a claim of this name against `userName`.
    Claim(String),
}

/// A text that names no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an identifier is name-id, object-id, or claim:NAME with the name of a claim of at most 300 characters without blanks"
)]
pub struct NoIdentifier;

impl Identifier {
    /// Most identifiers that one organization may list.
    pub const MOST: usize = 4;

    /// Reads the stable text.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, NoIdentifier> {
        match text.strip_prefix(CLAIM) {
            None if text == "name-id" => Ok(Self::NameId),
            None if text == "object-id" => Ok(Self::ObjectId),
            Some(name)
                if !name.is_empty()
                    && name.len() <= CLAIM_BYTES
                    && name.bytes().all(|b| b.is_ascii_graphic()) =>
            {
                Ok(Self::Claim(name.to_owned()))
            }
            _ => Err(NoIdentifier),
        }
    }

    /// What a connection of before used, which nobody chose: the object id, and every name.
    pub fn of_before() -> Vec<Self> {
        [vec![Self::ObjectId], Self::names_of_before()].concat()
    }

    /// The names by which a connection of before recognized people.
    pub fn names_of_before() -> Vec<Self> {
        let claim = |name: &str| Self::Claim(name.to_owned());
        vec![Self::NameId, claim(attribute_names::NAME), claim(attribute_names::UPN)]
    }

    /// What an assertion says by it; nothing if that is empty.
    pub fn of<'a>(&self, assertion: &'a Assertion) -> Option<&'a str> {
        let said = match self {
            Self::NameId => {
                (!is_opaque(assertion)).then(|| assertion.name_id.value.value().as_str())
            }
            Self::ObjectId => assertion.object_identifier.as_ref().map(|id| id.value().as_str()),
            Self::Claim(name) => assertion.attribute(name),
        };
        said.filter(|value| !value.is_empty())
    }

    /// Whether what an assertion said is what SCIM said of a user.
    pub fn is_of(&self, said: &str, attributes: &Attributes) -> bool {
        let (attribute, same): (_, fn(&str, &str) -> bool) = match self {
            Self::ObjectId => ("externalId", is_same_id),
            Self::NameId | Self::Claim(_) => ("userName", is_same_name),
        };
        attributes.get(attribute).and_then(Value::as_str).is_some_and(|known| same(known, said))
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameId => f.write_str("name-id"),
            Self::ObjectId => f.write_str("object-id"),
            Self::Claim(name) => write!(f, "{CLAIM}{name}"),
        }
    }
}

impl TryFrom<String> for Identifier {
    type Error = NoIdentifier;

    fn try_from(text: String) -> Result<Self, NoIdentifier> {
        Self::parse(&text)
    }
}

impl From<Identifier> for String {
    fn from(identifier: Identifier) -> Self {
        identifier.to_string()
    }
}

/// Whether the NameID is of a format that holds no user name.
pub(super) fn is_opaque(assertion: &Assertion) -> bool {
    assertion.name_id.format.as_deref().is_some_and(|format| OPAQUE.contains(&format))
}

/// Object ids are UUIDs, whose case says nothing; `externalId` is compared exactly otherwise (RFC
/// 7643 section 3.1).
pub fn is_same_id(a: &str, b: &str) -> bool {
    let uuid = |text: &str| Uuid::try_parse(text).ok();
    a == b || matches!((uuid(a), uuid(b)), (Some(a), Some(b)) if a == b)
}

/// Names differ in nothing but the case of the letters A to Z, which are all that a user principal
/// name may have. SCIM is more generous when it asks whether a name is free (RFC 7644 section 5);
/// here, whoever is taken for somebody gets in as them.
pub fn is_same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}
