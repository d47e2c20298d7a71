//! What strangers sent, on its way into the ring. Nobody waits for the disk because of it, and what
//! comes faster than it can be written makes room for what comes after, as in the ring.

use super::parts;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::sql::SqlError;
use rollcall_projections::strangers::{StrangerFilter, StrangerRing, StrangerRow};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Mutex as Turn;

/// So many wait to be written.
const PENDING: usize = 1_000;

/// The evidence.
pub struct Evidence {
    ring: StrangerRing,
    pending: Mutex<Pending>,
    writing: Turn<()>,
}

#[derive(Default)]
struct Pending {
    rows: VecDeque<StrangerRow>,
    last: u64,
}

impl Evidence {
    /// Kept in this ring.
    pub fn new(ring: StrangerRing) -> Self {
        Self { ring, pending: Mutex::default(), writing: Turn::new(()) }
    }

    /// Keeps an exchange, each part of it cut.
    pub fn keep(&self, mut exchange: Exchange) {
        let protocol = exchange.protocol.as_str();
        metrics::counter!("rollcall_stranger_requests_total", "protocol" => protocol).increment(1);
        shorten(&mut exchange);
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let number = number(exchange.id).max(pending.last + 1);
        pending.last = number;
        match StrangerRow::of(number, exchange) {
            Ok(row) => pending.rows.push_back(row),
            Err(error) => tracing::error!(%error, "a stranger's exchange cannot be written"),
        }
        if pending.rows.len() > PENDING {
            pending.rows.pop_front();
            metrics::counter!("rollcall_stranger_overwritten_total").increment(1);
        }
    }

    /// Writes what waits. What cannot be written waits on.
    ///
    /// # Errors
    /// If the store is away.
    pub async fn flush(&self) -> Result<(), SqlError> {
        let _turn = self.writing.lock().await;
        let rows = {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut pending.rows)
        };
        if rows.is_empty() {
            return Ok(());
        }
        let rows = Vec::from(rows);
        let written = self.ring.keep(rows.clone()).await;
        if written.is_err() {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            let room = PENDING.saturating_sub(pending.rows.len());
            for row in rows.into_iter().rev().take(room) {
                pending.rows.push_front(row);
            }
        }
        written
    }

    /// The number of the newest request of an organization, once all that were answered before
    /// are written; 0 if there is none. Numbers run ahead of the clock by up to a millisecond, so
    /// that the clock does not say where a list ends.
    ///
    /// # Errors
    /// If the store is away.
    pub async fn newest(&self, organization: OrganizationId) -> Result<u64, SqlError> {
        let newest = self.list(organization, &StrangerFilter::default(), 1).await?;
        Ok(newest.first().map_or(0, |row| row.number))
    }

    /// At most `limit` requests of an organization, in the order of the filter.
    ///
    /// # Errors
    /// If the store is away.
    pub async fn list(
        &self,
        organization: OrganizationId,
        filter: &StrangerFilter,
        limit: usize,
    ) -> Result<Vec<StrangerRow>, SqlError> {
        self.flush().await?;
        self.ring.list(organization, filter, limit).await
    }

    /// One request, if it is still there.
    ///
    /// # Errors
    /// If the store is away.
    pub async fn get(
        &self,
        organization: OrganizationId,
        id: ExchangeId,
    ) -> Result<Option<StrangerRow>, SqlError> {
        self.flush().await?;
        self.ring.get(organization, id).await
    }
}

/// A number that grows with the time of an exchange: microseconds, as its id says them.
fn number(id: ExchangeId) -> u64 {
    let bits = id.0.as_u128();
    // RFC 9562 section 5.7: milliseconds, the version, and twelve bits of anything.
    let (milliseconds, fraction) = ((bits >> 80) as u64, ((bits >> 64) & 0xfff) as u64);
    milliseconds * 1_000 + fraction * 1_000 / 4_096
}

/// Leaves of each part what tells who it may have been.
fn shorten(exchange: &mut Exchange) {
    parts::shorten_target(&mut exchange.target);
    parts::shorten_headers(&mut exchange.headers);
    exchange.request_body.truncate(parts::BYTES);
    if exchange.answer_body.len() > parts::BYTES {
        exchange.answer_body.clear();
        exchange.answer.body_kept = false;
    }
}
