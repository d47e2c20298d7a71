//! One type for each kind of id, so that a user id is never taken for a group id.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        id!($(#[$doc])* $name, |_: &str| true);
    };
    ($(#[$doc:meta])* $name:ident, $is_exact:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                // What is refused for its form fails as an empty text does.
                Uuid::from_str(if $is_exact(s) { s } else { "" }).map(Self)
            }
        }
    };
}

id!(
    /// An organization: one tenant with its directory, its SCIM and its SAML connection.
    OrganizationId
);
id!(
    /// One inbound request or message with our answer.
    ExchangeId
);
id!(
    /// A SCIM bearer token (never the token itself).
    TokenId
);
id!(
    /// An auditor's key (never the key itself).
    AuditorId
);
id!(
    /// A credential of any kind (never its secret): a SCIM client's, an auditor's, an admin's or an
    /// operator's.
    CredentialId
);
id!(
    /// A SCIM resource, user or group; what `id` says on the wire (RFC 7643 section 3.1). It is
    /// read exactly as it is written, for `id` is `caseExact`.
    ResourceId, is_as_written
);
id!(
    /// A run: the exchanges of one sync cycle, on-demand provisioning or connection test.
    RunId
);

id!(
    /// A session that began with a login (never its token).
    SessionId
);
id!(
    /// Who follows an organization's log from outside (never its key).
    ConsumerId
);
id!(
    /// A key pair of an organization as SAML service provider.
    SamlKeyId
);

/// Lower case, with hyphens: the one form in which ids are given out.
fn is_as_written(s: &str) -> bool {
    s.len() == 36 && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

// Each kind had an id of its own before there was one for all.
impl From<TokenId> for CredentialId {
    fn from(token: TokenId) -> Self {
        Self(token.0)
    }
}

impl From<AuditorId> for CredentialId {
    fn from(auditor: AuditorId) -> Self {
        Self(auditor.0)
    }
}

impl OrganizationId {
    /// Stands for "no organization": exchanges whose token named none, and claims that hold in
    /// the whole deployment.
    pub const NONE: OrganizationId = OrganizationId(Uuid::nil());
}
