//! Sessions of a user: how one begins, and what ends it.

use super::{SignedIn, User, UserError, UserEvent};
use crate::context::Context;
use crate::ids::{ResourceId, SessionId};
use crate::login::{Attempt, Candidate, Matching, NotAdmitted, Person, RefusedLogin, choose, drift};
use crate::saml::Assertion;
use crate::scim::Attributes;
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

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
    /// The rule by which users are recognized.
    pub rule: Matching,
    /// The assertion, verified.
    pub assertion: Assertion,
    /// The attempt that brought it.
    pub attempt: Attempt,
}

/// Begins a session, or refuses somebody who is not active. Decided on the user's own state: a
/// SCIM request that switches them off comes before or after, never at the same time.
pub(super) fn sign_in(attributes: &Attributes, sign_in: SignIn, context: &Context) -> Result<Vec<UserEvent>, UserError> {
    let SignIn { session, rule, assertion, attempt } = sign_in;
    let this = Candidate { id: ResourceId(Uuid::nil()), attributes };
    let Ok((_, matched_by)) = choose(rule, &Person::of(&assertion), &[this]) else { return Err(UserError::NotRecognized) };
    if attributes.get("active").and_then(Value::as_bool) != Some(true) {
        let why = NotAdmitted::Inactive;
        let refused = RefusedLogin { reason: why.code().to_owned(), detail: why.to_string(), used_before: false, attempt };
        return Ok(vec![UserEvent::LoginRefused(Box::new(refused))]);
    }
    let NewSession { id, token_sha256, expires_at } = session;
    let drift = drift(attributes, &assertion);
    let signed_in = SignedIn { session: id, token_sha256, began_at: context.now, expires_at, matched_by, attempt, drift };
    Ok(vec![UserEvent::SignedIn(Box::new(signed_in))])
}

impl User {
    /// The sessions that have not ended, with the instant at which each is over at the latest.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, DateTime<Utc>)> {
        match self {
            User::Present { sessions, .. } => Some(sessions.iter().map(|(id, until)| (*id, *until))),
            User::Absent | User::Deleted => None,
        }
        .into_iter()
        .flatten()
    }

    /// Whether a session of this user has neither ended nor run out.
    pub fn has_session(&self, session: SessionId, now: DateTime<Utc>) -> bool {
        self.sessions().any(|(id, until)| id == session && now < until)
    }
}
