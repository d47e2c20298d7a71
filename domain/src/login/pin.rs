//! The object id by which a user's person is known, once they have signed in. A name can be given
//! to somebody else; an object id never changes and is never used again.

use super::NotAdmitted;
use super::attempt::Asserted;
use super::identifier::is_same_id;
use crate::claim::{ClaimKind, ClearClaim};
use crate::personal::Personal;
use crate::saml::Assertion;
use crate::scim::Attributes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Longest object id that is pinned, in bytes. Entra's are UUIDs.
const MOST_BYTES: usize = 200;

/// An object id, and the identity provider at which it is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectId {
    /// The entity id of the identity provider.
    pub issuer: String,
    /// The object id; a UUID in lower case.
    pub object_id: Personal<String>,
}

impl ObjectId {
    /// Reads one; nothing if it cannot be one.
    pub fn new(issuer: &str, object_id: &str) -> Option<Self> {
        let plain =
            object_id.len() <= MOST_BYTES && object_id.bytes().all(|b| b.is_ascii_graphic());
        let text = match Uuid::try_parse(object_id) {
            Ok(uuid) => uuid.to_string(),
            Err(_) => object_id.to_owned(),
        };
        (plain && !text.is_empty())
            .then(|| Self { issuer: issuer.to_owned(), object_id: text.into() })
    }

    /// What an assertion says.
    pub fn of(assertion: &Assertion) -> Option<Self> {
        Self::new(&assertion.issuer, assertion.object_identifier.as_ref()?.value())
    }

    /// What an assertion said that was accepted.
    pub fn asserted(asserted: &Asserted) -> Option<Self> {
        Self::new(&asserted.issuer, asserted.object_identifier.as_ref()?.value())
    }

    /// That this is one user's and nobody else's.
    pub fn claim(&self) -> ClearClaim {
        let value = format!("{}\n{}", self.issuer, self.object_id.value());
        ClearClaim::new(ClaimKind::ObjectId, value)
    }
}

/// What is known of a user's person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The object id.
    pub known: ObjectId,
    /// True once it was pinned by an event. Before there were such events it was said by each
    /// login, and the last one counts.
    pub pinned: bool,
}

/// What a login does about the pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pinning {
    /// It stays, or there is nothing to pin.
    Stays,
    /// This is pinned.
    Pin(ObjectId),
    /// The first is given up, because the organization has another identity provider now, and the
    /// second is pinned.
    Replace(ObjectId, ObjectId),
}

impl Pin {
    /// Whether the person of an assertion is the one that a user is known to be.
    ///
    /// # Errors
    /// If they are somebody else, or nobody can tell.
    pub fn judge(
        pin: Option<&Self>,
        attributes: &Attributes,
        assertion: &Assertion,
    ) -> Result<Pinning, NotAdmitted> {
        let said = ObjectId::of(assertion);
        let Some(pin) = pin else {
            return match said {
                Some(said) if speaks_against(attributes, &said) => Err(NotAdmitted::OtherPerson),
                Some(said) => Ok(Pinning::Pin(said)),
                None => Ok(Pinning::Stays),
            };
        };
        if pin.known.issuer != assertion.issuer {
            return Ok(match said {
                Some(said) => Pinning::Replace(pin.known.clone(), said),
                None => Pinning::Stays,
            });
        }
        match said {
            None => Err(NotAdmitted::ObjectIdMissing),
            Some(said) if said != pin.known => Err(NotAdmitted::OtherPerson),
            Some(_) if pin.pinned => Ok(Pinning::Stays),
            Some(said) => Ok(Pinning::Pin(said)),
        }
    }
}

/// Whether SCIM says that the user is somebody else: an `externalId` that is a UUID is an object
/// id. By Entra's default mapping it is the mail nickname, which says nothing.
fn speaks_against(attributes: &Attributes, said: &ObjectId) -> bool {
    let external_id = attributes.get("externalId").and_then(Value::as_str);
    external_id.is_some_and(|known| {
        let both_are_ids =
            [known, said.object_id.value()].iter().all(|text| Uuid::try_parse(text).is_ok());
        both_are_ids && !is_same_id(known, said.object_id.value())
    })
}
