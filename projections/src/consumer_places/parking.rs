//! Setting deliveries aside, and making them after all. Who does that holds the lease; who says that
//! they are to be made needs none.

use super::ConsumerPlaces;
use super::parked::{self, Delivery, ParkedRow, REDELIVERIES, RedeliveryRow};
use crate::columns::{Columns, Stored, read_all, read_first};
use chrono::{DateTime, Utc};
use rollcall_domain::ids::{ConsumerId, OrganizationId};
use rollcall_domain::log::Position;
use rollcall_domain::sql::{SqlError, SqlTransaction};
use std::collections::HashSet;

/// So many deliveries to one consumer are set aside at most; then everything waits.
pub const MOST_PARKED: u64 = 10_000;

/// What became of setting a delivery aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parking {
    /// It is set aside, and the place is behind it.
    Yes,
    /// There are [`MOST_PARKED`] already.
    Full,
    /// The lease is another's.
    NotMine,
}

/// What is tried again because somebody said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    /// At once.
    pub now: u64,
    /// After earlier ones of the same subject.
    pub behind: u64,
}

impl ConsumerPlaces {
    /// Sets a delivery aside and moves the place over it, in one transaction.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn park(
        &self,
        lease: u64,
        to: Delivery,
        row: ParkedRow,
    ) -> Result<Parking, SqlError> {
        let (organization, consumer) = (row.organization, row.consumer);
        let mut open = self.open_row(organization, consumer).await?;
        if open.row.lease != lease {
            return Ok(Parking::NotMine);
        }
        let count = between(&mut *open.tx, organization, consumer, (0, i64::MAX as u64)).await?;
        if count >= MOST_PARKED {
            return Ok(Parking::Full);
        }
        (open.row.position, open.row.part) = (Some(to.0), to.1);
        (open.row.attempts, open.row.next_attempt) = (0, None);
        // Since when nothing was taken stays as it is: nothing was.
        if row.attempts > 0 {
            open.row.failing_since.get_or_insert(row.parked);
        }
        let statements = parked::written(row)?;
        open.write(statements).await?;
        Ok(Parking::Yes)
    }

    /// Notes that a delivery that was set aside was made. False if the lease is another's.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn parked_delivered(
        &self,
        row: &ParkedRow,
        lease: u64,
        at: DateTime<Utc>,
    ) -> Result<bool, SqlError> {
        let (organization, consumer) = (row.organization, row.consumer);
        let mut open = self.open_row(organization, consumer).await?;
        if open.row.lease != lease {
            return Ok(false);
        }
        open.row.heard = Some(at);
        let key = [row.position.into(), row.part.into()];
        let forget = parked::about(parked::FORGET_ONE, organization, consumer, key);
        open.write(vec![forget]).await?;
        Ok(true)
    }

    /// Notes that a delivery that was set aside failed again. False if the lease is another's.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn parked_failed(&self, row: ParkedRow, lease: u64) -> Result<bool, SqlError> {
        let mut open = self.open_row(row.organization, row.consumer).await?;
        let (sql, more) = parked::one((row.position, row.part));
        let one = parked::about(&sql, row.organization, row.consumer, more);
        // Somebody may have seen to it meanwhile.
        let is_there = !open.tx.query(&one.0, one.1).await?.is_empty();
        if open.row.lease != lease || !is_there {
            return Ok(open.row.lease == lease);
        }
        let statements = parked::written(row)?;
        open.write(statements).await?;
        Ok(true)
    }

    /// The deliveries that were set aside after one, in order.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn parked(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        after: Delivery,
        limit: usize,
    ) -> Result<Vec<ParkedRow>, SqlError> {
        let (sql, more) = parked::listed(after, limit);
        let (sql, values) = parked::about(&sql, organization, consumer, more);
        read_all(self.store.query(&sql, values).await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn parked_one(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        delivery: Delivery,
    ) -> Result<Option<ParkedRow>, SqlError> {
        let (sql, more) = parked::one(delivery);
        let (sql, values) = parked::about(&sql, organization, consumer, more);
        read_first(self.store.query(&sql, values).await?)
    }

    /// The first that is to be tried by now.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn parked_due(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        now: DateTime<Utc>,
    ) -> Result<Option<ParkedRow>, SqlError> {
        let (sql, more) = parked::due(now);
        let (sql, values) = parked::about(&sql, organization, consumer, more);
        read_first(self.store.query(&sql, values).await?)
    }

    /// Of what nothing is delivered but what was set aside.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn parked_subjects(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
    ) -> Result<HashSet<String>, SqlError> {
        let sql = "SELECT DISTINCT subject FROM consumer_parked WHERE organization = $1 AND consumer = $2";
        let (sql, values) = parked::about(sql, organization, consumer, []);
        let rows: Vec<String> = read_all(self.store.query(&sql, values).await?)?;
        Ok(rows.into_iter().collect())
    }

    /// How many were set aside.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn parked_count(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
    ) -> Result<u64, SqlError> {
        let ends = [0_i64.into(), i64::MAX.into()];
        let (sql, values) = parked::about(parked::COUNT_BETWEEN, organization, consumer, ends);
        Ok(read_first(self.store.query(&sql, values).await?)?.unwrap_or(0))
    }

    /// Has those between two positions tried again, each as soon as none of its subject is before
    /// it.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn try_parked(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        ends: (Position, Position),
    ) -> Result<Again, SqlError> {
        let mut tx = self.store.begin(organization).await?;
        let all = between(&mut *tx, organization, consumer, ends).await?;
        let values = || [cut(ends.0).into(), cut(ends.1).into()];
        let (sql, given) =
            parked::about(&parked::count_first_between(), organization, consumer, values());
        let now: u64 = read_first(tx.query(&sql, given).await?)?.unwrap_or(0);
        let again = parked::about(parked::TRY_BETWEEN, organization, consumer, values());
        tx.finish(vec![again]).await?;
        Ok(Again { now, behind: all.saturating_sub(now) })
    }

    /// Forgets one that somebody has seen to: what stood behind it is tried. False if it is not
    /// there.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn forget_parked(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        delivery: Delivery,
    ) -> Result<bool, SqlError> {
        let mut tx = self.store.begin(organization).await?;
        let key = [delivery.0.into(), delivery.1.into()];
        let (sql, values) = parked::about(parked::FORGET_ONE, organization, consumer, key);
        let forgot = tx.execute(&sql, values).await?;
        tx.commit().await?;
        Ok(forgot > 0)
    }

    /// Up to where a consumer is told again what it was told before; 0 if it never was.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn told_again_up_to(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
    ) -> Result<Position, SqlError> {
        let sql = format!(
            "SELECT {} FROM {} WHERE organization = $1 AND consumer = $2",
            RedeliveryRow::list(),
            REDELIVERIES.name
        );
        let (sql, values) = parked::about(&sql, organization, consumer, []);
        let found: Option<RedeliveryRow> = read_first(self.store.query(&sql, values).await?)?;
        Ok(found.map_or(0, |row| row.up_to))
    }

    /// How many were set aside, of all consumers that have any.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn parked_counts(&self) -> Result<Vec<ParkedCount>, SqlError> {
        let sql = "SELECT organization, consumer, COUNT(*) FROM consumer_parked
            GROUP BY organization, consumer";
        read_all(self.store.query(sql, Vec::new()).await?)
    }
}

crate::columns::columns! {
    /// How many deliveries to a consumer were set aside.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ParkedCount {
        /// Whose log.
        pub organization: OrganizationId,
        /// To whom.
        pub consumer: ConsumerId,
        /// So many.
        pub count: u64 = "COUNT(*)",
    }
}

/// As much as a column holds.
fn cut(position: Position) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

async fn between(
    tx: &mut dyn SqlTransaction,
    organization: OrganizationId,
    consumer: ConsumerId,
    ends: (Position, Position),
) -> Result<u64, SqlError> {
    let ends = [cut(ends.0).into(), cut(ends.1).into()];
    let (sql, values) = parked::about(parked::COUNT_BETWEEN, organization, consumer, ends);
    Ok(read_first(tx.query(&sql, values).await?)?.unwrap_or(0))
}

/// That what a consumer was told up to a position is told again.
pub(super) fn told_again(
    organization: OrganizationId,
    consumer: ConsumerId,
    up_to: Position,
) -> Result<Vec<crate::table::Statement>, crate::bad::Bad> {
    let mut statements = Vec::new();
    let row = RedeliveryRow { organization, consumer, up_to };
    RedeliveryRow::upsert(vec![row], &mut statements)?;
    Ok(statements)
}
