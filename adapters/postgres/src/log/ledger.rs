//! What the log keeps of its ledgers: a leaf beside each record and exchange, a tree in each head.

use super::codec::{self, int, odd};
use super::read::Reader;
use futures::TryStreamExt as _;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::ledger::{Frontier, LeafHash};
use rollcall_domain::log::*;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection as _, Row as _};
use uuid::Uuid;

/// The columns of [`tree`], behind those of a head.
pub(super) const HEAD: &str = "organization, position, exchange_number, tree";

/// The tree of a head, from the fourth column; none if it has to be grown anew.
pub(super) fn tree(row: &PgRow, head: Head) -> sqlx::Result<Option<Frontier>> {
    match row.try_get::<Option<Vec<u8>>, _>(3)? {
        Some(bytes) => Frontier::from_bytes(&bytes).map(Some).map_err(odd),
        // Only locked so far, or never written to.
        None if head == Head::default() => Ok(Some(Frontier::default())),
        None => Ok(None),
    }
}

/// Grows a tree from the leaves that are stored, in the order of commit.
pub(super) async fn grow(
    connection: &mut PgConnection,
    organization: OrganizationId,
) -> sqlx::Result<Frontier> {
    // A record has number 0: at one position it comes before the exchanges after it. What was put
    // down later comes later, whatever it says of itself.
    let sql = "SELECT leaf FROM ( \
                   SELECT position AS place, 0::bigint AS number, leaf FROM rollcall.events WHERE organization = $1 \
                   UNION ALL \
                   SELECT max(after) OVER (ORDER BY number), number, leaf FROM rollcall.exchanges WHERE organization = $1 \
               ) AS leaves ORDER BY place, number";
    let mut rows = sqlx::query(sql).bind(organization.0).fetch(connection);
    let mut tree = Frontier::default();
    while let Some(row) = rows.try_next().await? {
        tree.append(LeafHash(codec::key(&row, 0)?));
    }
    Ok(tree)
}

/// Says of organizations that all that is there was there before its leaves.
pub(super) async fn uncover(
    connection: &mut PgConnection,
    organizations: &[Uuid],
) -> sqlx::Result<()> {
    let sql = "UPDATE rollcall.heads SET uncovered = position + exchange_number WHERE organization = ANY($1)";
    sqlx::query(sql).bind(organizations).execute(connection).await.map(drop)
}

/// What somebody else wrote there is no damage that stops a reader: it is what an audit looks for.
fn leaf(row: &PgRow, column: usize) -> sqlx::Result<Option<LeafHash>> {
    Ok(row.try_get::<&[u8], _>(column)?.try_into().ok().map(LeafHash))
}

impl Reader {
    pub async fn epoch(&self) -> Result<Uuid, LogError> {
        let sql = "SELECT epoch FROM rollcall.identity";
        let found = self.one(|| sqlx::query(sql), |row| row.try_get(0)).await?;
        found.ok_or_else(|| LogError::Damaged("the log has lost its name".into()))
    }

    pub async fn ledger_head(&self, organization: OrganizationId) -> Result<LedgerHead, LogError> {
        self.tried(|| async {
            let mut connection = self.pool.acquire().await?;
            // One moment: a head that has to be grown moves on meanwhile.
            let mut connection = connection.begin().await?;
            sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                .execute(&mut *connection)
                .await?;
            let sql = format!(
                "SELECT {HEAD}, uncovered, last_exchange FROM rollcall.heads WHERE organization = $1"
            );
            let row =
                sqlx::query(&sql).bind(organization.0).fetch_optional(&mut *connection).await?;
            let Some(row) = row else { return Ok(LedgerHead::default()) };
            let (_, head) = codec::head(&row)?;
            let frontier = match tree(&row, head)? {
                Some(tree) => tree,
                None => grow(&mut connection, organization).await?,
            };
            Ok(LedgerHead {
                head,
                frontier,
                uncovered: codec::count(&row, 4)?,
                last_exchange: row.try_get::<Option<Uuid>, _>(5)?.map(ExchangeId),
            })
        })
        .await
    }

    pub async fn counted(&self, organization: OrganizationId) -> Result<Head, LogError> {
        let sql = "SELECT $1, (SELECT count(*) FROM rollcall.events WHERE organization = $1), \
                   (SELECT count(*) FROM rollcall.exchanges WHERE organization = $1)";
        let found = self.one(|| sqlx::query(sql).bind(organization.0), codec::head).await?;
        Ok(found.map_or_else(Head::default, |(_, head)| head))
    }

    pub async fn record_leaves(
        &self,
        organization: OrganizationId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<(Position, Option<LeafHash>)>, LogError> {
        let sql = "SELECT position, leaf FROM rollcall.events WHERE organization = $1 AND position > $2 ORDER BY position LIMIT $3";
        let query =
            || sqlx::query(sql).bind(organization.0).bind(int(after)).bind(int(limit as u64));
        self.all(query, |row| Ok((codec::count(row, 0)?, leaf(row, 1)?))).await
    }

    pub async fn exchange_leaves(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        limit: usize,
    ) -> Result<Vec<ExchangeLeaf>, LogError> {
        let sql = "SELECT number, after, leaf FROM rollcall.exchanges WHERE organization = $1 AND number > $2 ORDER BY number LIMIT $3";
        let query =
            || sqlx::query(sql).bind(organization.0).bind(int(after)).bind(int(limit as u64));
        self.all(query, |row| {
            Ok(ExchangeLeaf {
                number: codec::count(row, 0)?,
                after: codec::count(row, 1)?,
                leaf: leaf(row, 2)?,
            })
        })
        .await
    }
}
