//! A user, folded from its events.

use super::UserEvent;
use crate::diff;
use crate::ids::SessionId;
use crate::login::{ObjectId, Pin};
use crate::scim::Attributes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The state of one user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum User {
    /// Not created yet.
    #[default]
    Absent,
    /// Exists.
    Present {
        /// Canonical attributes, `userName` and `active` among them.
        attributes: Attributes,
        /// Sessions that have not ended, with the instant at which each is over at the latest.
        #[serde(default)]
        sessions: BTreeMap<SessionId, DateTime<Utc>>,
        /// The object id by which their person is known, once they have signed in.
        #[serde(default)]
        pin: Option<Pin>,
        /// Whether nobody may erase them.
        #[serde(default)]
        is_held: bool,
    },
    /// Existed.
    Deleted {
        /// Whether nobody may erase who they were.
        is_held: bool,
    },
    /// Existed, and who they were is erased.
    Erased,
}

impl User {
    /// The attributes of a user that exists.
    pub fn attributes(&self) -> Option<&Attributes> {
        match self {
            User::Present { attributes, .. } => Some(attributes),
            User::Absent | User::Deleted { .. } | User::Erased => None,
        }
    }

    /// The sessions that have not ended, with the instant at which each is over at the latest.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, DateTime<Utc>)> {
        match self {
            User::Present { sessions, .. } => {
                Some(sessions.iter().map(|(id, until)| (*id, *until)))
            }
            User::Absent | User::Deleted { .. } | User::Erased => None,
        }
        .into_iter()
        .flatten()
    }

    /// Whether a session of this user has neither ended nor run out.
    pub fn has_session(&self, session: SessionId, now: DateTime<Utc>) -> bool {
        self.sessions().any(|(id, until)| id == session && now < until)
    }

    /// The object id by which their person is known.
    pub fn pin(&self) -> Option<&Pin> {
        match self {
            User::Present { pin, .. } => pin.as_ref(),
            User::Absent | User::Deleted { .. } | User::Erased => None,
        }
    }

    /// Whether nobody may erase who they are, or were.
    pub fn is_held(&self) -> bool {
        match self {
            User::Present { is_held, .. } | User::Deleted { is_held } => *is_held,
            User::Absent | User::Erased => false,
        }
    }

    /// What an event makes of it.
    pub(super) fn evolve(&mut self, event: &UserEvent) {
        match (&mut *self, event) {
            (_, UserEvent::Created { attributes }) => {
                *self = User::Present {
                    attributes: attributes.value().clone(),
                    sessions: BTreeMap::new(),
                    pin: None,
                    is_held: false,
                }
            }
            (_, UserEvent::Deleted { .. }) => *self = User::Deleted { is_held: self.is_held() },
            (_, UserEvent::Erased { .. }) => *self = User::Erased,
            (
                User::Present { is_held, .. } | User::Deleted { is_held },
                UserEvent::Held { .. } | UserEvent::Released { .. },
            ) => *is_held = matches!(event, UserEvent::Held { .. }),
            (User::Present { sessions, pin, .. }, UserEvent::SignedIn(signed_in)) => {
                // Those that have run out need no event; they are forgotten when another begins.
                sessions.retain(|_, until| signed_in.began_at < *until);
                sessions.insert(signed_in.session, signed_in.expires_at);
                if pin.as_ref().is_none_or(|pin| !pin.pinned) {
                    let said = signed_in.attempt.asserted.as_ref().and_then(ObjectId::asserted);
                    *pin = said.map(|known| Pin { known, pinned: false }).or(pin.take());
                }
            }
            (User::Present { pin, .. }, UserEvent::ObjectIdPinned { known, .. }) => {
                *pin = Some(Pin { known: known.clone(), pinned: true });
            }
            (User::Present { pin, .. }, UserEvent::ObjectIdReleased { .. }) => *pin = None,
            (User::Present { sessions, .. }, UserEvent::SessionEnded { session, .. }) => {
                sessions.remove(session);
            }
            (User::Present { attributes, sessions, .. }, event) => {
                if matches!(event, UserEvent::Deactivated {}) {
                    sessions.clear();
                }
                evolve_attributes(attributes, event);
            }
            (User::Absent | User::Deleted { .. } | User::Erased, _) => {}
        }
    }
}

/// What an event does to the attributes of a user that exists.
pub fn evolve_attributes(attributes: &mut Attributes, event: &UserEvent) {
    match event {
        UserEvent::Created { attributes: all } => *attributes = all.value().clone(),
        UserEvent::Renamed { after, .. } => {
            attributes.insert("userName".into(), Value::String(after.value().clone()));
        }
        UserEvent::Activated {} => {
            attributes.insert("active".into(), Value::Bool(true));
        }
        UserEvent::Deactivated {} => {
            attributes.insert("active".into(), Value::Bool(false));
        }
        UserEvent::Changed { changes } => diff::apply(attributes, changes),
        UserEvent::Deleted { .. }
        | UserEvent::Erased { .. }
        | UserEvent::Held { .. }
        | UserEvent::Released { .. }
        | UserEvent::SignedIn(_)
        | UserEvent::LoginRefused(_)
        | UserEvent::SessionEnded { .. }
        | UserEvent::SessionRefused { .. }
        | UserEvent::ObjectIdPinned { .. }
        | UserEvent::ObjectIdReleased { .. } => {}
    }
}
