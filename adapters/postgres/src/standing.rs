//! Whether the log behind a connection is the one that is known: asked of each new connection, by
//! whoever makes it.

use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::{Closed, Found, Head, Known, Mark, Watch};
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};
use std::collections::BTreeMap;
use uuid::Uuid;

/// With whether a backup is being put into the log.
pub(crate) const EPOCH: &str = "SELECT epoch, EXISTS (SELECT FROM rollcall.notes WHERE name = 'restoring') FROM rollcall.identity";

/// Where all logs end, and the exchanges that are where the last ones known were.
const ENDS: &str = "SELECT h.organization, h.position, h.exchange_number, h.last_exchange, x.id FROM rollcall.heads h \
     LEFT JOIN unnest($1::uuid[], $2::bigint[]) AS t(organization, number) ON t.organization = h.organization \
     LEFT JOIN rollcall.exchanges x ON x.organization = t.organization AND x.number = t.number";

/// Holds what is known of the log against the one behind a connection. Nothing is asked while
/// nothing is known. What is noticed stays in the watch.
pub(crate) async fn compare(connection: &mut PgConnection, watch: &Watch) -> sqlx::Result<()> {
    let known = watch.known();
    if known == Known::default() {
        return Ok(());
    }
    let epoch = epoch(watch, &sqlx::query(EPOCH).fetch_one(&mut *connection).await?)?;
    let rows = ends(&known).fetch_all(connection).await?;
    // Noted, for whoever answers.
    let _noted = judge(watch, &known, epoch, &rows)?;
    Ok(())
}

/// Notices, too, that the log is being restored.
pub(crate) fn epoch(watch: &Watch, row: &PgRow) -> sqlx::Result<Uuid> {
    if row.try_get(1)? {
        watch.notice(Closed::Restoring);
    }
    row.try_get(0)
}

pub(crate) fn ends(
    known: &Known,
) -> sqlx::query::Query<'static, sqlx::Postgres, sqlx::postgres::PgArguments> {
    let numbers: Vec<i64> = known.marks.values().map(|mark| number(mark.exchange_number)).collect();
    sqlx::query(ENDS).bind(known.marks.keys().map(|o| o.0).collect::<Vec<_>>()).bind(numbers)
}

pub(crate) fn judge(
    watch: &Watch,
    known: &Known,
    epoch: Uuid,
    rows: &[PgRow],
) -> sqlx::Result<Result<(), Closed>> {
    let mut found = BTreeMap::new();
    for row in rows {
        let (organization, head) = head(row)?;
        let at_known = row.try_get::<Option<Uuid>, _>(4)?.map(ExchangeId);
        found.insert(organization, Found { end: mark(head, row.try_get(3)?), at_known });
    }
    // One that is known and not there ends at nothing.
    for organization in known.marks.keys() {
        found.entry(*organization).or_default();
    }
    Ok(watch.epoch(epoch).and_then(|()| {
        found.into_iter().try_for_each(|(organization, found)| {
            watch.compare(organization, known.marks.get(&organization).copied(), found)
        })
    }))
}

/// Where a log ends.
pub(crate) fn mark(head: Head, last_exchange: Option<Uuid>) -> Mark {
    let Head { position, exchange_number } = head;
    Mark { position, exchange_number, last_exchange: last_exchange.map(ExchangeId) }
}

/// A connection that is of no use, because of what is behind it.
pub(crate) fn refused(why: Closed) -> sqlx::Error {
    sqlx::Error::Configuration(why.into())
}

/// Where each organization's log was known to end.
pub(crate) type Marks = BTreeMap<OrganizationId, Mark>;

/// The organization and the end of its log, from three columns.
fn head(row: &PgRow) -> sqlx::Result<(OrganizationId, Head)> {
    let count = |column| {
        let count: i64 = row.try_get(column)?;
        u64::try_from(count).map_err(|e| sqlx::Error::Decode(e.into()))
    };
    let head = Head { position: count(1)?, exchange_number: count(2)? };
    Ok((OrganizationId(row.try_get(0)?), head))
}

/// What is beyond is past every row.
fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
