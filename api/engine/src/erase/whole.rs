//! An organization is erased as a whole: every key that anything in its log was sealed with is
//! destroyed, and it is switched off for good. Records, exchanges and leaves stay where they are.

use super::{ERASED, NotErased};
use crate::Engine;
use crate::order::Order;
use rollcall_domain::actor::Actor;
use rollcall_domain::context::Context;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::{AggregateKind, DataKey, KeyId, Position, StreamId};
use rollcall_domain::organization::{Organization, OrganizationCommand, OrganizationEventKind};
use rollcall_domain::user::{UserCommand, UserEventKind};
use std::collections::BTreeSet;

/// Keys read at once.
const KEYS: usize = 1_000;
/// Records read at once.
const RECORDS: usize = 500;

/// What there is of an organization that is to be erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrganizationTraces {
    /// Where it was said that it is erased.
    pub erased_at: Option<Position>,
    /// Records in its log.
    pub records: u64,
    /// Exchanges in its log.
    pub exchanges: u64,
    /// Keys that live.
    pub keys: u64,
}

impl Engine {
    /// What there is of an organization.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub async fn organization_traces(
        &self,
        organization: OrganizationId,
    ) -> Result<OrganizationTraces, NotErased> {
        let records = self.log.load(&stream(organization), 0).await?;
        if records.is_empty() {
            return Err(NotErased::NoOrganization);
        }
        let erased = OrganizationEventKind::Erased.as_str();
        let head = self.log.head(organization).await?;
        let keys = self.living_keys(organization).await?.len() as u64;
        Ok(OrganizationTraces {
            erased_at: records.iter().find(|r| r.event_type == erased).map(|r| r.position),
            records: head.position,
            exchanges: head.exchange_number,
            keys,
        })
    }

    /// Erases an organization. Can be done again, and then ends what was not ended. Gives what there
    /// was, and where it is said.
    ///
    /// # Errors
    /// If it cannot be done whole.
    pub async fn erase_organization(
        &self,
        organization: OrganizationId,
        because: &str,
        actor: &Actor,
    ) -> Result<OrganizationTraces, NotErased> {
        let before = self.organization_traces(organization).await?;
        self.destroy_organization(organization, because, actor).await?;
        self.drop_what_rests_on_the_log();
        self.rebuild_views().await?;
        let after = self.organization_traces(organization).await?;
        Ok(OrganizationTraces { keys: before.keys, ..after })
    }

    /// Deletes everybody in it, as before anybody is erased (names that nobody can read would else
    /// be claimed for ever), says so, and destroys the keys. What is appended from now on has keys of
    /// its own.
    pub(super) async fn destroy_organization(
        &self,
        organization: OrganizationId,
        because: &str,
        actor: &Actor,
    ) -> Result<(), NotErased> {
        for user in self.present(organization).await? {
            self.command(organization, user, UserCommand::Delete, actor).await?;
        }
        let command = OrganizationCommand::Erase { because: because.to_owned() };
        let context = Context::new(self.clock.now(), actor.clone(), None);
        let order = Order::<Organization>::unasked(stream(organization), command, context);
        match self.execute(order).await {
            Ok(_) => {}
            Err(error) => return Err(NotErased::Organization(error)),
        }
        let keys = self.living_keys(organization).await?;
        self.seal()?.keys().erase(organization, &keys).await?;
        self.log.keep_note(ERASED, Some(&format!("{organization}/whole"))).await?;
        self.drop_what_rests_on_the_log();
        Ok(())
    }

    /// Everybody whom the directory has.
    async fn present(
        &self,
        organization: OrganizationId,
    ) -> Result<BTreeSet<ResourceId>, NotErased> {
        let (mut present, mut after) = (BTreeSet::new(), 0);
        loop {
            let page = self.log.records(organization, after, RECORDS).await?;
            let Some(last) = page.last() else { return Ok(present) };
            after = last.position;
            for record in page.iter().filter(|r| r.stream.kind == AggregateKind::User) {
                let user = ResourceId(record.stream.id);
                match UserEventKind::named(&record.event_type) {
                    Some(UserEventKind::Created) => drop(present.insert(user)),
                    Some(UserEventKind::Deleted) => drop(present.remove(&user)),
                    _ => {}
                }
            }
        }
    }

    async fn living_keys(&self, organization: OrganizationId) -> Result<Vec<KeyId>, NotErased> {
        let (ring, mut living, mut after) = (self.seal()?.keys(), Vec::new(), KeyId(0));
        loop {
            let page = ring.keys(organization, after, KEYS).await?;
            let Some((last, _)) = page.last() else { return Ok(living) };
            after = *last;
            let lives = |(id, key)| matches!(key, DataKey::Living(_)).then_some(id);
            living.extend(page.into_iter().filter_map(lives));
        }
    }
}

fn stream(organization: OrganizationId) -> StreamId {
    StreamId { organization, kind: AggregateKind::Organization, id: organization.0 }
}
