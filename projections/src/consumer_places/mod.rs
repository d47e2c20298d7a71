//! How far consumers have come: durable, and neither log nor view. Nothing makes it anew when it is
//! lost, and nothing is decided by it but what is told next.
//!
//! What asks (`pull`) names the position it has come to with each question; it may also keep its
//! place here, by compare-and-set. What is posted to (`webhook`) stands where its last delivery was
//! settled, and whoever delivers holds its lease: a number that grows with each owner, checked in
//! each write, so that a process that lost it cannot move anything.

mod parked;
mod parking;

pub use parked::{Delivery, ParkedRow};
pub use parking::{Again, MOST_PARKED, ParkedCount, Parking};

use self::parked::{PARKED, REDELIVERIES};
use crate::columns::{Columns, Stored, columns, read_all, read_first};
use crate::schema;
use crate::table::{Statement, Table};
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::ids::{ConsumerId, OrganizationId};
use rollcall_domain::log::Position;
use rollcall_domain::sql::{OpenTransaction, SqlError, SqlStore, SqlValue};
use std::sync::Arc;

columns! {
    /// Where a consumer stands.
    #[derive(Clone, Debug, PartialEq)]
    pub struct PlaceRow {
        /// Whose log it follows.
        pub organization: OrganizationId,
        /// Which consumer.
        pub consumer: ConsumerId,
        /// Number of the lease under which deliveries are made; grows with each owner.
        pub lease: u64,
        /// Until when the lease holds.
        pub lease_until: Option<DateTime<Utc>>,
        /// Everything up to this position is settled; none if it keeps its place elsewhere.
        pub position: Option<Position>,
        /// So many events of the next record are settled.
        pub part: u64,
        /// The last position after which it asked.
        pub asked: Option<Position>,
        /// When it last asked, or took a delivery.
        pub heard: Option<DateTime<Utc>>,
        /// How often the delivery under way was tried in vain.
        pub attempts: u64,
        /// When it is tried again.
        pub next_attempt: Option<DateTime<Utc>>,
        /// Since when nothing was taken.
        pub failing_since: Option<DateTime<Utc>>,
    }

    table PLACES = "consumer_places" {
        key: ["organization", "consumer"],
        indexes: [],
        order: "lease",
    }
}

impl PlaceRow {
    /// Where somebody stands who was never heard of.
    pub fn new(organization: OrganizationId, consumer: ConsumerId) -> Self {
        Self {
            organization,
            consumer,
            lease: 0,
            lease_until: None,
            position: None,
            part: 0,
            asked: None,
            heard: None,
            attempts: 0,
            next_attempt: None,
            failing_since: None,
        }
    }

    /// The position that it is known to have come to: its place here, or what it last asked after.
    pub fn reached(&self) -> Position {
        self.position.or(self.asked).unwrap_or(0)
    }
}

/// Who asks for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// One who has none.
    Nobody,
    /// The same, where there is no other process.
    Alone,
    /// The holder of this one.
    Of(u64),
}

/// What became of moving a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It was where it was said to be, and is where it was to be.
    Yes,
    /// It is elsewhere.
    Elsewhere(Position),
}

/// Keeps places.
#[derive(Clone)]
pub struct ConsumerPlaces {
    store: Arc<dyn SqlStore>,
}

impl ConsumerPlaces {
    /// Keeps them in this store; makes the tables if there are none.
    ///
    /// # Errors
    /// If the store cannot be reached.
    pub async fn open(store: Arc<dyn SqlStore>) -> Result<Self, SqlError> {
        schema::make(&*store, &[&PLACES, &PARKED, &REDELIVERIES]).await?;
        Ok(Self { store })
    }

