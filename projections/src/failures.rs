//! What went wrong and is not yet right: failed exchanges grouped by subject and cause, with the
//! exchange that cured them. Table, fold, queries.
//!
//! A member that was not there when it was to be added to a group is a case of its own: no exchange
//! written before there were facts tells which members it added, so whether such a failure is cured
//! is seen in the directory. Where
//! the member was named by what is no id, or the group was not there either, nothing can be seen
//! there, and the next success cures it as it cures everything else.

use crate::table::{Statement, Table, int, key_lists, numbered, optional_int, optional_text, text, with};
use crate::text::{bounded, count, id, instant, micros};
use chrono::{DateTime, Utc};
use rollcall_domain::exchange::{Exchange, Protocol};
use rollcall_domain::failure::{CONNECTION, Cause, Class, Wants, about, classify, is_failure, leaves_access, needs, settles};
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId};
use rollcall_domain::log::{ExchangeNumber, RecordedExchange};
use rollcall_domain::sql::{SqlError, SqlRow, SqlStore, SqlTransaction, SqlValue};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One row for each failure of a subject, from the first exchange that met it to the one that
/// cured it; failing anew after that is another row.
pub const FAILURES: Table = Table {
    name: "failures",
    columns: &[
        text("organization"),
        int("first_number"),
        text("id"),
        int("first_at"),
        int("last_number"),
        text("last_exchange"),
        int("last_at"),
        int("count"),
        text("about"),
        text("class"),
        text("operation"),
        text("cause"),
        int("status"),
        optional_text("scim_type"),
        optional_text("detail"),
        optional_text("subject"),
        optional_text("needs"),
        int("open"),
        optional_text("cured_by"),
        optional_int("cured_at"),
        optional_text("wants"),
        int("leaves_access"),
    ],
    key: &["organization", "first_number"],
    indexes: &[&["organization", "about"], &["organization", "id"], &["organization", "open", "last_number"]],
    order: "first_number",
};

const DETAIL_BYTES: usize = 1_000;
const WORD_BYTES: usize = 200;

/// A failure.
#[derive(Clone, Debug, PartialEq)]
pub struct FailureRow {
    /// Number of the first exchange that met it.
    pub first_number: ExchangeNumber,
    /// That exchange: it names the failure.
    pub id: ExchangeId,
    /// When it came.
    pub first_at: DateTime<Utc>,
    /// Number of the last exchange that met it.
    pub last_number: ExchangeNumber,
    /// That exchange.
    pub last_exchange: ExchangeId,
    /// When it came.
    pub last_at: DateTime<Utc>,
    /// How many met it.
    pub count: u64,
    /// What was asked for, the last time.
    pub operation: String,
    /// Why it failed.
    pub cause: Cause,
    /// The status answered.
    pub status: u16,
    /// RFC 7644 section 3.12.
    pub scim_type: Option<String>,
    /// The error's text, the last time.
    pub detail: Option<String>,
    /// The resource it is about.
    pub subject: Option<ResourceId>,
    /// The member that was not there.
    pub needs: Option<ResourceId>,
    /// The exchange that cured it.
    pub cured_by: Option<ExchangeId>,
    /// When that came.
    pub cured_at: Option<DateTime<Utc>>,
    /// Somebody should have lost access by this and has not.
    pub leaves_access: bool,
    /// What it wanted and nothing has settled yet; unknown of an exchange without facts.
    wants: Option<BTreeSet<String>>,
    about: String,
    class: Class,
}

impl FailureRow {
    /// Whether the directory tells when it is cured: a certain member then is in a certain group.
    fn shows_in_directory(&self) -> bool {
        self.needs.is_some() && self.subject.is_some()
    }

    /// Whether that a member has joined is all that is missing.
    pub fn wants_only_member(&self, member: ResourceId) -> bool {
        self.wants.as_ref().is_none_or(|wants| wants.iter().all(|key| *key == format!("m:{member}")))
    }

    /// Takes note of a write of the same subject that succeeded. True if nothing is left to want.
    fn settle(&mut self, class: Class, done: &Wants) -> bool {
        if class == Class::Delete {
            return true;
        }
        match &mut self.wants {
            _ if !class.cures(self.class) => false,
            // Created is created, whatever else the two asked for: what differs is changed later on.
            _ if class == Class::Create => true,
            Some(wants) => {
                wants.retain(|key| !settles(done, key));
                wants.is_empty()
            }
            None => !self.shows_in_directory(),
        }
    }

