//! A consumer, folded from its events.

use super::event::{ConsumerEvent, Stopped, Way};
use super::group_filter::GroupFilter;
use super::payload::Payload;
use crate::credential::Credentials;
use crate::ids::CredentialId;
use crate::public_type::TypeFilter;
use serde::{Deserialize, Serialize};

/// The state of one consumer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Consumer {
    /// Not created yet.
    #[default]
    Absent,
    /// Follows the log.
    Present(Box<Following>),
    /// Did once.
    Removed,
}

/// Whether a consumer gets its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConsumerState {
    /// It does.
    Active,
    /// Somebody paused it.
    Paused,
    /// Deliveries to it stopped.
    Stopped(Stopped),
}

impl ConsumerState {
    /// The stable name, without the reason.
    pub fn as_str(self) -> &'static str {
        match self {
            ConsumerState::Active => "active",
            ConsumerState::Paused => "paused",
            ConsumerState::Stopped(_) => "stopped",
        }
    }
}

/// A consumer that follows the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Following {
    /// What it is called.
    pub name: String,
    /// How it gets its events.
    pub way: Way,
    /// Which types it gets.
    pub types: TypeFilter,
    /// How much they tell.
    pub payload: Payload,
    /// Whose members it is told about.
    #[serde(default)]
    pub groups: GroupFilter,
    /// Whether it gets them now.
    pub state: ConsumerState,
    /// Its keys, also those that are revoked.
    pub credentials: Credentials,
    /// The keys that are not revoked, in the order of issue; the last is the current one.
    pub keys: Vec<CredentialId>,
    /// Number of its current secret; 0 if it never had one.
    pub secret: u32,
}

impl Consumer {
    pub(super) fn evolve(&mut self, event: ConsumerEvent) {
        match (&mut *self, event) {
            (_, ConsumerEvent::Created { name, way, types, payload, groups }) => {
                *self = Consumer::Present(Box::new(Following {
                    name,
                    way,
                    types,
                    payload,
                    groups,
                    state: ConsumerState::Active,
                    credentials: Credentials::default(),
                    keys: Vec::new(),
                    secret: 0,
                }));
            }
            (_, ConsumerEvent::Removed { .. }) => *self = Consumer::Removed,
            (Consumer::Present(following), event) => following.evolve(event),
            (Consumer::Absent | Consumer::Removed, _) => {}
        }
    }
}

impl Following {
    fn evolve(&mut self, event: ConsumerEvent) {
        if let Some(event) = event.credential() {
            self.credentials.evolve(event);
        }
        match event {
            ConsumerEvent::Paused {} => self.state = ConsumerState::Paused,
            ConsumerEvent::Resumed {} => self.state = ConsumerState::Active,
            ConsumerEvent::Stopped { reason } => self.state = ConsumerState::Stopped(reason),
            ConsumerEvent::KeyIssued(issued) => self.keys.push(issued.credential),
            ConsumerEvent::KeyRevoked(revoked) => self.keys.retain(|k| *k != revoked.credential),
            ConsumerEvent::SecretIssued { number, .. } => self.secret = number,
            ConsumerEvent::KeyRetiring { .. }
            | ConsumerEvent::SecretRetiring { .. }
            | ConsumerEvent::DeliveryHandled { .. }
            | ConsumerEvent::Created { .. }
            | ConsumerEvent::Removed { .. } => {}
        }
    }
}