    /// Where a consumer stands.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn of(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
    ) -> Result<PlaceRow, SqlError> {
        let found = self.store.query(&one(), key(organization, consumer)).await?;
        Ok(read_first(found)?.unwrap_or_else(|| PlaceRow::new(organization, consumer)))
    }

    /// Where the consumers of an organization stand that were ever heard of.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn all(&self) -> Result<Vec<PlaceRow>, SqlError> {
        let sql = format!("SELECT {} FROM {}", PlaceRow::list(), PLACES.name);
        read_all(self.store.query(&sql, Vec::new()).await?)
    }

    /// Notes that a consumer asked for what stands after a position.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn asked(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        after: Position,
        at: DateTime<Utc>,
    ) -> Result<(), SqlError> {
        self.change(organization, consumer, |row| {
            (row.asked, row.heard) = (Some(after), Some(at));
        })
        .await
        .map(drop)
    }

    /// Moves a consumer's own place, if it is where the consumer believes it to be.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn settle(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        from: Position,
        to: Position,
        at: DateTime<Utc>,
    ) -> Result<Moved, SqlError> {
        self.change(organization, consumer, |row| {
            let stands = row.position.unwrap_or(0);
            if stands != from {
                return Moved::Elsewhere(stands);
            }
            (row.position, row.part, row.heard) = (Some(to), 0, Some(at));
            Moved::Yes
        })
        .await
    }

    /// Settles everything up to a position, and so many tokens of the next record, for one that
    /// asks and stands where it is believed to be; it began after `start`.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn acknowledge(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        start: Position,
        from: (Position, u64),
        to: (Position, u64),
        at: DateTime<Utc>,
    ) -> Result<Moved, SqlError> {
        self.change(organization, consumer, |row| {
            let stands = (row.position.unwrap_or(start), row.part);
            if stands != from {
                return Moved::Elsewhere(stands.0);
            }
            (row.position, row.part, row.heard) = (Some(to.0), to.1, Some(at));
            Moved::Yes
        })
        .await
    }

    /// Puts a consumer back to a position, not before `start` and not beyond where it stands: what
    /// stands after it is told again, in a few seconds. Whoever delivers meanwhile loses the lease.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn put_back(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        start: Position,
        after: Position,
    ) -> Result<Moved, SqlError> {
        let mut open = self.open_row(organization, consumer).await?;
        let row = &mut open.row;
        let stands = row.position.unwrap_or(start);
        if after < start || after > stands {
            return Ok(Moved::Elsewhere(stands));
        }
        (row.position, row.part) = (Some(after), 0);
        (row.attempts, row.next_attempt, row.failing_since) = (0, None, None);
        (row.lease, row.lease_until) = (row.lease + 1, None);
        // What was set aside is told with everything else.
        let forget = [after.into()];
        let mut statements =
            vec![parked::about(parked::FORGET_AFTER, organization, consumer, forget)];
        statements.extend(parking::told_again(organization, consumer, stands)?);
        open.write(statements).await?;
        Ok(Moved::Yes)
    }

    /// Takes the lease of a consumer, or renews it if it is the one that is held. Gives where the
    /// consumer stands, with the number of the lease; none if another holds it. `force` takes it
    /// from whoever held it: nobody else can be there.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn lease(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        now: DateTime<Utc>,
        length: TimeDelta,
        by: Holder,
    ) -> Result<Option<PlaceRow>, SqlError> {
        self.change(organization, consumer, |row| {
            let left =
                row.lease_until.map(|until| until - now).filter(|left| *left > TimeDelta::zero());
            match by {
                Holder::Of(lease) if row.lease == lease && left.is_some_and(|l| l > length / 2) => {
                }
                Holder::Of(lease) if row.lease == lease => row.lease_until = Some(now + length),
                Holder::Of(_) => return None,
                Holder::Nobody if left.is_some() => return None,
                Holder::Nobody | Holder::Alone => {
                    row.lease += 1;
                    row.lease_until = Some(now + length);
                }
            }
            Some(row.clone())
        })
        .await
    }

    /// Gives a lease back, if it is still the one that is held.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn release(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        lease: u64,
    ) -> Result<(), SqlError> {
        self.under(organization, consumer, lease, |row| row.lease_until = None).await.map(drop)
    }

    /// Settles everything up to a position, and so many events of the next record. False if the
    /// lease is another's: then nothing was moved.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn delivered(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        lease: u64,
        (position, part): (Position, u64),
        at: DateTime<Utc>,
    ) -> Result<bool, SqlError> {
        let mut open = self.open_row(organization, consumer).await?;
        let row = &mut open.row;
        if row.lease != lease {
            return Ok(false);
        }
        let mut statements = Vec::new();
        // Who takes something again may take what was set aside.
        if row.failing_since.is_some() {
            let ends = [0_i64.into(), i64::MAX.into()];
            statements.push(parked::about(parked::TRY_BETWEEN, organization, consumer, ends));
        }
        (row.position, row.part, row.heard) = (Some(position), part, Some(at));
        (row.attempts, row.next_attempt, row.failing_since) = (0, None, None);
        open.write(statements).await?;
        Ok(true)
    }

    /// Moves the place over what is not for a consumer. False if the lease is another's.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn passed_over(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        lease: u64,
        (position, part): (Position, u64),
    ) -> Result<bool, SqlError> {
        self.under(organization, consumer, lease, |row| {
            (row.position, row.part) = (Some(position), part);
        })
        .await
    }

    /// Notes that the delivery under way failed, and when it is tried again. False if the lease is
    /// another's.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn failed(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        lease: u64,
        at: DateTime<Utc>,
        next: DateTime<Utc>,
    ) -> Result<bool, SqlError> {
        self.under(organization, consumer, lease, |row| {
            row.attempts += 1;
            row.failing_since.get_or_insert(at);
            row.next_attempt = Some(next);
        })
        .await
    }

    /// Has the delivery under way tried at once, as if it had never failed.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn try_now(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
    ) -> Result<(), SqlError> {
        self.change(organization, consumer, |row| {
            (row.attempts, row.next_attempt, row.failing_since) = (0, None, None);
        })
        .await
    }

    /// A change by the holder of a lease; false, and no change, if it is another's.
    async fn under(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        lease: u64,
        change: impl FnOnce(&mut PlaceRow),
    ) -> Result<bool, SqlError> {
        self.change(organization, consumer, |row| {
            let is_held = row.lease == lease;
            if is_held {
                change(row);
            }
            is_held
        })
        .await
    }

    /// Forgets a consumer that was removed.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn forget(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
    ) -> Result<(), SqlError> {
        let mut tx = self.store.begin(organization).await?;
        let forget = |table: &Table| {
            let sql =
                format!("DELETE FROM {} WHERE organization = $1 AND consumer = $2", table.name);
            (sql, key(organization, consumer))
        };
        tx.execute_all([&PLACES, &PARKED, &REDELIVERIES].map(forget).to_vec()).await?;
        tx.commit().await
    }

    async fn change<T>(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
        change: impl FnOnce(&mut PlaceRow) -> T,
    ) -> Result<T, SqlError> {
        let mut open = self.open_row(organization, consumer).await?;
        let changed = change(&mut open.row);
        open.write(Vec::new()).await?;
        Ok(changed)
    }

    /// A place in a transaction of its own.
    async fn open_row(
        &self,
        organization: OrganizationId,
        consumer: ConsumerId,
    ) -> Result<Open, SqlError> {
        let begun =
            self.store.begin_with(organization, &one(), key(organization, consumer)).await?;
        let (tx, found) = begun;
        let row = read_first(found)?.unwrap_or_else(|| PlaceRow::new(organization, consumer));
        Ok(Open { tx, before: row.clone(), row })
    }
}

/// A place that is being changed.
struct Open {
    tx: Box<dyn OpenTransaction>,
    before: PlaceRow,
    row: PlaceRow,
}

impl Open {
    /// Writes it if it was changed, with whatever goes with that.
    async fn write(self, mut statements: Vec<Statement>) -> Result<(), SqlError> {
        if self.row != self.before {
            PlaceRow::upsert(vec![self.row], &mut statements)?;
        }
        match statements.is_empty() {
            true => Ok(()),
            false => self.tx.finish(statements).await,
        }
    }
}

fn one() -> String {
    format!(
        "SELECT {} FROM {} WHERE organization = $1 AND consumer = $2",
        PlaceRow::list(),
        PLACES.name
    )
}

fn key(organization: OrganizationId, consumer: ConsumerId) -> Vec<SqlValue> {
    vec![organization.into(), consumer.to_string().into()]
}
