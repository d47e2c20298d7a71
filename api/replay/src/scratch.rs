//! The scratch store of a fork, with the application on it.

use super::error::ReplayError;
use super::fork::{ForkLog, Rule, Wish};
use chrono::{DateTime, Utc};
use futures::future::join_all;
use futures::poll;
use rollcall_domain::claim::{Claim, ClaimChanges, ClaimKind};
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::interpretation::Reading;
use rollcall_domain::log::{
    Append, AppendError, Appended, Log as _, LogError, NewEvent, Position, Record, StreamId, Write,
};
use rollcall_door::App;
use rollcall_door::SCIM_PREFIX;
use rollcall_door::config::ServeConfig;
use rollcall_door::sealing::DeploymentKey;
use rollcall_door::strangers::Strangers;
use rollcall_engine::begin;
use rollcall_engine::clock::{Clock, ClockHand};
use rollcall_engine::ids::{Ids, Random};
use rollcall_projections::console::ConsoleStore;
use rollcall_projections::consumer_places::ConsumerPlaces;
use rollcall_projections::fold::FoldError;
use rollcall_projections::notices::Notices;
use rollcall_projections::reads::ReadTrail;
use rollcall_projections::session_uses::SessionUses;
use rollcall_projections::strangers::StrangerRing;
use rollcall_scim::{Rerun, rerun};
use rollcall_stores::Stores;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::task::Poll;
use tempfile::TempDir;

/// Records put down at once; well below what the log's writer queues.
const BATCH: usize = 500;

/// Who holds claims that are not in the log yet; nobody, where one was given up.
type Holders = HashMap<Claim, Option<StreamId>>;

/// What the application of a fork is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The configuration whose limits hold.
    pub config: ServeConfig,
    /// Public address of the SCIM endpoint.
    pub scim_base: String,
    /// Liberties that are not taken.
    pub refused: BTreeSet<Reading>,
}

impl Settings {
    /// Those of a running server.
    pub fn of(app: &App, refused: BTreeSet<Reading>) -> Self {
        Self { config: app.config.clone(), scim_base: app.scim_base.to_string(), refused }
    }
}

/// How an exchange came out.
pub struct Ran {
    /// As it would be kept now.
    pub exchange: Exchange,
    /// What it caused, or would have caused.
    pub wish: Wish,
}

/// An application on a scratch store.
pub struct Scratch {
    app: Arc<App>,
    fork: Arc<ForkLog>,
    hand: ClockHand,
    organization: OrganizationId,
    /// Where the fork is.
    pub position: Position,
    // Dropped in this order: the folder goes last.
    _stores: Stores,
    _folder: TempDir,
}

impl Scratch {
    /// An empty fork of an organization's log.
    pub async fn open(
        organization: OrganizationId,
        settings: &Settings,
    ) -> Result<Self, ReplayError> {
        let folder = tempfile::Builder::new()
            .prefix("rollcall-replay-")
            .tempdir()
            .map_err(|e| ReplayError::Scratch(e.to_string()))?;
        let mut stores = Stores::of_fork(folder.path()).map_err(scratch)?;
        let fork = Arc::new(ForkLog::new(stores.log.clone()));
        stores.log = fork.clone();
        let (clock, hand) = Clock::by_hand(DateTime::UNIX_EPOCH);
        // Nothing that is drawn here is kept: recorded exchanges bring their ids.
        let ids = Ids::new(clock.clone(), Random::seeded(0));
        let engine = begin::engine(&stores.log, &stores.live, clock, ids).await.map_err(scratch)?;
        let places =
            ConsumerPlaces::open(stores.side.clone()).await.map_err(|e| scratch(e.into()))?;
        let ring = StrangerRing::open(stores.side.clone(), stores.log.clone())
            .await
            .map_err(|e| scratch(e.into()))?;
        let (requests, most) =
            (settings.config.max_in_flight, settings.config.stranger_connections);
        let strangers = Strangers::new(requests, most, ring, false);
        let session_uses =
            SessionUses::open(stores.side.clone()).await.map_err(|e| scratch(e.into()))?;
        let console =
            ConsoleStore::open(stores.side.clone()).await.map_err(|e| scratch(e.into()))?;
        let reads = ReadTrail::open(stores.side.clone()).await.map_err(|e| scratch(e.into()))?;
        let notices = Notices::open(stores.side.clone()).await.map_err(|e| scratch(e.into()))?;
        let application = rollcall_door::Settings {
            notices,
            places,
            session_uses,
            console,
            reads,
            config: ServeConfig {
                rate_limit: 0,
                database_url: None,
                smtp_url: None,
                kurrent_url: None,
                ..settings.config.clone()
            },
            public_url: settings.scim_base.trim_end_matches(SCIM_PREFIX).to_owned(),
            operator_key: String::new(),
            // No login is replayed, so nothing is sealed or opened here.
            deployment_key: DeploymentKey::derived_from("a fork"),
            shared: false,
            strangers,
        };
        // Nobody audits a fork: those views stay empty.
        let audit = begin::audit(&stores.log, &stores.audit).await.map_err(scratch)?;
        let mut app = App::new(engine, audit, application);
        Arc::make_mut(&mut app.limits).refused.clone_from(&settings.refused);
        Ok(Self {
            app: Arc::new(app),
            fork,
            hand,
            organization,
            position: 0,
            _stores: stores,
            _folder: folder,
        })
    }

