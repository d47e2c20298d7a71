//! What an accepted assertion says.

use crate::personal::Personal;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Names of the attributes that Entra sends. None has a `NameFormat` unless an admin asks for it.
pub mod attribute_names {
    /// The tenant of the user.
    pub const TENANT_ID: &str = "http://schemas.microsoft.com/identity/claims/tenantid";
    /// The user's object id: never changes, never reused; what SCIM has as `externalId`.
    pub const OBJECT_IDENTIFIER: &str =
        "http://schemas.microsoft.com/identity/claims/objectidentifier";
    /// Where the user signed in: differs from the issuer for guests.
    pub const IDENTITY_PROVIDER: &str =
        "http://schemas.microsoft.com/identity/claims/identityprovider";
    /// The user's display name.
    pub const DISPLAY_NAME: &str = "http://schemas.microsoft.com/identity/claims/displayname";
    /// How the user signed in.
    pub const AUTHN_METHODS: &str = "http://schemas.microsoft.com/claims/authnmethodsreferences";
    /// The user principal name, with `#EXT#` for guests.
    pub const NAME: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name";
    /// The user principal name, under the name that an admin may have chosen.
    pub const UPN: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";
    /// The mail address.
    pub const EMAIL_ADDRESS: &str =
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress";
    /// The given name.
    pub const GIVEN_NAME: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname";
    /// The family name.
    pub const SURNAME: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname";
    /// Object ids of groups, up to 150.
    pub const GROUPS: &str = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups";
    /// Stands for the groups of a user who is in more than 150.
    pub const GROUPS_LINK: &str = "http://schemas.microsoft.com/claims/groups.link";
    /// Roles in the application.
    pub const ROLE: &str = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";
}

/// A `NameID`: who it is, to the identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameId {
    /// Exactly as sent: never trimmed, never folded.
    pub value: Personal<String>,
    /// Its format URI, if one was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Qualifiers, if sent; a logout request has to repeat them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_qualifier: Option<String>,
    /// Qualifiers, if sent; a logout request has to repeat them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sp_name_qualifier: Option<String>,
}

/// Which part carried the signature that was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignedParts {
    /// The assertion: Entra's default.
    Assertion,
    /// The response around it.
    Response,
    /// Both.
    Both,
}

/// An assertion that passed every check. Its id is used once: whoever accepts it for a login takes
/// it as a claim in the same append.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assertion {
    /// Its id, unique at its issuer.
    pub id: String,
    /// Who issued it: equal to the configured entity id.
    pub issuer: String,
    /// The subject.
    pub name_id: NameId,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// The earlier end of its conditions and of its confirmation. Clock skew is not included.
    pub not_on_or_after: DateTime<Utc>,
    /// When the user signed in at the identity provider; may be hours ago.
    pub authn_instant: DateTime<Utc>,
    /// How the user signed in, as an authentication context class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authn_context: Option<String>,
    /// Names the session at the identity provider, for logout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_index: Option<String>,
    /// No session may last longer than this, if said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_not_on_or_after: Option<DateTime<Utc>>,
    /// The request it answers; absent when the identity provider began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_response_to: Option<String>,
    /// The tenant of the user, if said; equal to the issuer's tenant when that is one of Entra's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// The user's object id, if said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_identifier: Option<Personal<String>>,
    /// All attributes by name, values in order; names are unique.
    pub attributes: Personal<BTreeMap<String, Vec<String>>>,
    /// SHA-256 of the trusted certificate that verified the signature, in lower-case hex.
    pub certificate_sha256: String,
    /// Which part was signed.
    pub signed: SignedParts,
    /// Whether it came encrypted to us.
    pub encrypted: bool,
}

impl Assertion {
    /// The value of an attribute that has exactly one.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        match self.attributes.value().get(name).map(Vec::as_slice) {
            Some([one]) => Some(one),
            _ => None,
        }
    }

    /// All values of an attribute.
    pub fn values(&self, name: &str) -> &[String] {
        self.attributes.value().get(name).map(Vec::as_slice).unwrap_or_default()
    }
}
