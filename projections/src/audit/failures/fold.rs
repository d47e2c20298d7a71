//! Which exchanges meet a failure, and which cure it.

use super::names::{NAMES, Names, given};
use super::row::{ANYBODY, FAILURES, FailureRow, WORD_BYTES};
use super::stakes::{self, STAKES};
use super::standing::{Asked, Standing};
use crate::bad::Bad;
use crate::columns::{Columns, Stored, read_all};
use crate::page::Page;
use crate::table::{Statement, Table, key_lists, numbered, with};
use crate::text::bounded;
use crate::view::View;
use rollcall_domain::event::DomainEvent;
use rollcall_domain::exchange::{Exchange, Protocol};
use rollcall_domain::failure::{
    AccessEnd, CONNECTION, Cause, Class, Wishes, about, classify, is_failure, kind_of, needs,
    wishes,
};
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::{ExchangeNumber, Record, RecordedExchange};
use rollcall_domain::sql::{SqlError, SqlTransaction, SqlValue};
use std::collections::{BTreeMap, BTreeSet};

const DETAIL_BYTES: usize = 1_000;

/// The open failures that a page of exchanges touches.
#[derive(Debug)]
pub(crate) struct Failures {
    organization: OrganizationId,
    open: BTreeMap<String, Vec<FailureRow>>,
    closed: Vec<FailureRow>,
    names: Names,
    standing: Standing,
}

impl View for Failures {
    const NAME: &'static str = "failures";
    const REVISION: u32 = 4;
    const TABLES: &'static [&'static Table] = &[&FAILURES, &NAMES, &STAKES];

    /// Reads the open failures of what the exchanges are about, of whoever had a name that they
    /// give, of what a client has looked at, and of all whose state the exchanges change.
    async fn fetch(tx: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        let names =
            Names::fetch(tx, page.organization, page.exchanges.iter().map(|x| &x.exchange)).await?;
        let mut rows = fetch_open(tx, page, &names).await?;
        let mut changed: BTreeSet<ResourceId> =
            page.exchanges.iter().filter_map(|x| changed(&x.exchange)).collect();
        changed.extend((!changed.is_empty()).then_some(ANYBODY));
        for row in stakes::fetch(tx, page.organization, &changed).await? {
            rows.insert(row.first_number, row);
        }
        let standing = match page.exchanges.iter().map(|x| x.after).min() {
            Some(from) => {
                let asked = asked(page, rows.values());
                Standing::fetch(tx, page.organization, asked, from).await?
            }
            None => Standing::default(),
        };
        let mut open: BTreeMap<String, Vec<FailureRow>> = BTreeMap::new();
        for row in rows.into_values() {
            open.entry(row.about.clone()).or_default().push(row);
        }
        Ok(Self { organization: page.organization, open, closed: Vec::new(), names, standing })
    }

    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        self.standing.record(record, event);
        Ok(())
    }

    fn exchange(&mut self, recorded: &RecordedExchange) -> Result<(), Bad> {
        let exchange = &recorded.exchange;
        let about = about(exchange);
        let key = bounded(&about.key, WORD_BYTES);
        let is_served = exchange.answer.status < 400;
        match exchange.protocol {
            _ if is_failure(exchange) => self.failed(recorded, key, about.class, about.subject),
            Protocol::Scim if is_served => self.served(recorded, &key, about.class),
            // It was gone already, and that is what was wanted.
            Protocol::Scim if about.class == Class::Delete => self.gone(recorded, &key),
            Protocol::Oauth if is_served => self.cure(&key, exchange, |_| true),
            _ => {}
        }
        if let Some(id) = changed(exchange) {
            self.look(recorded, id);
        }
        Ok(())
    }

    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        // A row that was read, cured and met again in one page is two rows: keys never repeat.
        let rows: Vec<FailureRow> = self.open.into_values().flatten().chain(self.closed).collect();
        stakes::flush(self.organization, &rows, out)?;
        FailureRow::upsert(rows, out)?;
        self.names.flush(out)
    }
}

