//! What readers see of what is stored.

use crate::error::SealingError;
use crate::ring::Ring;
use crate::{exchange, record};
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, KeyId, LogError, Record, RecordedExchange, StreamId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Opens records and exchanges.
#[derive(Clone)]
pub(crate) struct Opener(Arc<Ring>);

impl Opener {
    /// With these keys.
    pub fn new(ring: Arc<Ring>) -> Self {
        Self(ring)
    }

    /// Opens a record with keys that are at hand; none if one is not, or if it does not open.
    pub fn record_at_hand(&self, record: &Record) -> Option<Record> {
        if !record::is_sealed(&record.payload) {
            return Some(record.clone());
        }
        let payload = self.payload_at_hand(record).ok()?;
        Some(Record { payload, ..record.clone() })
    }

    fn payload_at_hand(&self, record: &Record) -> Result<String, SealingError> {
        let stream = &record.stream;
        record::open(record, |id| {
            let known = self.0.known(stream.organization, id).ok_or(SealingError::NoKey)?;
            if is_of_its_stream(stream) {
                self.0.learn(*stream, id);
            }
            Ok(Some(known))
        })
    }

    pub async fn record(&self, mut record: Record) -> Result<Record, SealingError> {
        if !record::is_sealed(&record.payload) {
            return Ok(record);
        }
        let opened = match self.payload_at_hand(&record) {
            Err(SealingError::NoKey) => self.payload(&record).await,
            opened => opened,
        };
        record.payload = match opened {
            // Whoever folds stops at this record, and whoever reads it says that it cannot be read.
            Err(SealingError::Changed | SealingError::Shape) => record::UNREADABLE.to_owned(),
            opened => opened?,
        };
        Ok(record)
    }

    /// Opens a payload whose keys have to be read first.
    async fn payload(&self, record: &Record) -> Result<String, SealingError> {
        let of = record.stream.organization;
        let mut keys = BTreeMap::new();
        for id in record::keys(&record.payload)? {
            keys.insert(id, self.0.key(of, id).await?);
        }
        if is_of_its_stream(&record.stream)
            && let Some(id) = keys.keys().next()
        {
            self.0.learn(record.stream, *id);
        }
        record::open(record, |id| keys.get(&id).cloned().ok_or(SealingError::NoKey))
    }

    async fn fetch(
        &self,
        wanted: BTreeMap<OrganizationId, BTreeSet<KeyId>>,
    ) -> Result<(), SealingError> {
        for (organization, ids) in &wanted {
            self.0.fetch(*organization, ids).await?;
        }
        Ok(())
    }

    pub async fn records(&self, stored: Vec<Record>) -> Result<Vec<Record>, LogError> {
        let mut wanted: BTreeMap<OrganizationId, BTreeSet<KeyId>> = BTreeMap::new();
        for record in stored.iter().filter(|record| record::is_sealed(&record.payload)) {
            // One that cannot be read is told below.
            let keys = record::keys(&record.payload).unwrap_or_default();
            wanted.entry(record.stream.organization).or_default().extend(keys);
        }
        self.fetch(wanted).await?;
        let mut opened = Vec::with_capacity(stored.len());
        for record in stored {
            opened.push(self.record(record).await?);
        }
        Ok(opened)
    }

    pub async fn exchange(&self, exchange: &mut Exchange) -> Result<(), SealingError> {
        if !exchange::is_sealed(exchange) {
            return Ok(());
        }
        let key = self.0.key(exchange.organization, exchange::key(exchange)?).await?;
        exchange::open(exchange, key.as_deref())
    }

    pub async fn exchanges(
        &self,
        mut stored: Vec<RecordedExchange>,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        let mut wanted: BTreeMap<OrganizationId, BTreeSet<KeyId>> = BTreeMap::new();
        for recorded in stored.iter().filter(|recorded| exchange::is_sealed(&recorded.exchange)) {
            let key = exchange::key(&recorded.exchange).ok();
            wanted.entry(recorded.exchange.organization).or_default().extend(key);
        }
        self.fetch(wanted).await?;
        for recorded in &mut stored {
            self.exchange(&mut recorded.exchange).await?;
        }
        Ok(stored)
    }
}

/// Whether all that is personal in the records of a stream is about one somebody. What other
/// streams say of people is of a different person each time, and gets a key each time.
pub(crate) fn is_of_its_stream(stream: &StreamId) -> bool {
    matches!(stream.kind, AggregateKind::User | AggregateKind::Group)
}
