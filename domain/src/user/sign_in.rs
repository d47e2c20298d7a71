//! How a session of a user begins.

use super::session::{NewSession, SignIn};
use super::{SignedIn, UserError, UserEvent};
use crate::context::Context;
use crate::ids::ResourceId;
use crate::login::{Candidate, NotAdmitted, Person, RefusedLogin, choose, drift};
use crate::scim::Attributes;
use serde_json::Value;
use uuid::Uuid;

/// Begins a session, or refuses somebody who is not active. Decided on the user's own state: a
/// SCIM request that switches them off comes before or after, never at the same time.
pub(super) fn sign_in(
    attributes: &Attributes,
    sign_in: SignIn,
    context: &Context,
) -> Result<Vec<UserEvent>, UserError> {
    let SignIn { session, rule, assertion, attempt } = sign_in;
    let this = Candidate { id: ResourceId(Uuid::nil()), attributes };
    let Ok((_, matched_by)) = choose(rule, &Person::of(&assertion), &[this]) else {
        return Err(UserError::NotRecognized);
    };
    if attributes.get("active").and_then(Value::as_bool) != Some(true) {
        let why = NotAdmitted::Inactive;
        let refused = RefusedLogin {
            reason: why.code().to_owned(),
            detail: why.to_string(),
            used_before: false,
            attempt,
        };
        return Ok(vec![UserEvent::LoginRefused(Box::new(refused))]);
    }
    let NewSession { id, token_sha256, expires_at } = session;
    let drift = drift(attributes, &assertion);
    let signed_in = SignedIn {
        session: id,
        token_sha256,
        began_at: context.now,
        expires_at,
        matched_by,
        attempt,
        drift,
    };
    Ok(vec![UserEvent::SignedIn(Box::new(signed_in))])
}