impl Failures {
    fn served(&mut self, recorded: &RecordedExchange, key: &str, class: Class) {
        let exchange = &recorded.exchange;
        self.cure(CONNECTION, exchange, |_| true);
        for rows in self.open.values_mut() {
            let content =
                rows.extract_if(.., |row| row.is_content(&exchange.caller, exchange.received_at));
            self.closed.extend(content.map(|row| {
                let by = row.looked_by.unwrap_or(exchange.id);
                row.cured(by, exchange.received_at)
            }));
        }
        self.cure_where(exchange, |row| row.is_stale(exchange.received_at));
        let kind = kind_of(&exchange.operation);
        match class {
            Class::Read => {
                self.open.get_mut(key).into_iter().flatten().for_each(|row| row.looked(exchange))
            }
            Class::Delete => self.gone(recorded, key),
            _ => self.cure(key, exchange, |row| {
                let same = kind_of(&row.operation) == kind;
                let settled = same && row.settle(class, &exchange.facts.wants);
                let dropped = same && row.written(exchange, false);
                settled || dropped
            }),
        }
        if let Some((id, name)) = given(exchange) {
            for other in self.names.give(id, name, recorded.number) {
                self.cure(&key_of(other), exchange, |row| !row.leaves_access);
            }
        }
    }

    /// A deletion that found or left nothing: of what is not there, nothing is wanted any more.
    fn gone(&mut self, recorded: &RecordedExchange, key: &str) {
        let (exchange, at) = (&recorded.exchange, recorded.after);
        let standing = std::mem::take(&mut self.standing);
        self.cure(key, exchange, |row| row.is_about_nothing(&standing, at));
        if let Some(id) = changed(exchange).filter(|id| !standing.is_there(*id, None, at)) {
            self.cure_where(exchange, |row| row.forget(id));
        }
        self.standing = standing;
    }

    /// Looks at who has access after something has happened to a resource.
    fn look(&mut self, recorded: &RecordedExchange, id: ResourceId) {
        let standing = std::mem::take(&mut self.standing);
        self.cure_where(&recorded.exchange, |row| {
            let concerns = row.has_stake_in(id) || row.awaits_somebody();
            concerns && row.look(&standing, recorded.after)
        });
        self.standing = standing;
    }

    fn cure(&mut self, key: &str, by: &Exchange, mut right: impl FnMut(&mut FailureRow) -> bool) {
        let Some(rows) = self.open.get_mut(key) else { return };
        self.closed.extend(
            rows.extract_if(.., |row| right(row)).map(|row| row.cured(by.id, by.received_at)),
        );
    }

