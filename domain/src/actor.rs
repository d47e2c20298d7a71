//! Who caused something.

use crate::ids::{AuditorId, ResourceId, TokenId};
use serde::{Deserialize, Serialize};

/// The caller behind an exchange or an event. A new way to authenticate is a new variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// Nobody we know: no token, or a wrong one.
    Unauthenticated,
    /// A SCIM client with a bearer token.
    ScimToken {
        /// Which token, never its secret.
        token: TokenId,
    },
    /// A person who signed in.
    User {
        /// Who.
        user: ResourceId,
    },
    /// An auditor with a key.
    Auditor {
        /// Which key, never its secret.
        auditor: AuditorId,
    },
    /// The holder of the operator key.
    Operator,
    /// Rollcall itself.
    System,
}
