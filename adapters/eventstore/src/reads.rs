//! Reading entries of an organization's stream.
//!
//! A page may be shorter than asked for but not empty while there is more: so what the index knows
//! is given at once, and only who has seen all of that makes it ask the server. A call to the
//! server takes 44 ms: the client leaves Nagle's delay on, and sends a request in two pieces.

use crate::core::Core;
use crate::entry::{self, Bodied, Entry};
use crate::index::{facts, query};
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::*;
use rusqlite::Connection;
use std::collections::BTreeMap;

impl Core {
    /// The entries at these revisions, which rise, with their data.
    async fn entries(
        &self,
        organization: OrganizationId,
        revisions: &[u64],
    ) -> Result<Vec<Entry>, LogError> {
        let stream = self.names.main(organization);
        let mut found = self.recent.of(organization, revisions);
        let missing: Vec<u64> =
            revisions.iter().copied().filter(|revision| !found.contains_key(revision)).collect();
        for event in self.connection.at(&stream, &missing).await? {
            let revision = event.revision;
            found.insert(
                revision,
                Entry::read(event).map_err(|why| damaged(&stream, revision, &why))?,
            );
        }
        let mut entries: Vec<Entry> =
            revisions.iter().filter_map(|revision| found.remove(revision)).collect();
        let elsewhere: Vec<(usize, _)> = entries
            .iter()
            .enumerate()
            .filter_map(|(n, entry)| Some((n, entry.meta.data_in.clone()?)))
            .collect();
        if !elsewhere.is_empty() {
            let places: Vec<_> = elsewhere.iter().map(|(_, parts)| parts).collect();
            let found = self.connection.get(&self.names.large(organization), &places).await?;
            for ((n, _), bytes) in elsewhere.into_iter().zip(found) {
                entries[n].data = bytes.into();
            }
        }
        Ok(entries)
    }

    async fn records_at(
        &self,
        organization: OrganizationId,
        revisions: Vec<u64>,
    ) -> Result<Vec<Record>, LogError> {
        let entries = self.entries(organization, &revisions).await?;
        let read = |entry: Entry| {
            let revision = entry.revision;
            entry::to_record(entry)
                .map_err(|why| damaged(&self.names.main(organization), revision, &why))
        };
        entries.into_iter().map(read).collect()
    }

    /// What the index knows of something, or what it knows after the stream was followed.
    async fn known<T: Send + 'static>(
        &self,
        organization: OrganizationId,
        look: impl Fn(&mut Connection) -> rusqlite::Result<Vec<T>> + Clone + Send + 'static,
    ) -> Result<Vec<T>, LogError> {
        self.meet(organization).await?;
        let found = self.index.run(look.clone()).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        self.follow(organization).await?;
        self.index.run(look).await
    }

    /// The events of one stream after a version.
    pub async fn load(&self, stream: StreamId, after: Version) -> Result<Vec<Record>, LogError> {
        self.follow(stream.organization).await?;
        let revisions =
            self.index.run(move |db| facts::stream_revisions(db, &stream, after)).await?;
        self.records_at(stream.organization, revisions).await
    }

    /// At most `limit` records after a position.
    pub async fn records(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Record>, LogError> {
        let look = move |db: &mut Connection| query::records(db, organization, after, limit);
        self.records_at(organization, self.known(organization, look).await?).await
    }

    /// One exchange with its bodies.
    pub async fn exchange(
        &self,
        organization: OrganizationId,
        id: ExchangeId,
    ) -> Result<Option<RecordedExchange>, LogError> {
        let look =
            move |db: &mut Connection| Ok(Vec::from_iter(query::exchange(db, organization, id)?));
        let Some(number) = self.known(organization, look).await?.pop() else { return Ok(None) };
        Ok(self.exchanges(organization, number - 1, 1, Bodies::Read).await?.pop())
    }

    /// At most `limit` exchanges after a number.
    pub async fn exchanges(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
        bodies: Bodies,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        match self.exchanges_once(organization, after, limit, bodies, false).await {
            // Another process may have dropped bodies, and this one not know it yet.
            Err(LogError::Damaged(_)) if bodies == Bodies::Read => {
                self.follow(organization).await?;
                self.exchanges_once(organization, after, limit, bodies, true).await
            }
            read => read,
        }
    }

    /// If some `are_missing`, what lies before the truncation of its stream counts as dropped, also
    /// if no marker names it.
    async fn exchanges_once(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
        bodies: Bodies,
        are_missing: bool,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        let places = self
            .known(organization, move |db| query::exchanges(db, organization, after, limit))
            .await?;
        let revisions: Vec<u64> = places.iter().map(|(revision, _)| *revision).collect();
        let mut found = Vec::with_capacity(places.len());
        let mut kept: BTreeMap<u32, Vec<(usize, Bodied)>> = BTreeMap::new();
        for (n, (entry, (revision, is_dropped))) in
            self.entries(organization, &revisions).await?.iter().zip(places).enumerate()
        {
            let (mut recorded, bodied) = entry::to_exchange(entry)
                .map_err(|why| damaged(&self.names.main(organization), revision, &why))?;
            recorded.exchange.bodies_dropped |= is_dropped;
            found.push(recorded);
            if let Some(bodied) = bodied.filter(|_| bodies == Bodies::Read && !is_dropped) {
                kept.entry(bodied.month).or_default().push((n, bodied));
            }
        }
        for (month, mut of_month) in kept {
            let stream = self.names.bodies(organization, month);
            if are_missing {
                let before = self.truncated_before(&stream).await?;
                of_month.retain(|(n, bodied)| {
                    let is_gone = bodied.parts.span().is_some_and(|(first, _)| first < before);
                    found[*n].exchange.bodies_dropped |= is_gone;
                    !is_gone
                });
            }
            let places: Vec<_> = of_month.iter().map(|(_, bodied)| &bodied.parts).collect();
            let bytes = self.connection.get(&stream, &places).await?;
            for ((n, bodied), mut bytes) in of_month.iter().zip(bytes) {
                let exchange = &mut found[*n].exchange;
                exchange.answer_body = bytes.split_off(bytes.len().min(bodied.request as usize));
                exchange.request_body = bytes;
            }
        }
        for recorded in found.iter_mut().filter(|recorded| !recorded.exchange.bodies_dropped) {
            recorded.exchange.body_hashes = None;
        }
        Ok(found)
    }
}

fn damaged(stream: &str, revision: u64, why: &str) -> LogError {
    LogError::Damaged(format!("stream {stream}, revision {revision}: {why}"))
}