    /// The same of all that were read.
    fn cure_where(&mut self, by: &Exchange, mut right: impl FnMut(&mut FailureRow) -> bool) {
        for rows in self.open.values_mut() {
            let cured = rows.extract_if(.., |row| right(row));
            self.closed.extend(cured.map(|row| row.cured(by.id, by.received_at)));
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
        let kind = kind_of(&exchange.operation);
        let (mut wants, mut ends) = self.wished(recorded, cause, subject);
        let again = |row: &FailureRow| {
            row.cause == cause
                && row.class == class
                && row.needs == needs
                && kind_of(&row.operation) == kind
        };
        if class != Class::Read {
            // What the same failure wanted before is looked through as well, but it stays itself.
            self.cure(&about, exchange, |row| {
                let same = kind_of(&row.operation) == kind;
                same && row.written(exchange, again(row)) && !again(row)
            });
        }
        let rows = self.open.entry(about.clone()).or_default();
        let known = rows.iter().position(again);
        let first = known.map(|i| rows.swap_remove(i));
        if let (Some(wants), Some(before)) =
            (&mut wants, first.as_ref().and_then(|f| f.wants.clone()))
        {
            wants.extend(before);
        }
        ends.extend(first.iter().flat_map(|f| f.ends.iter().cloned()));
        let left_access = first.as_ref().is_some_and(|f| f.leaves_access);
        let mut row = FailureRow {
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
            leaves_access: true,
            caller: exchange.caller.clone(),
            looked_at: None,
            looked_by: None,
            wants,
            ends,
            about,
            class,
        };
        let nothing = row.look(&self.standing, recorded.after);
        row.leaves_access = !row.ends.is_empty() || (nothing && left_access);
        if nothing {
            // What it wanted holds already.
            self.closed.push(row.cured(exchange.id, exchange.received_at));
        } else {
            rows.push(row);
        }
    }

    /// What a failed exchange wanted: the keys of attributes and the like, and the access that was
    /// to end. What is not there gives access to nobody.
    fn wished(
        &self,
        recorded: &RecordedExchange,
        cause: Cause,
        subject: Option<ResourceId>,
    ) -> (Option<BTreeSet<String>>, BTreeSet<AccessEnd>) {
        let wants = &recorded.exchange.facts.wants;
        if wants.is_empty() {
            return (None, BTreeSet::new());
        }
        if cause == Cause::ResourceUnknown {
            return (Some(wants.keys().into_iter().collect()), BTreeSet::new());
        }
        let Wishes { ends, keys } = wishes(&recorded.exchange, subject);
        let request = wants.request.as_deref();
        let each = |end| self.standing.each_of(end, request, recorded.after);
        (Some(keys), ends.into_iter().flat_map(each).collect())
    }
}

/// The resource that an exchange may have changed, and whose state it tells.
fn changed(exchange: &Exchange) -> Option<ResourceId> {
    let about = about(exchange);
    let writes = matches!(about.class, Class::Change | Class::Delete);
    about.subject.filter(|_| writes && exchange.protocol == Protocol::Scim)
}

/// The open failures of what the exchanges are about, by their first number.
async fn fetch_open(
    tx: &mut dyn SqlTransaction,
    page: &Page<'_>,
    names: &Names,
) -> Result<BTreeMap<ExchangeNumber, FailureRow>, SqlError> {
    let mut keys: BTreeSet<String> =
        page.exchanges.iter().map(|x| bounded(&about(&x.exchange).key, WORD_BYTES)).collect();
    keys.insert(CONNECTION.to_owned());
    keys.extend(names.holders().map(key_of));
    let mut found = BTreeMap::new();
    let sql = format!(
        "SELECT {} FROM failures WHERE organization = $1 AND open = 1 \
         AND (looked_at > 0 OR cause = $2)",
        FailureRow::list()
    );
    let refused = Cause::TokenRefused.as_str().to_owned();
    let params = vec![page.organization.into(), refused.into()];
    for row in read_all::<FailureRow>(tx.query(&sql, params).await?)? {
        keys.insert(row.about);
    }
    let keys: Vec<SqlValue> = keys.into_iter().map(SqlValue::from).collect();
    for keys in key_lists(&keys) {
        let list = numbered(2, keys.len());
        let sql = format!(
            "SELECT {} FROM failures WHERE organization = $1 AND about IN ({list}) AND open = 1",
            FailureRow::list()
        );
        let rows = tx.query(&sql, with(page.organization.into(), keys)).await?;
        found.extend(read_all::<FailureRow>(rows)?.into_iter().map(|r| (r.first_number, r)));
    }
    Ok(found)
}

/// What is to be known of who has access: for the failures that are open, and for those that the
/// page may open.
fn asked<'a>(page: &Page<'_>, open: impl Iterator<Item = &'a FailureRow>) -> Asked {
    let mut asked = Asked::default();
    for exchange in page.exchanges.iter().map(|x| &x.exchange) {
        let about = about(exchange);
        asked.resources.extend(about.subject.filter(|_| about.class == Class::Delete));
        if is_failure(exchange) {
            asked.ends(&wishes(exchange, about.subject).ends);
            let group = about.subject.filter(|_| about.class == Class::Change);
            group.into_iter().for_each(|g| asked.members(g, &exchange.facts.wants.added));
        }
    }
    for row in open {
        asked.ends(&row.ends);
        let awaited: Vec<ResourceId> = row.awaited().collect();
        row.subject.into_iter().for_each(|group| asked.members(group, &awaited));
    }
    asked
}

/// What the failures of a resource that is there are about.
fn key_of(id: ResourceId) -> String {
    format!("id:{id}")
}
