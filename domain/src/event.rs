//! An event of any aggregate.

use crate::consumer::ConsumerEvent;
use crate::deployment::DeploymentEvent;
use crate::group::GroupEvent;
use crate::log::{AggregateKind, Record};
use crate::organization::OrganizationEvent;
use crate::user::UserEvent;

pub use crate::decode::{Declared, DecodeError, decode, upcasters};

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
}

impl DomainEvent {
    /// Reads a record of any aggregate.
    pub fn decode(record: &Record) -> Result<Self, DecodeError> {
        Ok(match record.stream.kind {
            AggregateKind::User => DomainEvent::User(decode(record)?),
            AggregateKind::Group => DomainEvent::Group(decode(record)?),
            AggregateKind::Organization => DomainEvent::Organization(decode(record)?),
            AggregateKind::Deployment => DomainEvent::Deployment(decode(record)?),
            AggregateKind::Consumer => DomainEvent::Consumer(decode(record)?),
        })
    }
}
