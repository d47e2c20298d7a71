//! How a session of a user begins.

use super::session::{NewSession, SignIn};
use super::{SignedIn, User, UserError, UserEvent};
use crate::context::Context;
use crate::ids::ResourceId;
use crate::login::{Attempt, Candidate, NotAdmitted, Pin, Pinning, RefusedLogin, choose, drift};
use crate::saml::Assertion;
use crate::scim::Attributes;
use serde_json::Value;
use uuid::Uuid;

/// Begins a session, or refuses somebody who is not active, or is not the person that the user is
/// known to be. Decided on the user's own state: a SCIM request that switches them off comes before
/// or after, never at the same time.
pub(super) fn sign_in(
    attributes: &Attributes,
    pin: Option<&Pin>,
    sign_in: SignIn,
    context: &Context,
) -> Result<Vec<UserEvent>, UserError> {
    let SignIn { session, identifiers, assertion, attempt } = sign_in;
    let this = Candidate { id: ResourceId(Uuid::nil()), attributes };
    let Ok((_, matched_by)) = choose(&identifiers, &assertion, &[this]) else {
        return Err(UserError::NotRecognized);
    };
    let pinning = match Pin::judge(pin, attributes, &assertion) {
        Ok(pinning) => pinning,
        Err(why) => return Ok(vec![refused(why, attempt)]),
    };
    if attributes.get("active").and_then(Value::as_bool) != Some(true) {
        return Ok(vec![refused(NotAdmitted::Inactive, attempt)]);
    }
    let pinned = |known| UserEvent::ObjectIdPinned { known, reason: None };
    let mut events = match pinning {
        Pinning::Stays => vec![],
        Pinning::Pin(known) => vec![pinned(known)],
        Pinning::Replace(before, known) => {
            vec![UserEvent::ObjectIdReleased { known: before, reason: None }, pinned(known)]
        }
    };
    let NewSession { id, token_sha256, expires_at } = session;
    let drift = drift(attributes, &assertion);
    events.push(UserEvent::SignedIn(Box::new(SignedIn {
        session: id,
        token_sha256,
        began_at: context.now,
        expires_at,
        matched_by,
        attempt,
        drift,
    })));
    Ok(events)
}

/// Why a user as they are now does not let the person of an assertion in who was recognized as
/// them.
pub fn refusal(user: &User, assertion: &Assertion) -> NotAdmitted {
    let judged = user.attributes().map(|known| Pin::judge(user.pin(), known, assertion));
    judged.and_then(Result::err).unwrap_or(NotAdmitted::Inactive)
}

fn refused(why: NotAdmitted, attempt: Attempt) -> UserEvent {
    UserEvent::LoginRefused(Box::new(RefusedLogin {
        reason: why.code().to_owned(),
        detail: why.to_string(),
        used_before: false,
        attempt,
    }))
}
