//! Who caused something.

use crate::ids::{AuditorId, ConsumerId, CredentialId, ResourceId, TokenId};
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
    /// The admin of one organization, with a key.
    Admin {
        /// Which key, never its secret.
        admin: CredentialId,
        /// Whom the key is for.
        name: String,
    },
    /// An operator with a key of their own.
    NamedOperator {
        /// Which key, never its secret.
        operator: CredentialId,
        /// Whom the key is for.
        name: String,
    },
    /// A consumer with a key, following the log.
    Consumer {
        /// Which consumer.
        consumer: ConsumerId,
        /// Which of its keys, never its secret.
        key: CredentialId,
    },
    /// The holder of the operator key of the data folder.
    Operator,
    /// Somebody on the machine of the server, through the socket in the data folder.
    LocalOperator {
        /// The account by which the machine knows them.
        name: String,
    },
    /// Rollcall itself.
    System,
}

impl Actor {
    /// The stable names of all kinds, each with whether one of that kind has an id.
    pub const KINDS: [(&str, bool); 9] = [
        ("operator", false),
        ("local_operator", false),
        ("named_operator", true),
        ("admin", true),
        ("auditor", true),
        ("system", false),
        ("scim_token", true),
        ("user", true),
        ("unauthenticated", false),
    ];

    /// The stable name of its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Actor::Unauthenticated => "unauthenticated",
            Actor::ScimToken { .. } => "scim_token",
            Actor::User { .. } => "user",
            Actor::Auditor { .. } => "auditor",
            Actor::Admin { .. } => "admin",
            Actor::NamedOperator { .. } => "named_operator",
            Actor::Consumer { .. } => "consumer",
            Actor::Operator => "operator",
            Actor::LocalOperator { .. } => "local_operator",
            Actor::System => "system",
        }
    }

    /// What somebody called them, if anybody did.
    pub fn name(&self) -> Option<&str> {
        match self {
            Actor::Admin { name, .. }
            | Actor::LocalOperator { name }
            | Actor::NamedOperator { name, .. } => Some(name),
            _ => None,
        }
    }

    /// What they are called: by their name, or else by their kind.
    pub fn called(&self) -> &str {
        self.name().unwrap_or(self.kind())
    }

    /// Whether it operates the deployment.
    pub fn is_operator(&self) -> bool {
        matches!(self, Actor::Operator | Actor::LocalOperator { .. } | Actor::NamedOperator { .. })
    }
}
