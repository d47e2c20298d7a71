//! The log of a fork: writes what is expected of it, and holds everything else back.

use async_trait::async_trait;
use rollcall_domain::claim::{Claim, ClaimKind};
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::log::*;
use std::sync::{Arc, Mutex, MutexGuard};
use uuid::Uuid;

/// What the exchange that runs now may write.
#[derive(Clone, Debug, Default)]
pub enum Rule {
    /// Anything.
    #[default]
    Anything,
    /// These records and no others.
    Exactly(Vec<Record>),
}

/// What the exchange that ran wanted to write.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Its events; the position is 0 where they were held back.
    pub events: Vec<Record>,
    /// The exchange as its write sealed it, also where that was held back.
    pub sealed: Option<Exchange>,
    /// True if an append had other events than expected.
    pub differs: bool,
}

/// A scratch log under watch.
pub struct ForkLog {
    inner: Arc<dyn Log>,
    watch: Mutex<(Rule, Wish)>,
}

impl ForkLog {
    /// Watches a scratch log.
    pub fn new(inner: Arc<dyn Log>) -> Self {
        Self { inner, watch: Mutex::default() }
    }

    /// Begins an exchange.
    pub fn expect(&self, rule: Rule) {
        *self.watch() = (rule, Wish::default());
    }

    /// Ends an exchange: what it wanted.
    pub fn wish(&self) -> Wish {
        std::mem::take(&mut *self.watch()).1
    }

    /// Puts records down as they are.
    pub async fn put(&self, append: Append) -> Result<Appended, AppendError> {
        self.inner.append(append).await
    }

    fn watch(&self) -> MutexGuard<'_, (Rule, Wish)> {
        self.watch.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Refuses what the log would refuse, without writing.
    async fn check(&self, write: &Write) -> Result<(), AppendError> {
        let away = |e: LogError| AppendError::Unavailable(e.to_string());
        let later = self.inner.load(&write.stream, write.expected).await.map_err(away)?;
        if let Some(last) = later.last() {
            return Err(AppendError::LostRace {
                stream: write.stream,
                expected: write.expected,
                actual: last.version,
            });
        }
        for claim in &write.claims.take {
            match self.inner.holder(claim).await.map_err(away)? {
                Some(holder) if holder != write.stream || claim.kind.is_once() => {
                    return Err(AppendError::ClaimTaken { kind: claim.kind, holder });
                }
                _ => {}
            }
        }
        for (index, claim) in write.claims.require.iter().enumerate() {
            // A resource may need itself.
            let own = claim.kind == ClaimKind::Resource && write.claims.take.contains(claim);
            if !own && self.inner.holder(claim).await.map_err(away)?.is_none() {
                return Err(AppendError::ReferenceMissing { index });
            }
        }
        Ok(())
    }
}

/// The records a write asks for, at position 0.
fn asked(write: &Write) -> Vec<Record> {
    let record = |(i, event): (u64, &NewEvent)| Record {
        position: 0,
        stream: write.stream,
        version: write.expected + 1 + i,
        event_type: event.event_type.clone(),
        event_version: event.event_version.clone(),
        payload: event.payload.clone(),
        recorded_at: write.recorded_at,
        exchange: write.cause,
        actor: write.actor.clone(),
    };
    (0..).zip(&write.events).map(record).collect()
}

/// Whether two records are the same, byte for byte, but for the position.
pub fn same(a: &Record, b: &Record) -> bool {
    a == &Record { position: a.position, ..b.clone() }
}

fn placed(mut events: Vec<Record>, appended: &Appended) -> Vec<Record> {
    if let Some((first, _)) = appended.positions {
        for (position, event) in (first..).zip(&mut events) {
            event.position = position;
        }
    }
    events
}

