//! A log of which something was lost, made whole: by the records themselves, where somebody has
//! them and the ledger shows that they are the ones; or by records that say that there was another
//! one, where an operator lets it count without.

use crate::Engine;
use crate::leaves::tree_with;
use crate::losses::Loss;
use rollcall_domain::actor::Actor;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::log::{
    AggregateKind, LogError, Position, Record, StreamId, Version, record_leaf,
};
use rollcall_domain::lost::RecordLost;
use rollcall_projections::checkpoint::StopReason;
use rollcall_projections::fold::FoldError;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Records that can be left behind by one repair.
const LEFT_BEHIND: usize = 10_000;

/// Why a log was not repaired. What was done until then stays, and can be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum NotRepaired {
    /// Nothing is lost.
    #[error("nothing of this organization's log is missing, and all of it can be read")]
    NothingLost,
    /// A record that was given is not what was lost.
    #[error("the record for position {0} is not the one that was lost: the ledger has another one")]
    NotTheOne(Position),
    /// Nothing shows whether those that were given are the ones.
    #[error(
        "whether these are the records that were lost cannot be shown: of others there is nothing to hold them against, neither"
    )]
    NotShown,
    /// The organization came into being by a record that was lost.
    #[error(
        "what brought this organization into being was lost: only a backup brings it back, or the organization is made anew"
    )]
    NoOrganization,
    /// The store cannot put records anywhere but at the end.
    #[error("this store cannot be repaired in place: restore a backup into another one")]
    NotHere,
    /// The log cannot be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The views cannot be folded.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The record that says so cannot be written.
    #[error(transparent)]
    Payload(#[from] serde_json::Error),
}

/// A position that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Which one.
    pub position: Position,
    /// What had become of the record: `missing`, `unreadable` or `left-behind`.
    pub was: &'static str,
    /// Of what it was; none if nothing tells.
    pub stream: Option<StreamId>,
}

impl Engine {
    /// Puts records back that were lost, if the ledger shows that they are the ones. Gives their
    /// positions. Others among those that are given are left out.
    ///
    /// # Errors
    /// If they are not, or nothing shows it.
    pub async fn put_back(
        &self,
        organization: OrganizationId,
        given: Vec<Record>,
    ) -> Result<Vec<Position>, NotRepaired> {
        let losses = self.losses(organization).await?;
        if losses.is_empty() {
            return Err(NotRepaired::NothingLost);
        }
        let lost: BTreeSet<Position> = losses.iter().map(|loss| loss.position).collect();
        let wanted = |record: &Record| {
            record.stream.organization == organization && lost.contains(&record.position)
        };
        let records: BTreeMap<Position, Record> =
            given.into_iter().filter(wanted).map(|record| (record.position, record)).collect();
        let mut without_leaf = BTreeMap::new();
        for (position, record) in &records {
            match self.kept_leaf(organization, *position).await? {
                Some(kept) if kept == record_leaf(record) => {}
                Some(_) => return Err(NotRepaired::NotTheOne(*position)),
                None => drop(without_leaf.insert(*position, record_leaf(record))),
            }
        }
        if !without_leaf.is_empty() {
            let tree = tree_with(&*self.log, organization, without_leaf.clone()).await?;
            let tree = tree.ok_or(NotRepaired::NotShown)?;
            let claimed = self.log.ledger_head(organization).await?.frontier;
            if tree != claimed {
                let first = without_leaf.keys().next().copied();
                return Err(first.map_or(NotRepaired::NotShown, NotRepaired::NotTheOne));
            }
        }
        let positions: Vec<Position> = records.keys().copied().collect();
        if !positions.is_empty() && !self.log.mend(records.into_values().collect()).await? {
            return Err(NotRepaired::NotHere);
        }
        self.mended(organization).await;
        Ok(positions)
    }

