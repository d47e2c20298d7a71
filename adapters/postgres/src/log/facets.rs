//! What exchanges are found by, beside the exchanges.

use super::codec::{self, EXCHANGE, int};
use crate::error::OpenError;
use crate::schema;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Bodies, Facet, RecordedExchange, Start};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, Postgres};
use sqlx::query::Query;
use sqlx::{Connection as _, Executor as _, Row as _};
use std::time::Duration;
use uuid::Uuid;

const THERE: &str = "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'rollcall' AND tablename = 'exchange_facets')";

const TABLE: &str = "CREATE TABLE rollcall.exchange_facets (
    organization uuid   NOT NULL,
    key          bigint NOT NULL,
    number       bigint NOT NULL,
    CONSTRAINT exchange_facets_pkey PRIMARY KEY (organization, key, number)
)";

const INSERT: &str = "INSERT INTO rollcall.exchange_facets (organization, key, number) \
     SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[])";

/// Exchanges read at once while the table is made.
const PAGE: i64 = 1_000;

/// Makes the table if it is not there, with the facets of all exchanges that are.
pub(super) async fn prepare(
    options: &PgConnectOptions,
    timeout: Duration,
) -> Result<(), OpenError> {
    let mut connection = schema::connect(options, timeout).await?;
    if !is_there(&mut connection).await? {
        let mut transaction = connection.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(schema::LOCK)
            .execute(&mut *transaction)
            .await?;
        if !is_there(&mut transaction).await? {
            transaction.execute(TABLE).await?;
            // Nobody appends meanwhile who does not know of the table.
            transaction.execute("LOCK TABLE rollcall.exchanges IN SHARE MODE").await?;
            fill(&mut transaction).await?;
        }
        transaction.commit().await?;
    }
    connection.close().await?;
    Ok(())
}

async fn is_there(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query(THERE).fetch_one(connection).await?.try_get(0)
}

/// Keeps what all exchanges are found by.
pub(super) async fn fill(connection: &mut PgConnection) -> sqlx::Result<()> {
    let sql = format!(
        "SELECT {EXCHANGE}, organization FROM rollcall.exchanges \
         WHERE (organization, number) > ($1, $2) ORDER BY organization, number LIMIT $3"
    );
    let mut after = (Uuid::nil(), -1_i64);
    loop {
        let query = sqlx::query(&sql).bind(after.0).bind(after.1).bind(PAGE);
        let rows = query.fetch_all(&mut *connection).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = (last.try_get("organization")?, last.try_get("number")?);
        let page: Vec<RecordedExchange> =
            rows.iter().map(|row| codec::exchange(row, Bodies::Skip)).collect::<Result<_, _>>()?;
        insert(connection, &page).await?;
    }
}

/// What exchanges are found by: a row each, column by column.
#[derive(Default)]
pub(super) struct Rows {
    pub organizations: Vec<Uuid>,
    pub keys: Vec<i64>,
    pub numbers: Vec<i64>,
}

impl Rows {
    pub fn of(exchanges: &[RecordedExchange]) -> Self {
        let mut rows = Self::default();
        for recorded in exchanges {
            for facet in Facet::of(&recorded.exchange) {
                rows.organizations.push(recorded.exchange.organization.0);
                rows.keys.push(facet.key());
                rows.numbers.push(int(recorded.number));
            }
        }
        rows
    }
}

/// Keeps what exchanges are found by that are there already.
pub(super) async fn insert(
    connection: &mut PgConnection,
    exchanges: &[RecordedExchange],
) -> sqlx::Result<()> {
    if exchanges.is_empty() {
        return Ok(());
    }
    let Rows { organizations, keys, numbers } = Rows::of(exchanges);
    let query = sqlx::query(INSERT).bind(organizations).bind(keys).bind(numbers);
    query.execute(connection).await.map(drop)
}

/// Finds exchanges with a facet.
pub(super) struct Find {
    sql: String,
    organization: OrganizationId,
    key: i64,
    number: i64,
    limit: i64,
}

impl Find {
    pub fn new(organization: OrganizationId, key: i64, start: Start, limit: usize) -> Self {
        let (bound, order, number) = match start {
            Start::Latest => ("<=", "DESC", u64::MAX),
            Start::Before(number) => ("<", "DESC", number),
            Start::After(number) => (">", "ASC", number),
        };
        let sql = format!(
            "SELECT x.number, x.first, x.last, x.after, x.document::text FROM rollcall.exchange_facets f \
             JOIN rollcall.exchanges x ON x.organization = f.organization AND x.number = f.number \
             WHERE f.organization = $1 AND f.key = $2 AND f.number {bound} $3 ORDER BY f.number {order} LIMIT $4"
        );
        Self { sql, organization, key, number: int(number), limit: int(limit as u64) }
    }

    pub fn query(&self) -> Query<'_, Postgres, PgArguments> {
        sqlx::query(&self.sql)
            .bind(self.organization.0)
            .bind(self.key)
            .bind(self.number)
            .bind(self.limit)
    }
}