    fn values(&self, organization: OrganizationId) -> Vec<SqlValue> {
        vec![
            organization.into(),
            self.first_number.into(),
            self.id.to_string().into(),
            micros(self.first_at).into(),
            self.last_number.into(),
            self.last_exchange.to_string().into(),
            micros(self.last_at).into(),
            self.count.into(),
            self.about.clone().into(),
            self.class.as_str().to_owned().into(),
            self.operation.clone().into(),
            self.cause.as_str().to_owned().into(),
            i64::from(self.status).into(),
            self.scim_type.clone().into(),
            self.detail.clone().into(),
            self.subject.map(|s| s.to_string()).into(),
            self.needs.map(|s| s.to_string()).into(),
            self.cured_at.is_none().into(),
            self.cured_by.map(|x| x.to_string()).into(),
            SqlValue::Int(self.cured_at.map(micros)),
            self.wants.as_ref().map(|wants| serde_json::json!(wants).to_string()).into(),
            self.leaves_access.into(),
        ]
    }

    fn from_row(row: &SqlRow) -> Result<Self, SqlError> {
        let text = |i: usize| row.optional_text(i).map(|t| t.map(str::to_owned));
        let shape = |what: &str| SqlError::Shape(format!("a failure has an unknown {what}"));
        Ok(Self {
            first_number: count(row.int(1)?)?,
            id: id(row.text(2)?)?,
            first_at: instant(row.int(3)?)?,
            last_number: count(row.int(4)?)?,
            last_exchange: id(row.text(5)?)?,
            last_at: instant(row.int(6)?)?,
            count: count(row.int(7)?)?,
            about: row.text(8)?.to_owned(),
            class: Class::parse(row.text(9)?).ok_or_else(|| shape("class"))?,
            operation: row.text(10)?.to_owned(),
            cause: Cause::parse(row.text(11)?).ok_or_else(|| shape("cause"))?,
            status: u16::try_from(row.int(12)?).map_err(|_| shape("status"))?,
            scim_type: text(13)?,
            detail: text(14)?,
            subject: row.optional_text(15)?.map(id).transpose()?,
            needs: row.optional_text(16)?.map(id).transpose()?,
            cured_by: row.optional_text(18)?.map(id).transpose()?,
            cured_at: row.optional_int(19)?.map(instant).transpose()?,
            wants: row.optional_text(20)?.map(|t| serde_json::from_str(t).map_err(|_| shape("want"))).transpose()?,
            leaves_access: row.int(21)? != 0,
        })
    }
}

/// The open failures that a page of exchanges touches.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    open: BTreeMap<String, Vec<FailureRow>>,
    closed: Vec<FailureRow>,
}

impl Failures {
    /// Reads the open failures of what the exchanges are about.
    pub async fn fetch(
        tx: &mut dyn SqlTransaction,
        organization: OrganizationId,
        exchanges: &[RecordedExchange],
    ) -> Result<Self, SqlError> {
        let mut keys: BTreeSet<String> = exchanges.iter().map(|x| bounded(&about(&x.exchange).key, WORD_BYTES)).collect();
        keys.insert(CONNECTION.to_owned());
        let keys: Vec<SqlValue> = keys.into_iter().map(SqlValue::from).collect();
        let mut open: BTreeMap<String, Vec<FailureRow>> = BTreeMap::new();
        for keys in key_lists(&keys) {
            let list = numbered(2, keys.len());
            let sql = format!(
                "SELECT {} FROM failures WHERE organization = $1 AND about IN ({list}) AND open = 1 ORDER BY first_number",
                FAILURES.all()
            );
            for row in tx.query(&sql, with(organization.into(), keys)).await? {
                let row = FailureRow::from_row(&row)?;
                open.entry(row.about.clone()).or_default().push(row);
            }
        }
        Ok(Self { open, closed: Vec::new() })
    }

    /// Folds the next exchange.
    pub fn apply(&mut self, recorded: &RecordedExchange) {
        let exchange = &recorded.exchange;
        let about = about(exchange);
        let key = bounded(&about.key, WORD_BYTES);
        if is_failure(exchange) {
            self.failed(recorded, key, about.class, about.subject);
        } else if exchange.answer.status < 400 && exchange.protocol == Protocol::Scim {
            self.cure(&key, exchange, |row| row.settle(about.class, &exchange.facts.wants));
            self.cure(CONNECTION, exchange, |_| true);
        }
    }

    fn cure(&mut self, key: &str, by: &Exchange, mut right: impl FnMut(&mut FailureRow) -> bool) {
        let Some(rows) = self.open.get_mut(key) else { return };
        for mut row in rows.extract_if(.., |row| right(row)) {
            row.cured_by = Some(by.id);
            row.cured_at = Some(by.received_at);
            self.closed.push(row);
        }
    }