    /// Lets the log count without what was lost: where it was stands a record that says so
    /// ([`RecordLost`]). What can be read and means nothing without it is left behind, too. Claims of
    /// those streams that nothing holds any more are given up.
    ///
    /// # Errors
    /// If it cannot be done.
    pub async fn pass_over(
        &self,
        organization: OrganizationId,
        because: &str,
        actor: &Actor,
    ) -> Result<Vec<PassedOver>, NotRepaired> {
        let losses = self.losses(organization).await?;
        if losses.is_empty() {
            return Err(NotRepaired::NothingLost);
        }
        if losses.iter().any(Loss::is_the_beginning) {
            return Err(NotRepaired::NoOrganization);
        }
        let mut passing = Passing { engine: self, organization, because, actor };
        let (mut passed, mut records) = (Vec::new(), Vec::new());
        let mut touched: BTreeSet<StreamId> = BTreeSet::new();
        for Loss { position, damage, of, before } in losses {
            let was = damage.as_str();
            let place = of.unwrap_or_else(|| passing.nowhere());
            touched.insert(place.0);
            records.push(passing.lost(was).record(position, place, before, actor.clone())?);
            passed.push(PassedOver { position, was, stream: of.map(|(stream, _)| stream) });
        }
        if !self.log.mend(records).await? {
            return Err(NotRepaired::NotHere);
        }
        self.mended(organization).await;
        passed.extend(passing.leave_behind(&touched).await?);
        self.give_up_claims(organization, &touched).await?;
        self.mended(organization).await;
        Ok(passed)
    }

    /// The leaf that the ledger has for a record, if its row is still there.
    async fn kept_leaf(
        &self,
        organization: OrganizationId,
        position: Position,
    ) -> Result<Option<LeafHash>, LogError> {
        let found = match self.log.record_leaves(organization, position - 1, 1).await {
            Ok(found) => found,
            Err(LogError::Damaged(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(found.first().filter(|(at, _)| *at == position).and_then(|(_, leaf)| *leaf))
    }

    /// To be called once records of an organization are others: what is known of it is read again,
    /// and views that stopped go on.
    async fn mended(&self, organization: OrganizationId) {
        self.drop_what_rests_on_the_log();
        for folder in [Some(&self.folder), self.audit.get()].into_iter().flatten() {
            if let Err(error) = folder.resume(organization).await {
                let family = folder.family().as_str();
                tracing::warn!(family, %organization, %error, "views are still stopped");
            }
        }
        if let Err(error) = self.look_again(organization).await {
            tracing::warn!(%organization, %error, "what was repaired could not be looked at again");
        }
        self.organizations_changed();
    }
}

/// A repair under way.
struct Passing<'e> {
    engine: &'e Engine,
    organization: OrganizationId,
    because: &'e str,
    actor: &'e Actor,
}

impl Passing<'_> {
    fn lost(&self, was: &str) -> RecordLost {
        RecordLost {
            because: self.because.to_owned(),
            accepted_at: self.engine.clock.now(),
            was: was.to_owned(),
        }
    }

    /// A stream of its own, for a record of which nothing tells whose it was.
    fn nowhere(&self) -> (StreamId, Version) {
        let drawn = self.engine.ids.key();
        let id = Uuid::from_bytes(drawn[..16].try_into().unwrap_or_default());
        let (organization, kind) = (self.organization, AggregateKind::Organization);
        (StreamId { organization, kind, id }, 1)
    }

    /// Passes over what cannot be folded because a record of its stream was lost.
    async fn leave_behind(
        &mut self,
        touched: &BTreeSet<StreamId>,
    ) -> Result<Vec<PassedOver>, NotRepaired> {
        let mut left = Vec::new();
        let folders = [Some(&self.engine.folder), self.engine.audit.get()];
        for folder in folders.into_iter().flatten() {
            while let Err(error) = folder.resume(self.organization).await {
                let FoldError::Stopped { position, reason: StopReason::NotUnderstood, .. } = error
                else {
                    return Err(error.into());
                };
                let log = &self.engine.log;
                let found = log.records(self.organization, position - 1, 1).await?.pop();
                let follows = |r: &Record| touched.contains(&r.stream) && !r.is_lost();
                let Some(record) = found.filter(follows) else { return Err(error.into()) };
                if left.len() >= LEFT_BEHIND {
                    return Err(error.into());
                }
                let place = (record.stream, record.version);
                let (was, at) = ("left-behind", record.recorded_at);
                let lost = self.lost(was).record(position, place, at, self.actor.clone())?;
                log.mend(vec![lost]).await?;
                folder.forget();
                left.push(PassedOver { position, was, stream: Some(record.stream) });
            }
        }
        Ok(left)
    }
}
