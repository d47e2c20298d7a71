//! Folding: moves an organization's views of one family forward, rows and checkpoint in one
//! transaction.
//!
//! A record that cannot be folded stops this family of its organization: everything before it is
//! kept, the stop is written beside the checkpoint, and nothing is skipped. A new process tries a
//! stop once again, because it may be newer code; so does [`Folder::resume`].

use crate::bad::Bad;
use crate::checkpoint::{Checkpoint, Stop, StopReason};
use crate::families::{prepare, views};
pub use crate::fold_error::FoldError;
use crate::lane::{Kept, Lane};
use crate::page::Page;
use crate::schema::{Prepared, made_of};
use crate::stretch::{Stretch, stretch};
use crate::working_set::WorkingSet;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{
    Damage, Head, Log, LogError, Position, Record, RecordedExchange, sound,
};
use rollcall_domain::sql::{Family, SqlError, SqlStore};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// What a call folded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// Records folded by this call; none if another call did it.
    pub records: u64,
    /// Exchanges folded by this call.
    pub exchanges: u64,
}

/// Moves a family of views forward. One for each log and store of views in a process; any number
/// of processes.
pub struct Folder {
    pub(crate) family: Family,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) views: Arc<dyn SqlStore>,
    lanes: Mutex<HashMap<OrganizationId, Arc<Lane>>>,
    kept: Arc<Kept>,
    /// True while the tables are of another version.
    outdated: AtomicBool,
    page: usize,
}

enum StepError {
    /// This record cannot be folded.
    Record {
        position: Position,
        event_type: String,
        reason: StopReason,
        why: String,
    },
    /// Something in the page is refused, and it is not known what.
    Page {
        after: Position,
        why: String,
        records: usize,
        error: Option<SqlError>,
    },
    Fold(FoldError),
}

impl From<SqlError> for StepError {
    fn from(e: SqlError) -> Self {
        StepError::Fold(e.into())
    }
}
impl From<LogError> for StepError {
    fn from(e: LogError) -> Self {
        StepError::Fold(e.into())
    }
}

impl Folder {
    /// Records folded in one transaction, at most.
    pub const PAGE: usize = 1_000;
    /// The same where nobody waits for a turn: the larger, the fewer times a page of an index is
    /// written.
    pub const LARGE_PAGE: usize = 5_000;

    /// Folds this log into a family's views.
    pub fn new(family: Family, log: Arc<dyn Log>, views: Arc<dyn SqlStore>) -> Self {
        Self {
            family,
            log,
            views,
            lanes: Mutex::default(),
            kept: Arc::default(),
            outdated: AtomicBool::new(false),
            page: Self::PAGE,
        }
    }

    /// The same with another page size.
    pub fn with_page(mut self, records: usize) -> Self {
        self.page = records.max(1);
        self
    }

    /// The family it folds.
    pub fn family(&self) -> Family {
        self.family
    }

    /// The store of its views, to read from.
    pub fn views(&self) -> Arc<dyn SqlStore> {
        self.views.clone()
    }

    /// Makes the tables if there are none. Where they are of another version nothing is folded,
    /// and so nothing read, until [`Self::rebuild`] has made them anew.
    pub async fn prepare(&self) -> Result<Prepared, SqlError> {
        let prepared = prepare(self.family, &*self.views).await?;
        self.outdated.store(prepared == Prepared::Outdated, Ordering::SeqCst);
        Ok(prepared)
    }

    /// True while the tables are of another version.
    pub fn is_outdated(&self) -> bool {
        self.outdated.load(Ordering::SeqCst)
    }

    /// Folds everything the log holds of an organization.
    pub async fn fold(&self, organization: OrganizationId) -> Result<Folded, FoldError> {
        let head = self.log.head(organization).await?;
        self.reach(organization, head).await
    }

    /// Sees to it that everything up to a position is folded. Many callers share one run.
    pub async fn fold_to(
        &self,
        organization: OrganizationId,
        position: Position,
    ) -> Result<Folded, FoldError> {
        self.reach(organization, Head { position, exchange_number: 0 }).await
    }