    fn failed(&mut self, recorded: &RecordedExchange, about: String, class: Class, subject: Option<ResourceId>) {
        let exchange = &recorded.exchange;
        let cause = classify(exchange);
        let detail = exchange.answer.detail.as_deref();
        let needs = needs(exchange);
        let mut wants: Option<BTreeSet<String>> =
            (!exchange.facts.wants.is_empty()).then(|| exchange.facts.wants.keys().into_iter().collect());
        let rows = self.open.entry(about.clone()).or_default();
        let known = rows.iter().position(|row| row.cause == cause && row.class == class && row.needs == needs);
        let first = known.map(|i| rows.swap_remove(i));
        if let (Some(wants), Some(before)) = (&mut wants, first.as_ref().and_then(|f| f.wants.clone())) {
            wants.extend(before);
        }
        let leaves_access = leaves_access(exchange) || first.as_ref().is_some_and(|f| f.leaves_access);
        rows.push(FailureRow {
            first_number: first.as_ref().map_or(recorded.number, |f| f.first_number),
            id: first.as_ref().map_or(exchange.id, |f| f.id),
            first_at: first.as_ref().map_or(exchange.received_at, |f| f.first_at),
            last_number: recorded.number,
            last_exchange: exchange.id,
            last_at: exchange.received_at,
            count: first.map_or(0, |f| f.count) + 1,
            operation: bounded(&exchange.operation, WORD_BYTES),
            cause,
            status: exchange.answer.status,
            scim_type: exchange.answer.scim_type.as_ref().map(|t| bounded(t, WORD_BYTES)),
            detail: detail.map(|d| bounded(d, DETAIL_BYTES)),
            subject,
            needs,
            cured_by: None,
            cured_at: None,
            leaves_access,
            wants,
            about,
            class,
        });
    }

    /// The statements that bring the table to what the page leaves.
    pub fn flush(self, organization: OrganizationId, out: &mut Vec<Statement>) {
        // A row that was read, cured and met again in one page is two rows: keys never repeat.
        let rows = self.open.into_values().flatten().chain(self.closed);
        FAILURES.upsert(rows.map(|row| row.values(organization)).collect(), out);
    }
}

/// Which failures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailureFilter {
    /// Also those that are cured.
    pub cured: bool,
    /// Only of this cause.
    pub cause: Option<Cause>,
    /// Only about this resource.
    pub subject: Option<ResourceId>,
    /// Only those after the one that was last met with this exchange number; if there is none, those
    /// last met before it.
    pub before: Option<ExchangeNumber>,
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

    /// At most `limit` failures of an organization: those that leave somebody access first, then those
    /// last met first.
    pub async fn list(&self, organization: OrganizationId, filter: &FailureFilter, limit: usize) -> Result<Vec<FailureRow>, SqlError> {
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
            let sql = "SELECT leaves_access FROM failures WHERE organization = $1 AND last_number = $2";
            let rows = self.views.query(sql, vec![organization.into(), before.into()]).await?;
            match rows.first().map(|row| row.int(0)).transpose()? {
                // What leaves access came first, whatever its number.
                Some(0) => condition("leaves_access = 0 AND last_number <", before.into()),
                Some(_) => condition("leaves_access < 1 OR last_number <", before.into()),
                None => condition("last_number <", before.into()),
            }
        }
        params.push(SqlValue::Int(Some(i64::try_from(limit).unwrap_or(i64::MAX))));
        let sql = format!(
            "SELECT {} FROM failures WHERE {} ORDER BY leaves_access DESC, last_number DESC LIMIT ${}",
            FAILURES.all(),
            conditions.join(" AND "),
            params.len()
        );
        self.views.query(&sql, params).await?.iter().map(FailureRow::from_row).collect()
    }

    /// The exchange that cured what an exchange met, if one did. The number is that of the failed one.
    pub async fn cure(
        &self,
        organization: OrganizationId,
        failed: &Exchange,
        number: ExchangeNumber,
    ) -> Result<Option<(ExchangeId, DateTime<Utc>)>, SqlError> {
        let sql = "SELECT cured_by, cured_at FROM failures WHERE organization = $1 AND about = $2 AND class = $3 \
             AND first_number <= $4 AND last_number >= $4 AND open = 0 ORDER BY first_number LIMIT 1";
        let about = about(failed);
        let key = bounded(&about.key, WORD_BYTES);
        let params = vec![organization.into(), key.into(), about.class.as_str().to_owned().into(), number.into()];
        let rows = self.views.query(sql, params).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(row.optional_text(0)?.map(id).transpose()?.zip(row.optional_int(1)?.map(instant).transpose()?))
    }

    /// The failure that an exchange began.
    pub async fn get(&self, organization: OrganizationId, exchange: ExchangeId) -> Result<Option<FailureRow>, SqlError> {
        let sql = format!("SELECT {} FROM failures WHERE organization = $1 AND id = $2", FAILURES.all());
        let rows = self.views.query(&sql, vec![organization.into(), exchange.to_string().into()]).await?;
        rows.first().map(FailureRow::from_row).transpose()
    }
}
