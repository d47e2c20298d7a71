//! Views in the transaction of an append.

use super::together::together;
use super::{LIVE, value};
use async_trait::async_trait;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::sql::{SqlError, SqlRow, SqlTransaction, SqlValue};
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};

/// How long a statement on the views waits for a lock that somebody has on a table: appends wait
/// with it.
const PATIENCE: &str = "SET LOCAL lock_timeout = '1s'";

/// The transaction of an append, as whoever folds the live views sees it.
pub(crate) struct InlineTransaction<'a>(pub &'a mut PgConnection);

impl InlineTransaction<'_> {
    /// The schema whose tables it reaches, for the `search_path` of the connection.
    pub const SCHEMA: &'static str = LIVE.schema;

    /// Takes the turn of writing the live views of organizations, without waiting, and no longer
    /// waits long for anybody from then on: two statements without parameters, whose only row
    /// [`Self::taken`] reads. With one that it got nobody folds that organization, and nobody
    /// replaces the tables, until the append is over.
    pub fn turns(organizations: &[OrganizationId]) -> String {
        let schema = Self::SCHEMA;
        let mut sql = format!(
            "{PATIENCE}; SELECT pg_try_advisory_xact_lock_shared(hashtextextended('{schema} writers', 0))"
        );
        for organization in organizations {
            // An id is hexadecimal digits and dashes.
            let lock = format!("hashtextextended('{schema} {organization}', 0)");
            sql.push_str(&format!(", pg_try_advisory_xact_lock({lock})"));
        }
        sql
    }

    /// The organizations whose turn it got, of those that it asked for.
    pub fn taken(
        row: &PgRow,
        organizations: &[OrganizationId],
    ) -> sqlx::Result<Vec<OrganizationId>> {
        let mut taken = Vec::with_capacity(organizations.len());
        if row.try_get::<bool, _>(0)? {
            for (organization, i) in organizations.iter().zip(1..) {
                if row.try_get::<bool, _>(i)? {
                    taken.push(*organization);
                }
            }
        }
        Ok(taken)
    }
}

#[async_trait]
impl SqlTransaction for InlineTransaction<'_> {
    async fn query(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<Vec<SqlRow>, SqlError> {
        let rows = value::bind(sql, &params).fetch_all(&mut *self.0).await;
        value::rows(&rows.map_err(value::sql_error)?)
    }

    async fn execute(&mut self, sql: &str, params: Vec<SqlValue>) -> Result<u64, SqlError> {
        let done = value::bind(sql, &params).execute(&mut *self.0).await;
        Ok(done.map_err(value::sql_error)?.rows_affected())
    }

    async fn execute_all(
        &mut self,
        statements: Vec<(String, Vec<SqlValue>)>,
    ) -> Result<(), SqlError> {
        for (sql, params) in &together(statements) {
            let done = value::bind(sql, params).execute(&mut *self.0).await;
            done.map_err(value::sql_error)?;
        }
        Ok(())
    }
}
