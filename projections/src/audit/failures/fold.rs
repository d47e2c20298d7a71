//! Which exchanges meet a failure, and which cure it.

use super::names::{NAMES, Names, given};
use super::row::{FAILURES, FailureRow, WORD_BYTES};
use crate::bad::Bad;
use crate::columns::{Columns, Stored, read_all};
use crate::page::Page;
use crate::table::{Statement, Table, key_lists, numbered, with};
use crate::text::bounded;
use crate::view::View;
use rollcall_domain::exchange::{Exchange, Protocol};
use rollcall_domain::failure::{
    CONNECTION, Cause, Class, about, classify, is_failure, leaves_access, needs,
};
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::RecordedExchange;
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
}

impl View for Failures {
    const NAME: &'static str = "failures";
    const REVISION: u32 = 3;
    const TABLES: &'static [&'static Table] = &[&FAILURES, &NAMES];

    /// Reads the open failures of what the exchanges are about, of whoever had a name that they
    /// give, and of what a client has looked at.
    async fn fetch(tx: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        let mut keys: BTreeSet<String> =
            page.exchanges.iter().map(|x| bounded(&about(&x.exchange).key, WORD_BYTES)).collect();
        keys.insert(CONNECTION.to_owned());
        let names =
            Names::fetch(tx, page.organization, page.exchanges.iter().map(|x| &x.exchange)).await?;
        keys.extend(names.holders().map(key_of));
        let mut open: BTreeMap<String, Vec<FailureRow>> = BTreeMap::new();
        let sql = format!(
            "SELECT {} FROM failures WHERE organization = $1 AND open = 1 AND looked_at > 0 ORDER BY first_number",
            FailureRow::list()
        );
        for row in read_all::<FailureRow>(tx.query(&sql, vec![page.organization.into()]).await?)? {
            keys.insert(row.about);
        }
        let keys: Vec<SqlValue> = keys.into_iter().map(SqlValue::from).collect();
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
        Ok(Self { organization: page.organization, open, closed: Vec::new(), names })
    }

    fn exchange(&mut self, recorded: &RecordedExchange) -> Result<(), Bad> {
        let exchange = &recorded.exchange;
        let about = about(exchange);
        let key = bounded(&about.key, WORD_BYTES);
        if is_failure(exchange) {
            self.failed(recorded, key, about.class, about.subject);
        } else if exchange.protocol == Protocol::Scim && exchange.answer.status < 400 {
            self.served(recorded, &key, about.class);
        } else if exchange.protocol == Protocol::Scim && about.class == Class::Delete {
            // It was gone already, and that is what was wanted.
            self.cure(&key, exchange, |row| row.settle(Class::Delete, &exchange.facts.wants));
        }
        Ok(())
    }

    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        // A row that was read, cured and met again in one page is two rows: keys never repeat.
        FailureRow::upsert(self.open.into_values().flatten().chain(self.closed).collect(), out)?;
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
        self.cure(key, exchange, |row| row.settle(class, &exchange.facts.wants));
        match class {
            Class::Read => {
                self.open.get_mut(key).into_iter().flatten().for_each(|row| row.looked(exchange))
            }
            _ => self.cure(key, exchange, |row| row.written(exchange, false)),
        }
        if let Some((id, name)) = given(exchange) {
            for other in self.names.give(id, name, recorded.number) {
                self.cure(&key_of(other), exchange, |row| !row.leaves_access);
            }
        }
    }

    fn cure(&mut self, key: &str, by: &Exchange, mut right: impl FnMut(&mut FailureRow) -> bool) {
        let Some(rows) = self.open.get_mut(key) else { return };
        self.closed.extend(
            rows.extract_if(.., |row| right(row)).map(|row| row.cured(by.id, by.received_at)),
        );
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
        let again =
            |row: &FailureRow| row.cause == cause && row.class == class && row.needs == needs;
        if class != Class::Read {
            // What the same failure wanted before is looked through as well, but it stays itself.
            self.cure(&about, exchange, |row| row.written(exchange, again(row)) && !again(row));
        }
        let rows = self.open.entry(about.clone()).or_default();
        if cause == Cause::ResourceUnknown {
            // What is gone gives access to nobody, whatever was refused of it before.
            rows.iter_mut().for_each(|row| row.leaves_access = false);
        }
        let known = rows.iter().position(again);
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
            caller: exchange.caller.clone(),
            looked_at: None,
            looked_by: None,
            wants,
            about,
            class,
        });
    }
}

/// What the failures of a resource that is there are about.
fn key_of(id: ResourceId) -> String {
    format!("id:{id}")
}
