//! What can be asked of a user.

use crate::scim::{Attributes, Intent, ScimError};

/// A command on one user.
#[derive(Clone, Debug, PartialEq)]
pub enum UserCommand {
    /// Bring the user into being (POST).
    Create {
        /// Canonical attributes; `active` is true if absent.
        attributes: Attributes,
    },
    /// Change what the intents name (PATCH).
    Change {
        /// In order.
        intents: Vec<Intent>,
    },
    /// Replace all attributes (PUT). An absent `active` keeps its value: leaving it out must not
    /// open a door.
    Replace {
        /// Canonical attributes.
        attributes: Attributes,
    },
    /// Remove the user.
    Delete,
}

/// Why a command on a user was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum UserError {
    /// There is no such user.
    #[error("there is no such user")]
    NotFound,
    /// The id is in use.
    #[error("a user with this id exists or existed")]
    AlreadyExists,
    /// The attributes cannot become what was asked.
    #[error(transparent)]
    Scim(#[from] ScimError),
}
