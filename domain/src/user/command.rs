//! What can be asked of a user.

use super::{SessionEnd, SignIn};
use crate::ids::{ExchangeId, SessionId};
use crate::login::{ObjectId, RefusedLogin};
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
    /// Erase who a user was that is gone.
    Erase {
        /// Why, in the operator's words.
        because: String,
    },
    /// Let nobody erase who the user is or was, until they are released. Everything else goes on as
    /// before.
    Hold {
        /// Why.
        because: String,
    },
    /// Let them be erased again.
    Release {
        /// Why.
        because: String,
    },
    /// Begin a session, on the word of an assertion. Somebody who is not active is refused, by an
    /// event.
    SignIn(Box<SignIn>),
    /// Bring the user into being as SCIM would, and begin a session, at once.
    Provision {
        /// Canonical attributes.
        attributes: Attributes,
        /// The session.
        sign_in: Box<SignIn>,
    },
    /// Keep that a login as this user was refused.
    RefuseLogin(Box<RefusedLogin>),
    /// End a session.
    EndSession {
        /// Which; one that is over is left alone.
        session: SessionId,
        /// Why.
        end: SessionEnd,
    },
    /// Know the user's person by another object id, or by that of the next login. Their sessions
    /// end.
    Repin {
        /// The object id; absent for that of the next login.
        known: Option<ObjectId>,
        /// Why, in the words of whoever asks: 1 to 500 characters.
        reason: String,
    },
    /// Keep how long it took until a session that SCIM ended was refused for the first time.
    NoteSessionRefused {
        /// Which.
        session: SessionId,
        /// From the SCIM request to the refusal.
        milliseconds: u64,
        /// The SCIM request.
        ended_by: Option<ExchangeId>,
    },
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
    /// The assertion does not speak of this user any more: look again who it is.
    #[error("the assertion is not about this user")]
    NotRecognized,
    /// Nobody may erase them until they are released.
    #[error(
        "this user is held, and nobody may erase them: see `rollcall person holds` for why, and release them first"
    )]
    Held,
    /// There is nothing left that could be held.
    #[error("who this user was is erased")]
    Erased,
    /// The reason cannot be kept.
    #[error("a reason has 1 to 500 characters and no control characters")]
    InvalidReason,
    /// The attributes cannot become what was asked.
    #[error(transparent)]
    Scim(#[from] ScimError),
}
