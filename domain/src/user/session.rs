//! A session of a user that is to begin, as it is asked for.

use crate::ids::SessionId;
use crate::login::{Attempt, Identifier};
use crate::saml::Assertion;
use chrono::{DateTime, Utc};

/// A session that is to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// Names it.
    pub id: SessionId,
    /// SHA-256 of its token, in lower-case hex.
    pub token_sha256: String,
    /// When it is over at the latest.
    pub expires_at: DateTime<Utc>,
}

/// What is needed to sign somebody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The session.
    pub session: NewSession,
    /// What users are recognized by, in order.
    pub identifiers: Vec<Identifier>,
    /// The assertion, verified.
    pub assertion: Assertion,
    /// The attempt that brought it.
    pub attempt: Attempt,
}
