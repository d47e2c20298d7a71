//! What clients call resources, by the keyed hash of `externalId`: whose name another resource has
//! been given since is not asked for any more.

use crate::columns::{Columns, Stored, columns, read_all};
use crate::table::{Statement, key_lists, numbered, with};
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::sql::{SqlError, SqlTransaction, SqlValue};
use std::collections::{BTreeMap, BTreeSet};

columns! {
    /// What its client called a resource the last time.
    #[derive(Clone, Debug, PartialEq)]
    pub(super) struct NameRow {
        organization: OrganizationId,
        id: ResourceId,
        name: String,
        since: u64,
    }

    /// One row for each resource that was ever given an `externalId`.
    pub(super) table NAMES = "failure_names" {
        key: ["organization", "id"],
        indexes: [["organization", "name"]],
        order: "since",
    }
}

/// The names that a page gives, and who had them before.
#[derive(Debug)]
pub(super) struct Names {
    organization: OrganizationId,
    held: BTreeMap<String, BTreeSet<ResourceId>>,
    given: BTreeMap<ResourceId, (String, u64)>,
}

/// The resource that an exchange is about and the name that it gives it, if it gives one.
pub(super) fn given(exchange: &Exchange) -> Option<(ResourceId, &str)> {
    let named = exchange
        .facts
        .wants
        .attributes
        .iter()
        .find(|change| change.path.eq_ignore_ascii_case("externalId"))?;
    Some((exchange.subject.as_deref()?.parse().ok()?, named.value.as_deref()?))
}

impl Names {
    /// Reads who has the names that these exchanges give.
    pub(super) async fn fetch<'a>(
        tx: &mut dyn SqlTransaction,
        organization: OrganizationId,
        exchanges: impl Iterator<Item = &'a Exchange>,
    ) -> Result<Self, SqlError> {
        let names: BTreeSet<&str> = exchanges.filter_map(given).map(|(_, name)| name).collect();
        let names: Vec<SqlValue> = names.into_iter().map(|name| name.to_owned().into()).collect();
        let mut held: BTreeMap<String, BTreeSet<ResourceId>> = BTreeMap::new();
        for names in key_lists(&names) {
            let list = numbered(2, names.len());
            let sql = format!(
                "SELECT {} FROM failure_names WHERE organization = $1 AND name IN ({list})",
                NameRow::list()
            );
            for row in read_all::<NameRow>(tx.query(&sql, with(organization.into(), names)).await?)?
            {
                held.entry(row.name).or_default().insert(row.id);
            }
        }
        Ok(Self { organization, held, given: BTreeMap::new() })
    }

    /// All who had one of the names before this page.
    pub(super) fn holders(&self) -> impl Iterator<Item = ResourceId> {
        self.held.values().flatten().copied()
    }

    /// Gives a name to a resource with the exchange of a number. Whoever else has had it is told.
    pub(super) fn give(&mut self, id: ResourceId, name: &str, since: u64) -> Vec<ResourceId> {
        let held = self.held.entry(name.to_owned()).or_default();
        let others = held.iter().copied().filter(|other| *other != id).collect();
        held.insert(id);
        self.given.insert(id, (name.to_owned(), since));
        others
    }

    /// The statements that keep it.
    pub(super) fn flush(self, out: &mut Vec<Statement>) -> Result<(), crate::bad::Bad> {
        let organization = self.organization;
        let row = |(id, (name, since))| NameRow { organization, id, name, since };
        NameRow::upsert(self.given.into_iter().map(row).collect(), out)
    }
}
