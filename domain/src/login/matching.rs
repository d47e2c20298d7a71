//! Which user it is.

use super::Person;
use crate::fold_text::fold_user_name;
use crate::ids::ResourceId;
use crate::scim::Attributes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// How an organization finds the user of an assertion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Matching {
    /// The object id against `externalId`; if nobody has it, the NameID or user principal name
    /// against `userName`.
    #[default]
    ObjectIdThenUserName,
    /// The object id against `externalId`, and nothing else.
    ObjectId,
    /// The NameID or user principal name against `userName`, and nothing else.
    UserName,
}

impl Matching {
    /// All rules.
    pub const ALL: [Matching; 3] =
        [Matching::ObjectIdThenUserName, Matching::ObjectId, Matching::UserName];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Matching::ObjectIdThenUserName => "object-id-then-user-name",
            Matching::ObjectId => "object-id",
            Matching::UserName => "user-name",
        }
    }

    /// Reads the stable name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text)
    }

    /// Whether the object id counts.
    pub fn by_object_id(self) -> bool {
        self != Matching::UserName
    }

    /// Whether the names count.
    pub fn by_user_name(self) -> bool {
        self != Matching::ObjectId
    }
}

/// What a user was recognized by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchedBy {
    /// The object id is their `externalId`.
    ExternalId,
    /// The NameID or the user principal name is their `userName`.
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

/// A user who may be meant.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Who.
    pub id: ResourceId,
    /// What SCIM said of them.
    pub attributes: &'a Attributes,
}

/// Why somebody whose assertion is good is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// Nobody here is that person.
    #[error(
        "no user has this externalId or userName: is the user assigned to the application and provisioned?"
    )]
    Unknown,
    /// The person is a guest, and nobody here is that guest.
    #[error(
        "no user is this guest: map objectId to externalId in Entra's provisioning, because a guest's userName is another in SCIM"
    )]
    Guest,
    /// More than one user could be meant.
    #[error("more than one user has this externalId or userName")]
    Ambiguous,
    /// The name is a user's, but the object id is another person's: the name was given to somebody
    /// else.
    #[error(
        "the userName is that of a user with another object id: the name was given to another person"
    )]
    OtherPerson,
    /// The user is switched off.
    #[error("the user is not active")]
    Inactive,
    /// The assertion was used before.
    #[error("the assertion was used before")]
    Replayed,
    /// The request that the response answers was answered before.
    #[error("the request was answered before")]
    RequestAnswered,
    /// A user could not be made of the assertion.
    #[error("just-in-time provisioning could not make a user of what the assertion says")]
    NotProvisioned,
}

impl NotAdmitted {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            NotAdmitted::Unknown => "unknown-user",
            NotAdmitted::Guest => "unknown-guest",
            NotAdmitted::Ambiguous => "ambiguous-user",
            NotAdmitted::OtherPerson => "other-person",
            NotAdmitted::Inactive => "inactive-user",
            NotAdmitted::Replayed => "replayed",
            NotAdmitted::RequestAnswered => "request-answered",
            NotAdmitted::NotProvisioned => "not-provisioned",
        }
    }

    /// A sentence for the person who wanted to sign in.
    pub fn advice(self) -> &'static str {
        match self {
            NotAdmitted::Unknown | NotAdmitted::Guest => {
                "You have no account in this application yet. Ask your administrator to assign it to you; new accounts can take 40 minutes to arrive."
            }
            NotAdmitted::Inactive => {
                "Your account in this application is switched off. Ask your administrator to switch it on."
            }
            NotAdmitted::Ambiguous | NotAdmitted::OtherPerson | NotAdmitted::NotProvisioned => {
                "Your account could not be found without doubt. Please give the code below to your administrator."
            }
            NotAdmitted::Replayed | NotAdmitted::RequestAnswered => {
                "This sign-in was used already. Please start again from the application's sign-in page."
            }
        }
    }
}

/// Chooses the one user that a person is, among those whom a lookup proposes. What SCIM said
/// counts; a mail address never does.
pub fn choose(
    rule: Matching,
    person: &Person,
    candidates: &[Candidate<'_>],
) -> Result<(ResourceId, MatchedBy), NotAdmitted> {
    let object_id =
        person.object_identifier.as_deref().filter(|id| rule.by_object_id() && !id.is_empty());
    if let Some(object_id) = object_id
        && let Some(id) = only(
            candidates
                .iter()
                .filter(|c| text(c, "externalId").is_some_and(|e| is_same_id(e, object_id))),
        )?
    {
        return Ok((id, MatchedBy::ExternalId));
    }
    if rule.by_user_name() {
        let names: Vec<String> = person.user_names.iter().map(|n| fold_user_name(n)).collect();
        let mut named = candidates
            .iter()
            .filter(|c| text(c, "userName").is_some_and(|n| names.contains(&fold_user_name(n))));
        if let Some(id) = only(named.clone())? {
            let others = |c: &Candidate<'_>| matches!((text(c, "externalId").map(uuid), object_id.map(uuid)), (Some(Some(a)), Some(Some(b))) if a != b);
            return if named.any(others) {
                Err(NotAdmitted::OtherPerson)
            } else {
                Ok((id, MatchedBy::UserName))
            };
        }
    }
    Err(if person.guest { NotAdmitted::Guest } else { NotAdmitted::Unknown })
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

fn text<'a>(candidate: &Candidate<'a>, name: &str) -> Option<&'a str> {
    candidate.attributes.get(name).and_then(Value::as_str)
}

fn uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}

/// Object ids are UUIDs, whose case says nothing; `externalId` is compared exactly otherwise (RFC
/// 7643 section 3.1).
fn is_same_id(a: &str, b: &str) -> bool {
    a == b || matches!((uuid(a), uuid(b)), (Some(a), Some(b)) if a == b)
}