#[async_trait]
impl Log for ForkLog {
    /// The exchange is not kept: it is in the log that was forked.
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let Append { organization, write, exchange } = append;
        let Some(write) = write else { return Ok(Appended::default()) };
        let events = asked(&write);
        let fits = match &self.watch().0 {
            Rule::Anything => true,
            Rule::Exactly(expected) => {
                events.is_empty()
                    || events.len() == expected.len()
                        && events.iter().zip(expected).all(|(a, b)| same(a, b))
            }
        };
        self.watch().1.sealed = exchange;
        if fits {
            let appended = self
                .inner
                .append(Append { organization, write: Some(write), exchange: None })
                .await?;
            self.watch().1.events.extend(placed(events, &appended));
            return Ok(appended);
        }
        self.check(&write).await?;
        let wish = &mut self.watch().1;
        wish.events.extend(events);
        wish.differs = true;
        Err(AppendError::Unavailable("held back: other events than recorded".to_owned()))
    }

    async fn load(&self, stream: &StreamId, after: Version) -> Result<Vec<Record>, LogError> {
        self.inner.load(stream, after).await
    }

    async fn records(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Record>, LogError> {
        self.inner.records(organization, after, limit).await
    }

    async fn exchanges(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
        bodies: Bodies,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        self.inner.exchanges(organization, after, limit, bodies).await
    }

    async fn exchanges_with(
        &self,
        organization: OrganizationId,
        facet: Facet<'_>,
        start: Start,
        limit: usize,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        self.inner.exchanges_with(organization, facet, start, limit).await
    }

    async fn exchange(
        &self,
        organization: OrganizationId,
        id: ExchangeId,
    ) -> Result<Option<RecordedExchange>, LogError> {
        self.inner.exchange(organization, id).await
    }

    async fn head(&self, organization: OrganizationId) -> Result<Head, LogError> {
        self.inner.head(organization).await
    }

    async fn heads(&self) -> Result<Vec<(OrganizationId, Head)>, LogError> {
        self.inner.heads().await
    }

    async fn snapshot(&self, stream: &StreamId) -> Result<Option<AggregateSnapshot>, LogError> {
        self.inner.snapshot(stream).await
    }

    async fn save_snapshot(&self, snapshot: AggregateSnapshot) -> Result<(), LogError> {
        self.inner.save_snapshot(snapshot).await
    }

    async fn holder(&self, claim: &Claim) -> Result<Option<StreamId>, LogError> {
        self.inner.holder(claim).await
    }

    async fn claims(
        &self,
        scope: OrganizationId,
        after: Option<Claim>,
        limit: usize,
    ) -> Result<Vec<(Claim, StreamId)>, LogError> {
        self.inner.claims(scope, after, limit).await
    }

    async fn claim_key(
        &self,
        scope: OrganizationId,
        fresh: [u8; 32],
    ) -> Result<[u8; 32], LogError> {
        self.inner.claim_key(scope, fresh).await
    }

    async fn claim_keys(&self) -> Result<Vec<(OrganizationId, [u8; 32])>, LogError> {
        self.inner.claim_keys().await
    }

    async fn drop_bodies(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        through: ExchangeNumber,
    ) -> Result<u64, LogError> {
        self.inner.drop_bodies(organization, after, through).await
    }

    async fn epoch(&self) -> Result<Uuid, LogError> {
        self.inner.epoch().await
    }

    async fn ledger_head(&self, organization: OrganizationId) -> Result<LedgerHead, LogError> {
        self.inner.ledger_head(organization).await
    }

    async fn counted(&self, organization: OrganizationId) -> Result<Head, LogError> {
        self.inner.counted(organization).await
    }

    async fn record_leaves(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<(Position, Option<LeafHash>)>, LogError> {
        self.inner.record_leaves(organization, after, limit).await
    }

    async fn exchange_leaves(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
    ) -> Result<Vec<ExchangeLeaf>, LogError> {
        self.inner.exchange_leaves(organization, after, limit).await
    }

    async fn restore(&self, parts: Vec<Restored>) -> Result<(), LogError> {
        self.inner.restore(parts).await
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.inner.ping().await
    }
}
