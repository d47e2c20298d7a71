//! What a command on a user comes to.

use super::sign_in::sign_in;
use super::{SessionEnd, User, UserCommand, UserError, UserEvent};
use crate::claim::{ClaimChanges, ClaimKind, ClearClaim};
use crate::context::Context;
use crate::decision::Decision;
use crate::diff;
use crate::fold_text::{NameFold, fold_user_name};
use crate::ids::ResourceId;
use crate::interpretation::Notes;
use crate::login::{ObjectId, Pin};
use crate::personal::Personal;
use crate::scim::{Attributes, ResourceKind, apply_intents};
use serde_json::Value;

/// Decides a command. A command that changes nothing yields no event.
pub fn decide(
    user: &User,
    command: UserCommand,
    context: &Context,
) -> Result<Decision<UserEvent>, UserError> {
    let mut notes = Notes::default();
    let events = events(user, command, context, &mut notes)?;
    Ok(Decision { events, notes })
}

fn events(
    user: &User,
    command: UserCommand,
    context: &Context,
    notes: &mut Notes,
) -> Result<Vec<UserEvent>, UserError> {
    match (user, command) {
        (User::Absent, UserCommand::Create { mut attributes }) => {
            attributes.entry("active").or_insert(Value::Bool(true));
            Ok(vec![UserEvent::Created { attributes: Personal::new(attributes) }])
        }
        (User::Absent, UserCommand::Provision { mut attributes, sign_in: session }) => {
            attributes.entry("active").or_insert(Value::Bool(true));
            let mut events =
                vec![UserEvent::Created { attributes: Personal::new(attributes.clone()) }];
            events.extend(sign_in(&attributes, None, *session, context)?);
            Ok(events)
        }
        (
            User::Present { .. } | User::Deleted { .. } | User::Erased,
            UserCommand::Create { .. } | UserCommand::Provision { .. },
        ) => Err(UserError::AlreadyExists),
        (
            User::Present { .. } | User::Deleted { .. } | User::Erased,
            UserCommand::NoteSessionRefused { session, milliseconds, ended_by },
        ) => Ok(vec![UserEvent::SessionRefused { session, milliseconds, ended_by }]),
        (User::Deleted { is_held: true }, UserCommand::Erase { .. }) => Err(UserError::Held),
        (User::Deleted { .. }, UserCommand::Erase { because }) => {
            Ok(vec![UserEvent::Erased { because }])
        }
        (User::Erased, UserCommand::Erase { .. }) => Ok(vec![]),
        // They are to be deleted first.
        (User::Present { .. }, UserCommand::Erase { .. }) => Err(UserError::AlreadyExists),
        (
            User::Present { is_held, .. } | User::Deleted { is_held },
            UserCommand::Hold { because },
        ) => Ok(if *is_held { vec![] } else { vec![UserEvent::Held { because }] }),
        (
            User::Present { is_held, .. } | User::Deleted { is_held },
            UserCommand::Release { because },
        ) => Ok(if *is_held { vec![UserEvent::Released { because }] } else { vec![] }),
        (User::Erased, UserCommand::Hold { .. } | UserCommand::Release { .. }) => {
            Err(UserError::Erased)
        }
        (User::Absent | User::Deleted { .. } | User::Erased, _) => Err(UserError::NotFound),
        (User::Present { attributes, pin, .. }, UserCommand::SignIn(session)) => {
            sign_in(attributes, pin.as_ref(), *session, context)
        }
        (User::Present { pin, .. }, UserCommand::Repin { known, reason }) => {
            repin(user, pin.as_ref(), known, reason, context)
        }
        (User::Present { .. }, UserCommand::RefuseLogin(refused)) => {
            Ok(vec![UserEvent::LoginRefused(refused)])
        }
        (User::Present { .. }, UserCommand::EndSession { session, end }) => {
            Ok(match user.has_session(session, context.now) {
                true => vec![UserEvent::SessionEnded { session, end }],
                false => vec![],
            })
        }
        (User::Present { attributes, .. }, UserCommand::Change { intents }) => {
            let after = apply_intents(ResourceKind::User, attributes, &intents, notes)?;
            Ok(difference(attributes, &after))
        }
        (User::Present { attributes, .. }, UserCommand::Replace { attributes: mut after }) => {
            after.entry("active").or_insert_with(|| Value::Bool(is_active(attributes)));
            Ok(difference(attributes, &after))
        }
        (User::Present { attributes, pin, .. }, UserCommand::Delete) => {
            let user_name = Personal::new(user_name(attributes).to_owned());
            // Whoever comes back under another id is the same person.
            Ok(released(pin.as_ref(), None).chain([UserEvent::Deleted { user_name }]).collect())
        }
    }
}

/// The pin that an event told is given up.
fn released(pin: Option<&Pin>, reason: Option<String>) -> impl Iterator<Item = UserEvent> {
    let known = pin.filter(|pin| pin.pinned).map(|pin| pin.known.clone());
    known.map(|known| UserEvent::ObjectIdReleased { known, reason }).into_iter()
}

