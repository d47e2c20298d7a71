//! Claims: keys that at most one stream may hold.

use crate::ids::OrganizationId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a claim is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimKind {
    /// A `userName`, unique in its organization without regard to case.
    UserName,
    /// A group's `displayName`: Entra needs it unique although RFC 7643 does not.
    GroupName,
    /// The id of a resource that exists; referring to one needs it to be held.
    Resource,
    /// An organization's domain, unique in the deployment.
    Domain,
    /// A SAML assertion of an issuer; whoever took it has used it.
    Assertion,
    /// A SAML authentication request; whoever took it has answered it.
    SamlRequest,
    /// The first refused check of a session that ended early.
    SessionRefusal,
    /// That all names of an organization are claimed as a [`NameFold`] folds them; the organization
    /// holds it.
    ///
    /// [`NameFold`]: crate::fold_text::NameFold
    NameFold,
    /// The name of a consumer, unique in its organization without regard to case.
    ConsumerName,
    /// An object id of an identity provider, by which one user at most is known.
    ObjectId,
    /// A SAML logout request of an issuer; whoever took it has carried it out.
    LogoutRequest,
}

impl ClaimKind {
    /// All kinds, in their order.
    pub const ALL: [ClaimKind; 11] = [
        ClaimKind::UserName,
        ClaimKind::GroupName,
        ClaimKind::Resource,
        ClaimKind::Domain,
        ClaimKind::Assertion,
        ClaimKind::SamlRequest,
        ClaimKind::SessionRefusal,
        ClaimKind::NameFold,
        ClaimKind::ConsumerName,
        ClaimKind::ObjectId,
        ClaimKind::LogoutRequest,
    ];

    /// The stable name in stores.
    pub fn as_str(self) -> &'static str {
        match self {
            ClaimKind::UserName => "user_name",
            ClaimKind::GroupName => "group_name",
            ClaimKind::Resource => "resource",
            ClaimKind::Domain => "domain",
            ClaimKind::Assertion => "assertion",
            ClaimKind::SamlRequest => "saml_request",
            ClaimKind::SessionRefusal => "session_refusal",
            ClaimKind::NameFold => "name_fold",
            ClaimKind::ConsumerName => "consumer_name",
            ClaimKind::ObjectId => "object_id",
            ClaimKind::LogoutRequest => "logout_request",
        }
    }

    /// Where claims of this kind hold when a stream of an organization takes them.
    pub fn scope(self, organization: OrganizationId) -> OrganizationId {
        match self {
            ClaimKind::Domain => OrganizationId::NONE,
            _ => organization,
        }
    }

    /// Whether it is taken once and for all: not even its holder may take it again.
    pub fn is_once(self) -> bool {
        matches!(
            self,
            ClaimKind::Assertion
                | ClaimKind::SamlRequest
                | ClaimKind::SessionRefusal
                | ClaimKind::LogoutRequest
        )
    }

    /// Reads the stable name.
    pub fn parse(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == s)
    }
}

/// A claim as the domain speaks of it: the folded value in clear. It never reaches a store.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClearClaim {
    /// What it is about.
    pub kind: ClaimKind,
    /// The case-folded value.
    pub value: String,
}

impl fmt::Debug for ClearClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClearClaim({})", self.kind.as_str())
    }
}

impl ClearClaim {
    /// A claim on a value that is folded already.
    pub fn new(kind: ClaimKind, folded: impl Into<String>) -> Self {
        Self { kind, value: folded.into() }
    }
}

/// A claim as stores know it: a keyed hash of the folded value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Claim {
    /// Where it holds; [`OrganizationId::NONE`] for the whole deployment.
    pub scope: OrganizationId,
    /// What it is about.
    pub kind: ClaimKind,
    /// HMAC-SHA256 of the folded value under the scope's key.
    pub key: [u8; 32],
}

/// What an append does with claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimChanges<C> {
    /// Given up. Done before [`Self::take`], so that a stream may retake its own key.
    pub release: Vec<C>,
    /// Taken; the append fails if another stream holds one.
    pub take: Vec<C>,
    /// Must be held by somebody; the append fails if one is not.
    pub require: Vec<C>,
}

impl<C> Default for ClaimChanges<C> {
    fn default() -> Self {
        Self { release: Vec::new(), take: Vec::new(), require: Vec::new() }
    }
}

impl<C> ClaimChanges<C> {
    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.release.is_empty() && self.take.is_empty() && self.require.is_empty()
    }
}
