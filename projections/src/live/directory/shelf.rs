//! The rows of users or groups that a page of records touches, read once, changed in memory and
//! written once.

use crate::bad::Bad;
use crate::columns::{Columns, columns, read_all};
use crate::table::{Table, key_lists, numbered, with};
use crate::text::bounded;
use chrono::{DateTime, Utc};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Position, Record, Version};
use rollcall_domain::scim::Attributes;
use rollcall_domain::sql::{SqlError, SqlTransaction, SqlValue};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

columns! {
    /// What users and groups have in common.
    struct StoredRow {
        id: Uuid,
        seq: Position,
        version: Version,
        created: DateTime<Utc>,
        modified: DateTime<Utc>,
        resource: String,
    }
}

/// A resource in the working set.
#[derive(Debug)]
pub(crate) struct Row {
    /// Position of its first event.
    pub seq: Position,
    /// Number of its events.
    pub version: Version,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub modified: DateTime<Utc>,
    stored: String,
    parsed: Option<Attributes>,
}

impl Row {
    /// Its attributes, parsed when first asked for.
    pub fn attributes(&mut self) -> Result<&mut Attributes, Bad> {
        if self.parsed.is_none() {
            let parsed = serde_json::from_str(&self.stored)
                .map_err(|_| Bad::new("the stored attributes cannot be read"))?;
            self.parsed = Some(parsed);
        }
        self.parsed.as_mut().ok_or_else(|| Bad::new("the attributes are gone"))
    }
}

/// One place on the shelf.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// `seq` of the row in the table, if there is one.
    pub stored_seq: Option<Position>,
    /// The row as it will be; absent if it is deleted.
    pub row: Option<Row>,
    /// True if more than version and time changed.
    pub attributes_changed: bool,
    /// True if what it is looked up by may have changed too.
    pub keys_changed: bool,
}

/// Users or groups by id. Sorted, so that a page is written in the order of the primary key.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub slots: BTreeMap<Uuid, Slot>,
}

impl Shelf {
    /// Reads the rows that these records change. What a record creates needs no reading.
    pub async fn fetch<'a>(
        table: &Table,
        tx: &mut dyn SqlTransaction,
        organization: OrganizationId,
        records: impl Iterator<Item = &'a Record>,
    ) -> Result<Self, SqlError> {
        let mut wanted = BTreeSet::new();
        let mut created = BTreeSet::new();
        for record in records {
            if record.version == 1 {
                created.insert(record.stream.id);
            } else if !created.contains(&record.stream.id) {
                wanted.insert(record.stream.id);
            }
        }
        let mut shelf = Self::default();
        let keys: Vec<SqlValue> = wanted.into_iter().map(|id| id.to_string().into()).collect();
        for keys in key_lists(&keys) {
            let sql = format!(
                "SELECT {} FROM {} WHERE organization = $1 AND id IN ({})",
                StoredRow::list(),
                table.name,
                numbered(2, keys.len())
            );
            for row in read_all(tx.query(&sql, with(organization.into(), keys)).await?)? {
                let StoredRow { id, seq, version, created, modified, resource: stored } = row;
                let row = Row { seq, version, created, modified, stored, parsed: None };
                shelf
                    .slots
                    .insert(id, Slot { stored_seq: Some(seq), row: Some(row), ..Slot::default() });
            }
        }
        Ok(shelf)
    }

    /// Puts a new resource on the shelf.
    pub fn create(&mut self, record: &Record, attributes: Attributes) -> Result<(), Bad> {
        let slot = self.slots.entry(record.stream.id).or_default();
        if slot.row.is_some() {
            return Err(Bad::new("created although it exists"));
        }
        (slot.attributes_changed, slot.keys_changed) = (true, true);
        slot.row = Some(Row {
            seq: record.position,
            version: record.version,
            created: record.recorded_at,
            modified: record.recorded_at,
            stored: String::new(),
            parsed: Some(attributes),
        });
        Ok(())
    }

    /// The slot that an event changes, with its version moved to the event's.
    pub fn change(&mut self, record: &Record) -> Result<&mut Slot, Bad> {
        let slot = self
            .slots
            .get_mut(&record.stream.id)
            .ok_or_else(|| Bad::new("changed although it does not exist"))?;
        let Some(row) = slot.row.as_mut() else {
            return Err(Bad::new("changed although it does not exist"));
        };
        // Between two changes of a user there may be logins, which are not on this shelf.
        if row.version >= record.version {
            return Err(Bad::new(format!(
                "is version {} of its stream, but the row is at version {}",
                record.version, row.version
            )));
        }
        row.version = record.version;
        row.modified = record.recorded_at;
        Ok(slot)
    }
}

/// The text of an attribute.
pub(crate) fn text_of<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes.get(name)?.as_str()
}

/// What others show of a resource.
pub(crate) fn display(name: &str) -> String {
    bounded(name, 1_000)
}
