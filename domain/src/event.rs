//! An event of any aggregate.

use crate::consumer::{ConsumerEvent, ConsumerEventKind};
use crate::deployment::{DeploymentEvent, DeploymentEventKind};
use crate::group::{GroupEvent, GroupEventKind};
use crate::log::{AggregateKind, Record};
use crate::lost::{RECORD_LOST, RecordLost};
use crate::organization::{OrganizationEvent, OrganizationEventKind};
use crate::personal::marked;
use crate::user::{UserEvent, UserEventKind};

pub use crate::decode::{Declared, DecodeError, decode};
pub use crate::upcast::upcasters;

/// The names of all events, in the order of the alphabet.
pub fn names() -> Vec<&'static str> {
    let users = UserEventKind::ALL.iter().map(|kind| kind.as_str());
    let groups = GroupEventKind::ALL.iter().map(|kind| kind.as_str());
    let organizations = OrganizationEventKind::ALL.iter().map(|kind| kind.as_str());
    let deployment = DeploymentEventKind::ALL.iter().map(|kind| kind.as_str());
    let consumers = ConsumerEventKind::ALL.iter().map(|kind| kind.as_str());
    let organizations = organizations.chain(deployment).chain(consumers);
    let mut all: Vec<_> = users.chain(groups).chain(organizations).collect();
    all.push(RECORD_LOST);
    all.sort_unstable();
    all.dedup();
    all
}

/// An event of any aggregate.
#[derive(Clone, Debug, PartialEq)]
pub enum DomainEvent {
    /// Of a user.
    User(UserEvent),
    /// Of a group.
    Group(GroupEvent),
    /// Of an organization.
    Organization(OrganizationEvent),
    /// Of the deployment.
    Deployment(DeploymentEvent),
    /// Of a consumer.
    Consumer(ConsumerEvent),
    /// Stands where a record of any of them was lost.
    Lost(RecordLost),
}

impl DomainEvent {
    /// Reads a record of any aggregate.
    pub fn decode(record: &Record) -> Result<Self, DecodeError> {
        if let Some(lost) = RecordLost::of(record)? {
            return Ok(DomainEvent::Lost(lost));
        }
        Ok(match record.stream.kind {
            AggregateKind::User => DomainEvent::User(decode(record)?),
            AggregateKind::Group => DomainEvent::Group(decode(record)?),
            AggregateKind::Organization => DomainEvent::Organization(decode(record)?),
            AggregateKind::Deployment => DomainEvent::Deployment(decode(record)?),
            AggregateKind::Consumer => DomainEvent::Consumer(decode(record)?),
        })
    }

    /// Whether no record up to this one was recorded later than it, whatever they say: the clock had
    /// run ahead, and was set right.
    pub fn bounds_times(&self) -> bool {
        matches!(
            self,
            DomainEvent::Organization(OrganizationEvent::TimesBounded { .. })
                | DomainEvent::Deployment(DeploymentEvent::ClockCorrected(_))
        )
    }

    /// Its payload with a mark on each personal value ([`crate::personal::MARK`]).
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn marked_payload(&self) -> serde_json::Result<String> {
        marked(|| match self {
            DomainEvent::User(event) => serde_json::to_string(event),
            DomainEvent::Group(event) => serde_json::to_string(event),
            DomainEvent::Organization(event) => serde_json::to_string(event),
            DomainEvent::Deployment(event) => serde_json::to_string(event),
            DomainEvent::Consumer(event) => serde_json::to_string(event),
            DomainEvent::Lost(event) => event.payload(),
        })
    }
}
