//! What exchanges are found by, beside the exchanges.

use super::codec::{self, int};
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Bodies, ExchangeNumber, Facet, RecordedExchange, Start};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

const TABLE: &str = "CREATE TABLE exchange_facet (
    organization BLOB    NOT NULL,
    key          INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    PRIMARY KEY (organization, key, number)
) STRICT, WITHOUT ROWID";

/// Makes the table if it is not there, with the facets of all exchanges that are.
pub(super) fn prepare(db: &mut Connection) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let there = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'exchange_facet'";
    if transaction.query_row(there, [], |_| Ok(())).optional()?.is_none() {
        transaction.execute_batch(TABLE)?;
        let sql = format!("SELECT {} FROM exchange", codec::EXCHANGE);
        let mut all = transaction.prepare(&sql)?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let recorded = codec::exchange(row, Bodies::Skip)?;
            insert(&transaction, &recorded.exchange, recorded.number)?;
        }
    }
    transaction.commit()
}

/// Keeps what an exchange is found by.
pub(super) fn insert(
    db: &Connection,
    exchange: &Exchange,
    number: ExchangeNumber,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO exchange_facet (organization, key, number) VALUES (?1, ?2, ?3)";
    let mut statement = db.prepare_cached(sql)?;
    for facet in Facet::of(exchange) {
        let organization = exchange.organization.0.as_bytes();
        statement.execute(params![organization, facet.key(), int(number)])?;
    }
    Ok(())
}

/// Exchanges with a facet.
pub(super) fn find(
    db: &Connection,
    organization: OrganizationId,
    key: i64,
    start: Start,
    limit: usize,
) -> rusqlite::Result<Vec<RecordedExchange>> {
    let (bound, order, number) = match start {
        Start::Latest => ("<=", "DESC", u64::MAX),
        Start::Before(number) => ("<", "DESC", number),
        Start::After(number) => (">", "ASC", number),
    };
    // A cross join is done in the order in which it is written.
    let columns = "x.number, x.first, x.last, x.after, x.document";
    let sql = format!(
        "SELECT {columns} FROM exchange_facet f CROSS JOIN exchange x ON x.organization = f.organization AND x.number = f.number \
         WHERE f.organization = ?1 AND f.key = ?2 AND f.number {bound} ?3 ORDER BY f.number {order} LIMIT ?4"
    );
    let params = params![organization.0.as_bytes(), key, int(number), int(limit as u64)];
    db.prepare_cached(&sql)?.query_map(params, |row| codec::exchange(row, Bodies::Skip))?.collect()
}
