//! What can be asked of a group.

use crate::ids::ResourceId;
use crate::scim::{Attributes, Intent, ScimError};

/// A command on one group.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupCommand {
    /// Bring the group into being (POST).
    Create {
        /// Canonical attributes without members.
        attributes: Attributes,
        /// The first members, each once.
        members: Vec<ResourceId>,
    },
    /// Change what the intents name (PATCH).
    Change {
        /// In order.
        intents: Vec<Intent>,
    },
    /// Replace all attributes (PUT).
    Replace {
        /// Canonical attributes without members.
        attributes: Attributes,
        /// The members from now on; `None` keeps them, because a client that read the group
        /// without members must not empty it by writing it back.
        members: Option<Vec<ResourceId>>,
    },
    /// Remove the group.
    Delete,
}

/// Why a command on a group was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GroupError {
    /// There is no such group.
    #[error("there is no such group")]
    NotFound,
    /// The id is in use.
    #[error("a group with this id exists or existed")]
    AlreadyExists,
    /// A group cannot be its own member.
    #[error("a group cannot be a member of itself")]
    OwnMember(ResourceId),
    /// The attributes cannot become what was asked.
    #[error(transparent)]
    Scim(#[from] ScimError),
}
