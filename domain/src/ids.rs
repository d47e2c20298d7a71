//! One type for each kind of id, so that a user id is never taken for a group id.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
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
                Uuid::from_str(s).map(Self)
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
    /// A SCIM resource, user or group; what `id` says on the wire (RFC 7643 section 3.1).
    ResourceId
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
    /// A key pair of an organization as SAML service provider.
    SamlKeyId
);

impl OrganizationId {
    /// Stands for "no organization": exchanges whose token named none, and claims that hold in
    /// the whole deployment.
    pub const NONE: OrganizationId = OrganizationId(Uuid::nil());
}
