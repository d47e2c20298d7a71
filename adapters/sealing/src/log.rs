//! The log that seals and opens.

use crate::error::SealingError;
use crate::exchange;
use crate::inline::OpeningFold;
use crate::memory::MemoryKeys;
use crate::opener::{Opener, is_of_its_stream};
use crate::record::{self, Marked};
use crate::ring::{Named, Ring};
use crate::wrap::DeploymentWrap;
use crate::{about, token};
use async_trait::async_trait;
use rollcall_domain::claim::Claim;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::log::*;
use std::sync::Arc;
use uuid::Uuid;

/// A log that keeps what is personal sealed, and shows it opened.
#[derive(Clone)]
pub struct SealedLog {
    inner: Arc<dyn Log>,
    ring: Arc<Ring>,
}

impl SealedLog {
    /// Seals what goes into a log with keys that lie here, wrapped by the deployment's.
    pub fn new(inner: Arc<dyn Log>, keys: Arc<dyn KeyRing>, wrap: DeploymentWrap) -> Self {
        let ring = Arc::new(Ring::new(keys, wrap, Some(&inner)));
        Self { inner, ring }
    }

    /// Views that the log below folds, as they are to be given to it.
    pub fn opening(&self, fold: Arc<dyn InlineFold>) -> OpeningFold {
        OpeningFold::new(fold, self.opener())
    }

    /// Whether the keys are those of the log.
    ///
    /// # Errors
    /// If they are not, or cannot be read.
    pub async fn check_that_keys_belong(&self) -> Result<(), LogError> {
        Ok(self.ring.belongs().await?)
    }

    /// Wraps the keys of all organizations anew that the former key of the deployment wrapped. Gives
    /// how many that were. Nothing that is sealed changes.
    ///
    /// # Errors
    /// If a key is wrapped by neither, or the keys cannot be written.
    pub async fn rewrap(&self) -> Result<usize, LogError> {
        Ok(self.ring.rewrap().await?)
    }

    /// Seals a log of before, in which everything is in the clear: all of it or nothing. None if
    /// there is nothing to do, or if the store never changes what it holds.
    ///
    /// # Errors
    /// If it cannot be done; then all of it stays as it was.
    pub async fn seal_what_is_in_the_clear(
        &self,
        fresh: Uuid,
    ) -> Result<Option<Rewritten>, LogError> {
        // Keys of which the log is told nothing: it is locked meanwhile.
        let ring = Ring::new(self.ring.store.clone(), self.ring.wrap.clone(), None);
        let by = Self { inner: self.inner.clone(), ring: Arc::new(ring) };
        self.inner.rewrite(fresh, Arc::new(by)).await
    }