    /// Folds what an append just made, without reading it back if the views stand right before
    /// it; if not, what lies between is read from the log.
    pub async fn fold_appended(
        &self,
        organization: OrganizationId,
        records: Vec<Record>,
        exchanges: Vec<Arc<RecordedExchange>>,
    ) -> Result<Folded, FoldError> {
        let last =
            records.iter().map(|r| r.position).chain(exchanges.iter().map(|x| x.after)).max();
        let want = Head {
            position: last.unwrap_or_default(),
            exchange_number: exchanges.iter().map(|x| x.number).max().unwrap_or_default(),
        };
        self.lane(organization).hand_over(records, exchanges);
        self.reach(organization, want).await
    }

    /// To be called once an append says that its views were folded with it
    /// ([`rollcall_domain::log::Appended::folded`]): whoever wants no more than that need not ask
    /// the store.
    pub fn was_folded(&self, organization: OrganizationId, position: Position) {
        self.lane(organization).reached(Head { position, exchange_number: 0 });
    }

    /// The last position of an organization that this process knows to be folded.
    pub fn known_position(&self, organization: OrganizationId) -> Position {
        self.lane(organization).position()
    }

    /// The last position of an organization that is folded.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn position(&self, organization: OrganizationId) -> Result<Position, SqlError> {
        let found = self.views.query(&Checkpoint::select(), vec![organization.into()]).await?;
        Ok(Checkpoint::found(found)?.at.position)
    }

    /// Takes what an append just made, exchanges without their bodies, so that it need not be read
    /// from the log. It is folded when somebody asks.
    pub fn hand_over(
        &self,
        organization: OrganizationId,
        records: Vec<Record>,
        exchanges: Vec<Arc<RecordedExchange>>,
    ) {
        self.lane(organization).hand_over(records, exchanges);
    }

    /// Tries a stopped organization again.
    pub async fn resume(&self, organization: OrganizationId) -> Result<Folded, FoldError> {
        *self.lane(organization).running.lock().await = false;
        self.fold(organization).await
    }

    /// The epoch of the log of which these views are made. Views of which that is not known are
    /// those of `epoch` from now on.
    pub async fn made_of(&self, epoch: Uuid) -> Result<Uuid, SqlError> {
        made_of(&*self.views, epoch).await
    }

    /// Writes to the views what is there already, as a fold would.
    ///
    /// # Errors
    /// If they cannot be written.
    pub async fn probe(&self) -> Result<(), SqlError> {
        let mut tx = self.views.begin(OrganizationId::NONE).await?;
        tx.execute("UPDATE view_schema SET version = version", Vec::new()).await?;
        tx.commit().await
    }

    /// Forgets what is known to be folded; for use after the views were replaced by today's.
    pub(crate) fn replaced(&self) {
        self.outdated.store(false, Ordering::SeqCst);
        self.forget();
    }

    /// Forgets what is known to be folded, and what was handed over to be.
    pub fn forget(&self) {
        for lane in self.lanes.lock().unwrap_or_else(|e| e.into_inner()).values() {
            lane.forget();
        }
    }

    fn lane(&self, organization: OrganizationId) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(|e| e.into_inner());
        Arc::clone(lanes.entry(organization).or_insert_with(|| Arc::new(Lane::new(&self.kept))))
    }

    /// Sees to it that everything up to `want` is folded, and nothing that nobody wanted.
    pub(crate) async fn reach(
        &self,
        organization: OrganizationId,
        want: Head,
    ) -> Result<Folded, FoldError> {
        if self.is_outdated() {
            return Err(FoldError::Outdated { family: self.family });
        }
        // What is read of another log must not come into these views.
        self.log.watch().check().map_err(LogError::Closed)?;
        let lane = self.lane(organization);
        let mut folded = Folded::default();
        if lane.want(want) {
            return Ok(folded);
        }
        let mut retried = lane.running.lock().await;
        let mut page = self.page;
        let mut before = None;
        while !lane.covers(want) {
            // Everything that others asked for meanwhile goes along.
            match self.step(organization, &lane, lane.wanted(), page, !*retried).await {
                Ok((at, step)) => {
                    // Only a step that went on has tried a stop again.
                    *retried |= step != Folded::default();
                    folded.records += step.records;
                    folded.exchanges += step.exchanges;
                    if before == Some(at) && !lane.covers(want) {
                        return Err(LogError::Damaged(format!(
                            "nothing follows position {} although more was appended",
                            at.position
                        ))
                        .into());
                    }
                    before = Some(at);
                }
                Err(StepError::Fold(e)) => return Err(e),
                // One at a time shows which it is.
                Err(StepError::Page { .. }) if page > 1 => page = 1,
                Err(StepError::Page { records: 1, after, why, .. }) => {
                    *retried = true;
                    let stop =
                        Stop { position: after + 1, reason: StopReason::NotUnderstood, error: why };
                    return Err(self.stop(organization, "", stop).await);
                }
                Err(StepError::Page { why, error, .. }) => {
                    return Err(error.unwrap_or(SqlError::Refused(why)).into());
                }
                Err(StepError::Record { position, event_type, reason, why }) => {
                    *retried = true;
                    self.before_stop(organization, &lane, position, page).await?;
                    let stop = Stop { position, reason, error: why };
                    return Err(self.stop(organization, &event_type, stop).await);
                }
            }
        }
        Ok(folded)
    }

    /// Folds what stands before a record that cannot be folded.
    async fn before_stop(
        &self,
        organization: OrganizationId,
        lane: &Lane,
        position: Position,
        page: usize,
    ) -> Result<(), FoldError> {
        let target =
            Head { position: position - 1, exchange_number: lane.wanted().exchange_number };
        loop {
            match self.step(organization, lane, target, page, true).await {
                Ok((_, step)) if step == Folded::default() => return Ok(()),
                Ok(_) => {}
                Err(StepError::Fold(e)) => return Err(e),
                Err(StepError::Record { why, .. } | StepError::Page { why, .. }) => {
                    return Err(SqlError::Refused(why).into());
                }
            }
        }
    }

    /// Writes down that a record cannot be folded. Gives the error to answer with.
    async fn stop(&self, organization: OrganizationId, event_type: &str, stop: Stop) -> FoldError {
        let Stop { position, reason, error } = stop.clone();
        let family = self.family;
        tracing::error!(family = family.as_str(), %organization, position, event_type, reason = reason.as_str(), error, "a record cannot be folded: views of this organization stop");
        let written = async {
            let mut tx = self.views.begin(organization).await?;
            let mut checkpoint = Checkpoint::read(&mut *tx, organization).await?;
            if checkpoint.at.position + 1 != position {
                return Ok(()); // Another process got further.
            }
            checkpoint.stopped = Some(stop);
            let (sql, params) =
                checkpoint.save(organization).map_err(|Bad(why)| SqlError::Refused(why))?;
            tx.execute(&sql, params).await?;
            tx.commit().await
        };
        match written.await {
            Ok(()) => FoldError::Stopped { family, position, reason, error },
            Err(e) => e.into(),
        }
    }

    /// One transaction: at most a page after the checkpoint, up to `target`.
    async fn step(
        &self,
        organization: OrganizationId,
        lane: &Lane,
        target: Head,
        page: usize,
        retry: bool,
    ) -> Result<(Head, Folded), StepError> {
        let (mut tx, checkpoint) = Checkpoint::begin(&*self.views, organization).await?;
        if checkpoint.covers(target) {
            lane.reached(checkpoint.at);
            return Ok((checkpoint.at, Folded::default()));
        }
        if let Some(Stop { position, reason, error }) = checkpoint.stopped
            && !retry
            && !reason.is_damage()
        {
            lane.forget();
            return Err(StepError::Fold(FoldError::Stopped {
                family: self.family,
                position,
                reason,
                error,
            }));
        }
        let mut at = checkpoint.at;
        let records = self
            .records(organization, lane, at.position, room(at.position, target.position, page))
            .await?;
        let end = records.last().map_or(at.position, |r| r.position);
        let mut exchanges = Stretch::none(at.exchange_number);
        // When looking for the one that is refused, a record goes alone.
        if page > 1 || records.is_empty() {
            let limit = room(at.exchange_number, target.exchange_number, page);
            let log = &*self.log;
            exchanges = stretch(log, organization, lane, at.exchange_number, limit).await?;
            // What it caused comes first.
            exchanges.before(end);
            exchanges.tell_holes(self.family, organization);
        }
        let mut rows = WorkingSet::fetch(
            views(self.family),
            &mut *tx,
            Page { organization, records: &records, exchanges: &exchanges.there },
        )
        .await?;
        for record in &records {
            let bad = |Bad(why)| StepError::Record {
                position: record.position,
                event_type: record.event_type.clone(),
                reason: StopReason::NotUnderstood,
                why,
            };
            rows.record(record).map_err(bad)?;
            at.position = record.position;
        }
        let mut folded = Folded { records: records.len() as u64, exchanges: 0 };
        at.exchange_number = exchanges.through;
        for exchange in exchanges.there {
            folded.exchanges += 1;
            rows.exchange(&exchange)
                .map_err(|Bad(why)| StepError::Fold(SqlError::Refused(why).into()))?;
        }
        if at == checkpoint.at {
            return Ok((at, folded));
        }
        let after = checkpoint.at.position;
        let refused = |why, error| StepError::Page { after, why, records: records.len(), error };
        let mut statements = rows.flush().map_err(|Bad(why)| refused(why, None))?;
        statements.push(
            Checkpoint { at, stopped: None }
                .save(organization)
                .map_err(|Bad(why)| refused(why, None))?,
        );
        // While the database writes this page, the next one is read.
        let more = room(at.position, target.position, page);
        let (written, ()) = tokio::join!(
            tx.finish(statements),
            self.read_ahead(organization, lane, at.position, more)
        );
        match written {
            Ok(()) => {}
            // The text may hold values, so it goes to whoever handles the error, not into the
            // tables.
            Err(e @ SqlError::Refused(_)) => {
                return Err(refused("the database refused its rows".to_owned(), Some(e)));
            }
            Err(e) => return Err(e.into()),
        }
        lane.reached(at);
        Ok((at, folded))
    }

    /// Reads what the next step will want. If that fails, the next step reads it again and tells.
    async fn read_ahead(
        &self,
        organization: OrganizationId,
        lane: &Lane,
        after: Position,
        limit: usize,
    ) {
        if limit > 0
            && let Ok(records) = self.log.records(organization, after, limit).await
        {
            lane.hand_over(records, Vec::new());
        }
    }

    async fn records(
        &self,
        organization: OrganizationId,
        lane: &Lane,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Record>, StepError> {
        // What was handed over follows without a gap, or is not given.
        let handed = lane.records(after, limit);
        if !handed.is_empty() || limit == 0 {
            return Ok(handed);
        }
        match sound(&*self.log, organization, after, limit).await? {
            Ok(records) => Ok(records),
            Err(damage) => Err(self.damaged(organization, after + 1, damage).await?),
        }
    }

    /// A record that is missing or cannot be read. If the log ends before it by now, it is another
    /// log: whoever compares it says so, and nothing stops.
    async fn damaged(
        &self,
        organization: OrganizationId,
        position: Position,
        damage: Damage,
    ) -> Result<StepError, LogError> {
        let head = self.log.head(organization).await?;
        self.log.watch().check().map_err(LogError::Closed)?;
        if head.position < position {
            let why = format!("it ends at position {}, before {position}", head.position);
            return Err(LogError::Damaged(why));
        }
        Ok(StepError::Record {
            position,
            event_type: String::new(),
            reason: StopReason::Damaged(damage),
            why: damage.to_string(),
        })
    }
}

fn room(at: u64, target: u64, page: usize) -> usize {
    usize::try_from(target.saturating_sub(at)).map_or(page, |n| n.min(page))
}
