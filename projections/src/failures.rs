//! What went wrong and is not yet right: failed exchanges grouped by subject and cause, with the
//! exchange that cured them. Table, fold, queries.
//!
//! A member that was not there when it was to be added to a group is a case of its own: no exchange
//! written before there were facts tells which members it added, so whether such a failure is cured
//! is seen in the directory. Where
//! the member was named by what is no id, or the group was not there either, nothing can be seen
//! there, and the next success cures it as it cures everything else.

use crate::bad::Bad;
use crate::columns::{Columns, Stored, columns, read_all, read_first};
use crate::page::Page;
use crate::table::{Statement, Table, key_lists, numbered, with};
use crate::text::bounded;
use crate::view::View;
use chrono::{DateTime, Utc};
use rollcall_domain::exchange::{Exchange, Protocol};
use rollcall_domain::failure::{
    CONNECTION, Cause, Class, Wants, about, classify, is_failure, leaves_access, needs, settles,
};
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId};
use rollcall_domain::log::{ExchangeNumber, RecordedExchange};
use rollcall_domain::sql::{SqlError, SqlStore, SqlTransaction, SqlValue};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const DETAIL_BYTES: usize = 1_000;
const WORD_BYTES: usize = 200;

columns! {
    /// A failure.
    #[derive(Clone, Debug, PartialEq)]
    pub struct FailureRow {
        /// Whose it is.
        pub organization: OrganizationId,
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
        about: String,
        class: Class,
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
        /// True until it is cured.
        open: bool,
        /// The exchange that cured it.
        pub cured_by: Option<ExchangeId>,
        /// When that came.
        pub cured_at: Option<DateTime<Utc>>,
        /// What it wanted and nothing has settled yet; unknown of an exchange without facts.
        wants: Option<BTreeSet<String>>,
        /// Somebody should have lost access by this and has not.
        pub leaves_access: bool,
    }

    /// One row for each failure of a subject, from the first exchange that met it to the one that
    /// cured it; failing anew after that is another row.
    pub table FAILURES = "failures" {
        key: ["organization", "first_number"],
        indexes: [["organization", "about"], ["organization", "id"], ["organization", "open", "last_number"]],
        order: "first_number",
    }
}

impl FailureRow {
    /// Whether the directory tells when it is cured: a certain member then is in a certain group.
    fn shows_in_directory(&self) -> bool {
        self.needs.is_some() && self.subject.is_some()
    }

    /// Whether that a member has joined is all that is missing.
    pub fn wants_only_member(&self, member: ResourceId) -> bool {
        self.wants
            .as_ref()
            .is_none_or(|wants| wants.iter().all(|key| *key == format!("m:{member}")))
    }

    /// Takes note of a write of the same subject that succeeded. True if nothing is left to want.
    fn settle(&mut self, class: Class, done: &Wants) -> bool {
        if class == Class::Delete {
            return true;
        }
        match &mut self.wants {
            _ if !class.cures(self.class) => false,
            // Created is created, whatever else the two asked for: what differs is changed later
            // on.
            _ if class == Class::Create => true,
            Some(wants) => {
                wants.retain(|key| !settles(done, key));
                wants.is_empty()
            }
            None => !self.shows_in_directory(),
        }
    }
}

/// The open failures that a page of exchanges touches.
#[derive(Debug)]
pub(crate) struct Failures {
    organization: OrganizationId,
    open: BTreeMap<String, Vec<FailureRow>>,
    closed: Vec<FailureRow>,
}

impl View for Failures {
    const NAME: &'static str = "failures";
    const REVISION: u32 = 1;
    const TABLES: &'static [&'static Table] = &[&FAILURES];

    /// Reads the open failures of what the exchanges are about.
    async fn fetch(tx: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        let mut keys: BTreeSet<String> =
            page.exchanges.iter().map(|x| bounded(&about(&x.exchange).key, WORD_BYTES)).collect();
        keys.insert(CONNECTION.to_owned());
        let keys: Vec<SqlValue> = keys.into_iter().map(SqlValue::from).collect();
        let mut open: BTreeMap<String, Vec<FailureRow>> = BTreeMap::new();
        for keys in key_lists(&keys) {
            let list = numbered(2, keys.len());
            let sql = format!(
                "SELECT {} FROM failures WHERE organization = $1 AND about IN ({list}) AND open = 1 ORDER BY first_number",
                FailureRow::list()
            );
            for row in
                read_all::<FailureRow>(tx.query(&sql, with(page.organization.into(), keys)).await?)?
            {
                open.entry(row.about.clone()).or_default().push(row);
            }
        }
        Ok(Self { organization: page.organization, open, closed: Vec::new() })
    }

    fn exchange(&mut self, recorded: &RecordedExchange) -> Result<(), Bad> {
        let exchange = &recorded.exchange;
        let about = about(exchange);
        let key = bounded(&about.key, WORD_BYTES);
        if is_failure(exchange) {
            self.failed(recorded, key, about.class, about.subject);
        } else if exchange.answer.status < 400 && exchange.protocol == Protocol::Scim {
            self.cure(&key, exchange, |row| row.settle(about.class, &exchange.facts.wants));
            self.cure(CONNECTION, exchange, |_| true);
        }
        Ok(())
    }

    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        // A row that was read, cured and met again in one page is two rows: keys never repeat.
        FailureRow::upsert(self.open.into_values().flatten().chain(self.closed).collect(), out)
    }
}

impl Failures {
    fn cure(&mut self, key: &str, by: &Exchange, mut right: impl FnMut(&mut FailureRow) -> bool) {
        let Some(rows) = self.open.get_mut(key) else { return };
        for mut row in rows.extract_if(.., |row| right(row)) {
            row.cured_by = Some(by.id);
            row.cured_at = Some(by.received_at);
            row.open = false;
            self.closed.push(row);
        }
    }

    fn failed(
        &mut self,
        recorded: &RecordedExchange,
        about: String,
        class: Class,
        subject: Option<ResourceId>,
    ) {
        let exchange = &recorded.exchange;
        let cause = classify(exchange);
        let detail = exchange.answer.detail.as_deref();
        let needs = needs(exchange);
        let mut wants: Option<BTreeSet<String>> = (!exchange.facts.wants.is_empty())
            .then(|| exchange.facts.wants.keys().into_iter().collect());
        let rows = self.open.entry(about.clone()).or_default();
        let known = rows
            .iter()
            .position(|row| row.cause == cause && row.class == class && row.needs == needs);
        let first = known.map(|i| rows.swap_remove(i));
        if let (Some(wants), Some(before)) =
            (&mut wants, first.as_ref().and_then(|f| f.wants.clone()))
        {
            wants.extend(before);
        }
        let leaves_access =
            leaves_access(exchange) || first.as_ref().is_some_and(|f| f.leaves_access);
        rows.push(FailureRow {
            organization: self.organization,
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
            open: true,
            cured_by: None,
            cured_at: None,
            leaves_access,
            wants,
            about,
            class,
        });
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
