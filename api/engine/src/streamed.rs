//! What the engine must know of an aggregate beyond `cqrs_es::Aggregate`.

use rollcall_domain::claim::{ClaimChanges, ClearClaim};
use rollcall_domain::consumer::{self, Consumer};
use rollcall_domain::context::Context;
use rollcall_domain::decision::Decision;
use rollcall_domain::deployment::{self, Deployment, DeploymentCommand};
use rollcall_domain::event::Declared;
use rollcall_domain::group::{self, Group};
use rollcall_domain::ids::ResourceId;
use rollcall_domain::log::{AggregateKind, StreamId};
use rollcall_domain::organization::{self, Organization};
use rollcall_domain::scim::resource_bytes;
use rollcall_domain::user::{self, User};

/// An aggregate whose streams the engine can load and decide on.
pub trait Streamed:
    cqrs_es::Aggregate<
        Services = Context,
        Event: Declared,
        Command: Clone + Send + Sync,
        Error: Send + Sync + 'static,
    > + Clone
    + 'static
{
    /// Its kind in the log.
    const KIND: AggregateKind;
    /// Names the shape of its serialized state; another name throws old snapshots away.
    const SCHEMA: &'static str;

    /// Decides a command; see `cqrs_es::Aggregate::handle`, which gives the events only.
    ///
    /// # Errors
    /// If the aggregate refuses it.
    fn decide(
        &self,
        command: Self::Command,
        context: &Context,
    ) -> Result<Decision<Self::Event>, Self::Error>;

    /// Whether its streams may get so long that snapshots pay.
    const LONG: bool = false;

    /// The claims that go with events.
    fn claims(stream: &StreamId, events: &[Self::Event]) -> ClaimChanges<ClearClaim>;

    /// Whether an event changes the resource that clients see: its version and its time.
    fn modifies(_: &Self::Event) -> bool {
        true
    }

    /// How much memory a warm copy takes, in units of its kind.
    fn weight(&self) -> usize {
        1
    }
}

impl Streamed for User {
    const KIND: AggregateKind = AggregateKind::User;
    const SCHEMA: &'static str = "user-4";

    fn modifies(event: &Self::Event) -> bool {
        event.changes_resource()
    }

    fn decide(
        &self,
        command: user::UserCommand,
        context: &Context,
    ) -> Result<Decision<Self::Event>, Self::Error> {
        user::decide(self, command, context)
    }

    fn claims(stream: &StreamId, events: &[Self::Event]) -> ClaimChanges<ClearClaim> {
        user::claims(ResourceId(stream.id), events)
    }

    /// One for an ordinary user, more for one with much to tell.
    fn weight(&self) -> usize {
        1 + self.attributes().map_or(0, resource_bytes) / 8_192
    }
}

impl Streamed for Group {
    const KIND: AggregateKind = AggregateKind::Group;
    const SCHEMA: &'static str = "group-1";
    const LONG: bool = true;

    fn decide(
        &self,
        command: group::GroupCommand,
        context: &Context,
    ) -> Result<Decision<Self::Event>, Self::Error> {
        group::decide(self, command, context)
    }

    fn claims(stream: &StreamId, events: &[Self::Event]) -> ClaimChanges<ClearClaim> {
        group::claims(ResourceId(stream.id), events)
    }

    fn weight(&self) -> usize {
        // What a group takes without members is worth this many of them.
        const ITSELF: usize = 16;
        ITSELF
            + self.present().map_or(0, |(attributes, members)| {
                members.size() + resource_bytes(attributes) / 256
            })
    }
}

impl Streamed for Organization {
    const KIND: AggregateKind = AggregateKind::Organization;
    const SCHEMA: &'static str = "organization-5";
    /// Refused logins are kept in its stream.
    const LONG: bool = true;

    fn decide(
        &self,
        command: organization::OrganizationCommand,
        context: &Context,
    ) -> Result<Decision<Self::Event>, Self::Error> {
        organization::decide(self, command, context)
    }

    fn claims(_: &StreamId, events: &[Self::Event]) -> ClaimChanges<ClearClaim> {
        organization::claims(events)
    }
}

impl Streamed for Deployment {
    const KIND: AggregateKind = AggregateKind::Deployment;
    const SCHEMA: &'static str = "deployment-1";

    fn decide(
        &self,
        command: DeploymentCommand,
        context: &Context,
    ) -> Result<Decision<Self::Event>, Self::Error> {
        deployment::decide(self, command, context)
    }

    fn claims(_: &StreamId, _: &[Self::Event]) -> ClaimChanges<ClearClaim> {
        ClaimChanges::default()
    }
}

impl Streamed for Consumer {
    const KIND: AggregateKind = AggregateKind::Consumer;
    const SCHEMA: &'static str = "consumer-1";

    fn decide(
        &self,
        command: consumer::ConsumerCommand,
        context: &Context,
    ) -> Result<Decision<Self::Event>, Self::Error> {
        consumer::decide(self, command, context)
    }

    fn claims(_: &StreamId, events: &[Self::Event]) -> ClaimChanges<ClearClaim> {
        consumer::claims(events)
    }
}