    /// Puts recorded records down, and their claims, and shows them in the views.
    pub async fn copy(&mut self, records: Vec<Record>) -> Result<(), ReplayError> {
        for batch in records.chunks(BATCH) {
            let mut appends = Vec::with_capacity(batch.len());
            let mut known = Holders::new();
            for record in batch {
                let mut claims = self.app.engine.claims_of(record).await?;
                self.leave_to_the_first(record.stream, &mut claims, &mut known).await?;
                appends.push(Append {
                    organization: self.organization,
                    write: Some(write(record, claims)),
                    exchange: None,
                });
            }
            for (record, appended) in batch.iter().zip(self.put(appends).await?) {
                if appended.positions != Some((record.position, record.position)) {
                    return Err(ReplayError::Scratch(format!(
                        "position {} became {:?}",
                        record.position, appended.positions
                    )));
                }
                self.app.engine.forget(&record.stream);
                self.position = record.position;
            }
        }
        self.app.engine.folder.fold_appended(self.organization, records, Vec::new()).await?;
        Ok(())
    }

    /// What happened is put down as it was, also where an older version told two names apart that
    /// are one now: the first keeps the claim. `known` is what earlier records of the batch made of
    /// claims.
    async fn leave_to_the_first(
        &self,
        stream: StreamId,
        claims: &mut ClaimChanges<Claim>,
        known: &mut Holders,
    ) -> Result<(), ReplayError> {
        for claim in claims.release.iter().filter(|c| c.kind == ClaimKind::UserName) {
            if self.holder(claim, known).await? == Some(stream) {
                known.insert(*claim, None);
            }
        }
        for claim in std::mem::take(&mut claims.take) {
            if claim.kind == ClaimKind::UserName {
                if self.holder(&claim, known).await?.is_some_and(|holder| holder != stream) {
                    continue;
                }
                known.insert(claim, Some(stream));
            }
            claims.take.push(claim);
        }
        Ok(())
    }

    async fn holder(&self, claim: &Claim, known: &Holders) -> Result<Option<StreamId>, LogError> {
        match known.get(claim) {
            Some(holder) => Ok(*holder),
            None => self.fork.holder(claim).await,
        }
    }

    /// The log's writer takes appends in the order in which they are first polled, and commits
    /// what waits together.
    async fn put(&self, appends: Vec<Append>) -> Result<Vec<Appended>, AppendError> {
        let mut waiting = Vec::with_capacity(appends.len());
        let mut done = Vec::new();
        for append in appends {
            let mut put = Box::pin(self.fork.put(append));
            match poll!(&mut put) {
                Poll::Pending => waiting.push(put),
                // Ready at once: refused before it was queued, or committed before those behind it.
                Poll::Ready(result) if waiting.is_empty() => done.push(result?),
                Poll::Ready(result) => {
                    done.extend(
                        join_all(waiting.drain(..))
                            .await
                            .into_iter()
                            .collect::<Result<Vec<_>, _>>()?,
                    );
                    done.push(result?);
                }
            }
        }
        done.extend(join_all(waiting).await.into_iter().collect::<Result<Vec<_>, _>>()?);
        Ok(done)
    }

    /// The names of the users whose name is one with any of these.
    pub async fn names_like(&self, names: &[String]) -> Result<Vec<String>, ReplayError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self
            .app
            .directory
            .names_like(self.organization, names)
            .await
            .map_err(FoldError::from)?)
    }

    /// Runs one exchange at a time of its own.
    pub async fn run(
        &mut self,
        exchange: &Exchange,
        at: DateTime<Utc>,
        settled: Option<ResourceId>,
        rule: Rule,
    ) -> Ran {
        self.hand.set(at);
        self.fork.expect(rule);
        let closed = rerun(&self.app, Rerun { exchange, settled }).await;
        let mut wish = self.fork.wish();
        if let Some(last) = wish.events.last().filter(|e| e.position > 0) {
            self.position = last.position;
        }
        // What the write sealed holds also what only showed against the state; if the write was
        // held back, the answer that came back tells of that and not of the request.
        let sealed = wish.sealed.take().filter(|x| {
            x.id == exchange.id && (wish.differs || x.answer.status == closed.answer.status)
        });
        Ran { exchange: sealed.unwrap_or(closed), wish }
    }
}

fn write(
    record: &Record,
    claims: rollcall_domain::claim::ClaimChanges<rollcall_domain::claim::Claim>,
) -> Write {
    Write {
        stream: record.stream,
        expected: record.version - 1,
        events: vec![NewEvent {
            event_type: record.event_type.clone(),
            event_version: record.event_version.clone(),
            payload: record.payload.clone(),
        }],
        claims,
        recorded_at: record.recorded_at,
        actor: record.actor.clone(),
        cause: record.exchange,
    }
}

fn scratch(error: anyhow::Error) -> ReplayError {
    ReplayError::Scratch(format!("{error:#}"))
}