    /// Whether the log was begun before anything was sealed: whether the first exchange of any
    /// organization is in the clear.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn is_in_the_clear(&self) -> Result<bool, LogError> {
        for (organization, head) in self.inner.heads().await? {
            if head.exchange_number == 0 {
                continue;
            }
            let first = self.inner.exchanges(organization, 0, 1, Bodies::Skip).await?;
            if first.iter().any(|recorded| !exchange::is_sealed(&recorded.exchange)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn opener(&self) -> Opener {
        Opener::new(self.ring.clone())
    }

    /// The key of a stream: the one that its records were sealed with, or else a fresh one.
    async fn of_stream(
        &self,
        stream: &StreamId,
        expected: Version,
    ) -> Result<Option<Named>, SealingError> {
        let of = stream.organization;
        if !is_of_its_stream(stream) {
            return self.ring.fresh(of).await.map(Some);
        }
        if self.ring.of_stream(stream).is_none() && expected > 0 {
            for record in self.inner.load(stream, 0).await? {
                if let Some(id) = record::keys(&record.payload)?.first() {
                    self.ring.learn(*stream, *id);
                    break;
                }
            }
        }
        if self.ring.of_stream(stream).is_none() {
            self.ring.learn(*stream, self.ring.fresh(of).await?.0);
        }
        match self.ring.of_stream(stream) {
            Some(id) => Ok(self.ring.key(of, id).await?.map(|key| (id, key))),
            None => self.ring.fresh(of).await.map(Some),
        }
    }

    async fn seal_write(&self, write: &mut Write) -> Result<(), SealingError> {
        let versions = write.expected + 1..;
        let marked: Vec<(Version, Marked)> = versions
            .zip(&write.events)
            .map(|(version, event)| (version, record::mark(write, version, event)))
            .collect();
        if marked.iter().all(|(_, marked)| matches!(marked, Marked::Nothing)) {
            return Ok(());
        }
        let stream = write.stream;
        let key = self.of_stream(&stream, write.expected).await?;
        let key = key.ok_or(SealingError::Erased)?;
        for (event, (version, marked)) in write.events.iter_mut().zip(marked) {
            event.payload =
                record::seal(&stream, version, &event.event_type, &event.payload, &marked, &key)?;
        }
        Ok(())
    }

    /// Seals an exchange: with the key of the person whom it is about, if that is known; else with
    /// one of that day.
    async fn seal_exchange(
        &self,
        exchange: &mut Exchange,
        wrote: Option<StreamId>,
    ) -> Result<(), SealingError> {
        let of = exchange.organization;
        let about = exchange.subject.as_deref().and_then(|subject| Uuid::try_parse(subject).ok());
        let about = about.map(|id| StreamId { organization: of, kind: AggregateKind::User, id });
        let person = wrote.filter(|stream| stream.kind == AggregateKind::User).or(about);
        let mut key = None;
        if let Some(id) = person.and_then(|stream| self.ring.of_stream(&stream)) {
            key = self.ring.key(of, id).await?.map(|key| (id, key));
        }
        let key = match key {
            Some(key) => key,
            None => self.ring.daily(of, exchange.received_at.date_naive()).await?,
        };
        let lookup = self.ring.own(of).await?;
        exchange::seal(exchange, &key, lookup.bytes())
    }

    /// A record that is in the clear, sealed.
    async fn seal_record(&self, record: &mut Record) -> Result<(), SealingError> {
        let marked = record::mark_record(record);
        if matches!(marked, Marked::Nothing) {
            return Ok(());
        }
        // As of a stream that nothing is known of: what lies in the log may be locked meanwhile, and
        // is in the clear.
        let key = self.of_stream(&record.stream, 0).await?.ok_or(SealingError::Erased)?;
        record.payload = record::seal(
            &record.stream,
            record.version,
            &record.event_type,
            &record.payload,
            &marked,
            &key,
        )?;
        Ok(())
    }
}

#[async_trait]
impl Sealed for SealedLog {
    fn stored(&self) -> Arc<dyn Log> {
        self.inner.clone()
    }

    async fn open(&self, record: Record) -> Result<Record, LogError> {
        Ok(self.opener().record(record).await?)
    }

    async fn open_exchange(&self, exchange: &mut Exchange) -> Result<(), LogError> {
        Ok(self.opener().exchange(exchange).await?)
    }

    async fn seal_exchange(&self, exchange: &mut Exchange) -> Result<(), LogError> {
        Ok(Self::seal_exchange(self, exchange, None).await?)
    }

    fn apart(&self) -> Arc<dyn Sealed> {
        let keys = Arc::new(MemoryKeys::default());
        let ring = Arc::new(Ring::new(keys, self.ring.wrap.clone(), None));
        Arc::new(Self { inner: self.inner.clone(), ring })
    }

    fn keys_of(&self, record: &Record) -> Result<Vec<KeyId>, LogError> {
        match record::is_sealed(&record.payload) {
            true => Ok(record::keys(&record.payload)?),
            false => Ok(Vec::new()),
        }
    }

    fn forget(&self) {
        self.ring.forget();
    }

    fn keys(&self) -> &dyn KeyRing {
        &*self.ring.store
    }

    fn check(&self, organization: OrganizationId, key: &Wrapped) -> Result<(), LogError> {
        Ok(self.ring.check(organization, key)?)
    }
}

/// What was in the clear, sealed where it lies.
#[async_trait]
impl Rewrite for SealedLog {
    async fn record(&self, record: &mut Record) -> Result<(), LogError> {
        Ok(self.seal_record(record).await?)
    }

    async fn exchange(&self, exchange: &mut Exchange) -> Result<(), LogError> {
        Ok(self.seal_exchange(exchange, None).await?)
    }
}

#[async_trait]
impl Log for SealedLog {
    async fn append(&self, mut append: Append) -> Result<Appended, AppendError> {
        let wrote = append.write.as_ref().map(|write| write.stream);
        if let Some(write) = &mut append.write {
            self.seal_write(write).await?;
        }
        if let Some(exchange) = &mut append.exchange {
            self.seal_exchange(exchange, wrote).await?;
        }
        self.inner.append(append).await
    }

    async fn load(&self, stream: &StreamId, after: Version) -> Result<Vec<Record>, LogError> {
        self.opener().records(self.inner.load(stream, after).await?).await
    }

    async fn records(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Record>, LogError> {
        self.opener().records(self.inner.records(organization, after, limit).await?).await
    }

    async fn exchanges(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
        bodies: Bodies,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        let stored = self.inner.exchanges(organization, after, limit, bodies).await?;
        self.opener().exchanges(stored).await
    }

    async fn exchanges_with(
        &self,
        organization: OrganizationId,
        facet: Facet<'_>,
        start: Start,
        limit: usize,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        let stored = match facet {
            Facet::Subject(subject) if !exchange::is_id(subject) => {
                let lookup = self.ring.own(organization).await?;
                let hashed = exchange::hashed_subject(lookup.bytes(), subject)?;
                let mut found = self
                    .inner
                    .exchanges_with(organization, Facet::Subject(&hashed), start, limit)
                    .await?;
                // Those of before anything was sealed.
                found.extend(self.inner.exchanges_with(organization, facet, start, limit).await?);
                found.sort_by_key(|recorded| recorded.number);
                if !matches!(start, Start::After(_)) {
                    found.reverse();
                }
                found.truncate(limit);
                found
            }
            _ => self.inner.exchanges_with(organization, facet, start, limit).await?,
        };
        self.opener().exchanges(stored).await
    }

    async fn exchange(
        &self,
        organization: OrganizationId,
        id: ExchangeId,
    ) -> Result<Option<RecordedExchange>, LogError> {
        let Some(mut found) = self.inner.exchange(organization, id).await? else { return Ok(None) };
        self.opener().exchange(&mut found.exchange).await?;
        Ok(Some(found))
    }

    async fn head(&self, organization: OrganizationId) -> Result<Head, LogError> {
        self.inner.head(organization).await
    }

    async fn heads(&self) -> Result<Vec<(OrganizationId, Head)>, LogError> {
        self.inner.heads().await
    }

    async fn snapshot(&self, stream: &StreamId) -> Result<Option<AggregateSnapshot>, LogError> {
        let Some(mut snapshot) = self.inner.snapshot(stream).await? else { return Ok(None) };
        if snapshot.state.starts_with('{') {
            return Ok(Some(snapshot));
        }
        let own = self.ring.own(stream.organization).await?;
        let opened = token::read(&snapshot.state)
            .and_then(|(_, sealed)| own.open(&sealed, &about::state(stream, snapshot.version)));
        // One that does not open is as good as none: it is made anew.
        let Some(state) = opened.ok().and_then(|state| String::from_utf8(state).ok()) else {
            return Ok(None);
        };
        snapshot.state = state;
        Ok(Some(snapshot))
    }

    async fn save_snapshot(&self, mut snapshot: AggregateSnapshot) -> Result<(), LogError> {
        let own = self.ring.own(snapshot.stream.organization).await?;
        let about = about::state(&snapshot.stream, snapshot.version);
        snapshot.state = token::write(KeyId(0), &own.seal(snapshot.state.as_bytes(), &about)?);
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

    /// What is put down is in the clear, and is sealed. What is sealed already goes into the log
    /// that is stored ([`Sealed::stored`]), under the keys that came with it.
    async fn restore(&self, mut parts: Vec<Restored>) -> Result<(), LogError> {
        for part in &mut parts {
            match part {
                Restored::Record(record) => self.seal_record(record).await?,
                Restored::Exchange(recorded) => {
                    self.seal_exchange(&mut recorded.exchange, None).await?;
                }
                Restored::ClaimKey(..) | Restored::Claim(..) => {}
            }
        }
        self.inner.restore(parts).await
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.inner.ping().await
    }

    /// Records that are put back ([`Log::mend`]) are as they were stored, and stay so.
    fn below(&self) -> Option<&dyn Log> {
        Some(&*self.inner)
    }

    fn sealed(&self) -> Option<&dyn Sealed> {
        Some(self)
    }
}
