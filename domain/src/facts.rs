//! What an exchange was about, as data: why it failed, what it wanted, and when that is settled.

use crate::access_end::AccessEnd;
use crate::cause::Cause;
use crate::credential::TokenRequest;
use crate::ids::ResourceId;
use serde::{Deserialize, Serialize};

/// What an exchange was about, as data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The resource that it needed and that was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<ResourceId>,
    /// The resource that has what must be unique.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<ResourceId>,
    /// What it wanted.
    #[serde(default, skip_serializing_if = "Wants::is_empty")]
    pub wants: Wants,
    /// How somebody asked for an access token, and what was found of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_request: Option<Box<TokenRequest>>,
    /// Why a sign-in or sign-out message was refused that could not be trusted, as a stable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted: Option<String>,
}

impl Facts {
    /// True if nothing is known, as of an exchange written before there were facts.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One attribute that is to be set or cleared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which, in the schema's case; a filter that may hold a value is a keyed hash.
    pub path: String,
    /// The keyed hash of the value it is to have; absent if it is to be cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// What a request wanted. Values are keyed hashes under the organization's key, members are ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wants {
    /// Attributes to be set or cleared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Change>,
    /// Who is to be a member.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<ResourceId>,
    /// Who is not to be a member.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<ResourceId>,
    /// True if nobody but `added` is to be a member.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub members_replaced: bool,
    /// True if attributes that are not named are to be cleared (POST, PUT).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
    /// True if the resource is to be deleted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deletes: bool,
    /// True if somebody was to lose access: disabled, deleted, or out of a group.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ends_access: bool,
    /// How many attributes and members are left out here, because there are so many.
    #[serde(skip_serializing_if = "is_zero")]
    pub more: u64,
    /// The keyed hash of all that was wanted, if some of it is left out here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all: Option<String>,
    /// How many operations of the body could not be read so far that it could be told what they are
    /// about.
    #[serde(skip_serializing_if = "is_zero")]
    pub unread: u64,
    /// True if a user is said to be active: whoever was to be disabled before is not any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub enables: bool,
    /// True if somebody was to be out of the group and it could not be read who.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub removes_somebody: bool,
    /// What of a bulk request was not carried out and would have ended access.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<AccessEnd>,
    /// The keyed hash of a body that may come again: who has done it has done all that it asks for,
    /// also what could not be read before. Absent in exchanges of before there were such hashes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Wants {
    /// True if nothing was wanted, or nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// One stable name for each thing that was wanted, which [`settles`] takes; without values.
    pub fn keys(&self) -> Vec<String> {
        let members = self.added.iter().chain(&self.removed).map(|id| format!("m:{id}"));
        let attributes = self.attributes.iter().map(|c| format!("a:{}", c.path));
        let mut keys: Vec<String> = attributes.chain(members).collect();
        keys.extend(self.members_replaced.then(|| "members".to_owned()));
        keys.extend(self.deletes.then(|| "deletion".to_owned()));
        keys.extend(self.all.iter().map(|all| format!("all:{all}")));
        keys.extend((self.unread > 0).then(|| match &self.request {
            Some(request) => format!("{UNREAD}:{request}"),
            None => UNREAD.to_owned(),
        }));
        keys.sort();
        keys.dedup();
        keys
    }
}

/// The key of what could not be read, before the hash of its request.
const UNREAD: &str = "unread";

/// Whether a key stands for what could not be read.
pub fn is_unread(key: &str) -> bool {
    key.split(':').next() == Some(UNREAD)
}

/// Whether a key stands for whether a user is active, which no silence of a PUT changes.
pub fn is_active(key: &str) -> bool {
    key.eq_ignore_ascii_case("a:active")
}

/// Whether a write that succeeded settles one thing that an earlier one wanted: it has done the
/// same, or its client wants something else of the same attribute or member by now. What could not
/// be read is settled by the same request, once it can be read.
pub fn settles(done: &Wants, key: &str) -> bool {
    if done.deletes {
        return true;
    }
    match key.split_once(':') {
        Some(("a", path)) => {
            (done.whole && !is_active(key))
                || done.attributes.iter().any(|c| is_within(path, &c.path))
        }
        Some(("m", id)) => {
            done.members_replaced
                || done.added.iter().chain(&done.removed).any(|m| m.to_string() == id)
        }
        Some(("all", all)) => done.all.as_deref() == Some(all),
        Some((UNREAD, request)) => done.request.as_deref() == Some(request),
        _ => key == "members" && done.members_replaced,
    }
}

/// Whether a path is another one or a part of it.
fn is_within(path: &str, whole: &str) -> bool {
    let Some((head, rest)) = path.split_at_checked(whole.len()) else { return false };
    head.eq_ignore_ascii_case(whole) && (rest.is_empty() || rest.starts_with(['.', '[', ':']))
}
