//! Which user it is.

use super::identifier::is_opaque;
use super::{Identifier, NotAdmitted, Said};
use crate::ids::ResourceId;
use crate::saml::Assertion;
use crate::scim::Attributes;
use serde::{Deserialize, Serialize};

/// What a user was recognized by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchedBy {
    /// The object id is their `externalId`.
    ExternalId,
    /// The NameID or a claim is their `userName`.
    UserName,
}

impl MatchedBy {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            MatchedBy::ExternalId => "external-id",
            MatchedBy::UserName => "user-name",
        }
    }
}

impl From<&Identifier> for MatchedBy {
    fn from(identifier: &Identifier) -> Self {
        match identifier {
            Identifier::ObjectId => Self::ExternalId,
            Identifier::NameId | Identifier::Claim(_) => Self::UserName,
        }
    }
}

/// A user who may be meant.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Who.
    pub id: ResourceId,
    /// What SCIM said of them.
    pub attributes: &'a Attributes,
}

/// Chooses the one user that an assertion speaks of, among those whom a lookup proposes: by the
/// first identifier that finds somebody. What SCIM said counts.
pub fn choose(
    identifiers: &[Identifier],
    assertion: &Assertion,
    candidates: &[Candidate<'_>],
) -> Result<(ResourceId, MatchedBy), NotAdmitted> {
    let mut asked = false;
    for identifier in identifiers {
        let Some(said) = identifier.of(assertion) else { continue };
        asked = true;
        let found = candidates.iter().filter(|c| identifier.is_of(said, c.attributes));
        if let Some(id) = only(found)? {
            return Ok((id, identifier.into()));
        }
    }
    Err(if asked {
        match Said::of(assertion).guest {
            true => NotAdmitted::Guest,
            false => NotAdmitted::Unknown,
        }
    } else if identifiers.contains(&Identifier::NameId) && is_opaque(assertion) {
        NotAdmitted::OpaqueNameId
    } else {
        NotAdmitted::NoIdentifier
    })
}

fn only<'a>(
    found: impl Iterator<Item = &'a Candidate<'a>>,
) -> Result<Option<ResourceId>, NotAdmitted> {
    let mut ids: Vec<ResourceId> = found.map(|c| c.id).collect();
    ids.dedup();
    match ids[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(NotAdmitted::Ambiguous),
    }
}