/// An account that is another person's from now on is nobody's in between.
fn repin(
    user: &User,
    pin: Option<&Pin>,
    known: Option<ObjectId>,
    reason: String,
    context: &Context,
) -> Result<Vec<UserEvent>, UserError> {
    let length = reason.chars().count();
    if reason.trim().is_empty() || length > 500 || reason.chars().any(char::is_control) {
        return Err(UserError::InvalidReason);
    }
    let before = pin.map(|pin| &pin.known);
    if before == known.as_ref() && pin.is_none_or(|pin| pin.pinned) {
        return Ok(vec![]);
    }
    let mut events: Vec<UserEvent> = Vec::new();
    events.extend(before.map(|known| UserEvent::ObjectIdReleased {
        known: known.clone(),
        reason: Some(reason.clone()),
    }));
    events.extend(known.map(|known| UserEvent::ObjectIdPinned { known, reason: Some(reason) }));
    let live = user.sessions().filter(|(_, until)| context.now < *until);
    events.extend(
        live.map(|(session, _)| UserEvent::SessionEnded { session, end: SessionEnd::Operator }),
    );
    Ok(events)
}

fn difference(before: &Attributes, after: &Attributes) -> Vec<UserEvent> {
    let mut events = Vec::new();
    let (old, new) = (user_name(before), user_name(after));
    if old != new {
        events.push(UserEvent::Renamed {
            before: old.to_owned().into(),
            after: new.to_owned().into(),
        });
    }
    let changes = diff::changes(before, after, &["userName", "active"]);
    if !changes.is_empty() {
        events.push(UserEvent::Changed { changes });
    }
    match (is_active(before), is_active(after)) {
        (false, true) => events.push(UserEvent::Activated {}),
        (true, false) => events.push(UserEvent::Deactivated {}),
        _ => {}
    }
    events
}

fn user_name(attributes: &Attributes) -> &str {
    attributes.get("userName").and_then(Value::as_str).unwrap_or_default()
}

fn is_active(attributes: &Attributes) -> bool {
    attributes.get("active").and_then(Value::as_bool).unwrap_or(false)
}

/// The `userName` that a user has from an event on, if the event says it.
pub fn named(event: &UserEvent) -> Option<&str> {
    match event {
        UserEvent::Created { attributes } => Some(user_name(attributes.value())),
        UserEvent::Renamed { after, .. } => Some(after.value()),
        _ => None,
    }
}

fn as_first(name: &str) -> String {
    NameFold::AsSent.fold(name)
}

fn release(claims: &mut ClaimChanges<ClearClaim>, names: [ClearClaim; 2]) {
    let [older, current] = names;
    if older != current {
        claims.release.push(older);
    }
    claims.release.push(current);
}

/// The claims that go with a user's events: its `userName` and its id, and what a login uses up.
pub fn claims(id: ResourceId, events: &[UserEvent]) -> ClaimChanges<ClearClaim> {
    let name = |n: &str| ClearClaim::new(ClaimKind::UserName, fold_user_name(n));
    // Also as older versions claimed it; what is not held is not given up.
    let names =
        |n: &str| NameFold::ALL.map(|fold| ClearClaim::new(ClaimKind::UserName, fold.fold(n)));
    let resource = || ClearClaim::new(ClaimKind::Resource, id.to_string());
    let mut claims = ClaimChanges::default();
    for event in events {
        match event {
            UserEvent::Created { attributes } => {
                claims.take.extend([name(user_name(attributes.value())), resource()])
            }
            // Also if both are one name: a user whose name another one holds must not come closer
            // to it.
            UserEvent::Renamed { before, after }
                if as_first(before.value()) != as_first(after.value()) =>
            {
                release(&mut claims, names(before.value()));
                claims.take.push(name(after.value()));
            }
            UserEvent::Deleted { user_name } => {
                release(&mut claims, names(user_name.value()));
                claims.release.push(resource());
            }
            UserEvent::SignedIn(signed_in) => claims.take.extend(signed_in.attempt.used_up()),
            UserEvent::LoginRefused(refused) => claims.take.extend(refused.used_up()),
            UserEvent::SessionRefused { session, .. } => {
                claims.take.push(ClearClaim::new(ClaimKind::SessionRefusal, session.to_string()));
            }
            UserEvent::ObjectIdPinned { known, .. } => claims.take.push(known.claim()),
            UserEvent::ObjectIdReleased { known, .. } => claims.release.push(known.claim()),
            UserEvent::Renamed { .. }
            | UserEvent::Erased { .. }
            | UserEvent::Held { .. }
            | UserEvent::Released { .. }
            | UserEvent::Activated {}
            | UserEvent::Deactivated {}
            | UserEvent::Changed { .. }
            | UserEvent::SessionEnded { .. } => {}
        }
    }
    claims
}
