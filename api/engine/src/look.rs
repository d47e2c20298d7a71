//! What a start looks at of a log that is served: that as much is there as the heads say, the last
//! records, and some others that are drawn. The audit of the ledger looks at all, once a day.

use crate::Engine;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Damage, Head, LogError, Position, damaged, sound};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The last records that are looked at, of each organization.
const LAST: u64 = 200;
/// Others, in so many places, each with so many neighbours.
const PLACES: usize = 8;
const NEIGHBOURS: usize = 25;
/// Positions that are named of one organization.
const NAMED: usize = 100;

/// What was found to be wrong, by organization; kept until it is repaired.
#[derive(Default)]
pub(crate) struct Seen(Mutex<BTreeMap<OrganizationId, Vec<(Position, Damage)>>>);

impl Seen {
    fn keep(&self, organization: OrganizationId, found: Vec<(Position, Damage)>) {
        let name = organization.to_string();
        metrics::gauge!("rollcall_damaged_records", "organization" => name).set(found.len() as f64);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match found.is_empty() {
            true => drop(all.remove(&organization)),
            false => drop(all.insert(organization, found)),
        }
    }
}

impl Engine {
    /// Records that are missing or cannot be read, as far as somebody looked.
    pub fn damage(&self) -> BTreeMap<OrganizationId, Vec<(Position, Damage)>> {
        self.seen.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says that a record was found to be missing or not to be read.
    pub fn lost(&self, organization: OrganizationId, position: Position, damage: Damage) {
        tracing::error!(%organization, position, reason = damage.as_str(), "{damage}: rollcall log repair --plan says what can be done");
        let known = self.damage().remove(&organization).unwrap_or_default();
        let mut all: BTreeMap<Position, Damage> = known.into_iter().collect();
        all.insert(position, damage);
        self.seen.keep(organization, all.into_iter().take(NAMED).collect());
    }

    /// The first record up to a position that is missing or cannot be read, where fewer are there
    /// than there should be or somebody has seen one.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn first_loss(
        &self,
        organization: OrganizationId,
        through: Position,
    ) -> Result<Option<(Position, Damage)>, LogError> {
        let head = self.log.head(organization).await?;
        let there = self.log.counted(organization).await?;
        if there.position >= head.position && !self.damage().contains_key(&organization) {
            return Ok(None);
        }
        Ok(damaged(&*self.log, organization, through, 1).await?.pop())
    }

    /// Looks at the log of every organization. What is wrong stops nobody here: views say for
    /// themselves how far they could be folded.
    ///
    /// # Errors
    /// If the log cannot be asked.
    pub async fn look(&self) -> Result<(), LogError> {
        for (organization, head) in self.log.heads().await? {
            self.look_at(organization, head).await?;
        }
        Ok(())
    }

    pub(crate) async fn look_again(&self, organization: OrganizationId) -> Result<(), LogError> {
        let head = self.log.head(organization).await?;
        self.look_at(organization, head).await
    }

    async fn look_at(&self, organization: OrganizationId, head: Head) -> Result<(), LogError> {
        let is_whole = match self.counted(organization, head).await {
            Ok(there) => there && self.sample(organization, head.position).await?,
            Err(LogError::Damaged(_)) => false,
            Err(error) => return Err(error),
        };
        let found = match is_whole {
            true => Vec::new(),
            false => damaged(&*self.log, organization, head.position, NAMED).await?,
        };
        for (position, damage) in &found {
            tracing::error!(%organization, position, reason = damage.as_str(), "{damage}: rollcall log repair --plan says what can be done");
        }
        self.seen.keep(organization, found);
        Ok(())
    }

    /// Whether as many records are there as the head says.
    async fn counted(&self, organization: OrganizationId, head: Head) -> Result<bool, LogError> {
        let there = self.log.counted(organization).await?;
        if there.exchange_number < head.exchange_number {
            let missing = head.exchange_number - there.exchange_number;
            tracing::error!(%organization, missing, "exchanges are missing: rollcall ledger audit names them");
        }
        Ok(there.position >= head.position)
    }

    /// Whether the last records, and those that are drawn, are there and can be read.
    async fn sample(&self, organization: OrganizationId, last: Position) -> Result<bool, LogError> {
        let mut after = last.saturating_sub(LAST);
        while after < last {
            let limit = usize::try_from(last - after).unwrap_or(1);
            match sound(&*self.log, organization, after, limit).await? {
                Ok(records) => after += records.len() as u64,
                Err(_) => return Ok(false),
            }
        }
        let earlier = last.saturating_sub(LAST);
        if earlier == 0 {
            return Ok(true);
        }
        let drawn = self.ids.key();
        for place in drawn.chunks_exact(size_of::<u32>()).take(PLACES) {
            let place = place.iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
            let after = place % earlier;
            let limit = usize::try_from(earlier - after).unwrap_or(1).min(NEIGHBOURS);
            let found = sound(&*self.log, organization, after, limit).await?;
            if !found.is_ok_and(|records| records.len() == limit) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
