//! What is asked of failures.

use super::row::{FailureRow, WORD_BYTES};
use crate::columns::{Columns, columns, read_all, read_first};
use crate::text::bounded;
use chrono::{DateTime, Utc};
use rollcall_domain::exchange::Exchange;
use rollcall_domain::failure::{Cause, about};
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId};
use rollcall_domain::log::ExchangeNumber;
use rollcall_domain::sql::{SqlError, SqlStore, SqlValue};
use std::sync::Arc;

/// Which failures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailureFilter {
    /// Also those that are cured.
    pub cured: bool,
    /// Only of this cause.
    pub cause: Option<Cause>,
    /// Only about this resource.
    pub subject: Option<ResourceId>,
    /// Only those after the one that was last met with this exchange number; if there is none,
    /// those last met before it.
    pub before: Option<ExchangeNumber>,
}

columns! {
    struct Cure { cured_by: Option<ExchangeId>, cured_at: Option<DateTime<Utc>> }
}

/// Reads failures.
#[derive(Clone)]
pub struct FailureViews {
    views: Arc<dyn SqlStore>,
}

impl FailureViews {
    /// Reads from these views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { views }
    }

    /// At most `limit` failures of an organization: those that leave somebody access first, then
    /// those last met first.
    pub async fn list(
        &self,
        organization: OrganizationId,
        filter: &FailureFilter,
        limit: usize,
    ) -> Result<Vec<FailureRow>, SqlError> {
        let mut params: Vec<SqlValue> = vec![organization.into()];
        let mut conditions = vec!["organization = $1".to_owned()];
        let mut condition = |text: &str, value: SqlValue| {
            params.push(value);
            conditions.push(format!("({text} ${})", params.len()));
        };
        if !filter.cured {
            condition("open =", true.into());
        }
        if let Some(cause) = filter.cause {
            condition("cause =", cause.as_str().to_owned().into());
        }
        if let Some(subject) = filter.subject {
            condition("subject =", subject.to_string().into());
        }
        if let Some(before) = filter.before {
            let sql =
                "SELECT leaves_access FROM failures WHERE organization = $1 AND last_number = $2";
            match read_first(
                self.views.query(sql, vec![organization.into(), before.into()]).await?,
            )? {
                // What leaves access came first, whatever its number.
                Some(false) => condition("leaves_access = 0 AND last_number <", before.into()),
                Some(true) => condition("leaves_access < 1 OR last_number <", before.into()),
                None => condition("last_number <", before.into()),
            }
        }
        params.push(SqlValue::Int(Some(i64::try_from(limit).unwrap_or(i64::MAX))));
        let sql = format!(
            "SELECT {} FROM failures WHERE {} ORDER BY leaves_access DESC, last_number DESC LIMIT ${}",
            FailureRow::list(),
            conditions.join(" AND "),
            params.len()
        );
        read_all(self.views.query(&sql, params).await?)
    }

    /// The exchange that cured what an exchange met, if one did. The number is that of the failed
    /// one.
    pub async fn cure(
        &self,
        organization: OrganizationId,
        failed: &Exchange,
        number: ExchangeNumber,
    ) -> Result<Option<(ExchangeId, DateTime<Utc>)>, SqlError> {
        let sql = format!(
            "SELECT {} FROM failures WHERE organization = $1 AND about = $2 AND class = $3 \
             AND first_number <= $4 AND last_number >= $4 AND open = 0 ORDER BY first_number LIMIT 1",
            Cure::list()
        );
        let about = about(failed);
        let key = bounded(&about.key, WORD_BYTES);
        let params = vec![
            organization.into(),
            key.into(),
            about.class.as_str().to_owned().into(),
            number.into(),
        ];
        let cure = read_first::<Cure>(self.views.query(&sql, params).await?)?;
        Ok(cure.and_then(|cure| cure.cured_by.zip(cure.cured_at)))
    }

    /// The failure that an exchange began.
    pub async fn get(
        &self,
        organization: OrganizationId,
        exchange: ExchangeId,
    ) -> Result<Option<FailureRow>, SqlError> {
        let sql = format!(
            "SELECT {} FROM failures WHERE organization = $1 AND id = $2",
            FailureRow::list()
        );
        read_first(
            self.views.query(&sql, vec![organization.into(), exchange.to_string().into()]).await?,
        )
    }
}
