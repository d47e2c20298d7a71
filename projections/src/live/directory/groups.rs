//! Groups without their members: table and fold.

use super::members::Members;
use super::shelf::{self, Shelf, text_of};
use crate::bad::Bad;
use crate::cells::json;
use crate::columns::{Stored, columns};
use crate::table::Statement;
use crate::text::{lookup_key, micros};
use chrono::{DateTime, Utc};
use rollcall_domain::group::{GroupEvent, evolve_attributes};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Position, Record, Version};
use rollcall_domain::sql::{SqlError, SqlTransaction};
use uuid::Uuid;

columns! {
    #[derive(Debug)]
    struct GroupRow {
        organization: OrganizationId,
        id: Uuid,
        seq: Position,
        version: Version,
        created: DateTime<Utc>,
        modified: DateTime<Utc>,
        display_name: String,
        external_id: Option<String>,
        display: String,
        resource: String,
    }

    /// One row for each group. `display_name` and `external_id` are lookup keys; `display` is what
    /// a user's `groups` shows of the group.
    pub table GROUPS = "directory_groups" {
        key: ["organization", "id"],
        indexes: [["organization", "seq"], ["organization", "display_name"], ["organization", "external_id"]],
        order: "seq",
    }
}

/// The groups that a page of records touches.
#[derive(Debug)]
pub(crate) struct Groups(Shelf);

impl Groups {
    pub async fn fetch<'a>(
        tx: &mut dyn SqlTransaction,
        organization: OrganizationId,
        records: impl Iterator<Item = &'a Record>,
    ) -> Result<Self, SqlError> {
        Ok(Self(Shelf::fetch(&GROUPS, tx, organization, records).await?))
    }

    /// Folds one event into the group's row and its members.
    pub fn apply(
        &mut self,
        record: &Record,
        event: &GroupEvent,
        members: &mut Members,
    ) -> Result<(), Bad> {
        match event {
            GroupEvent::Created { attributes } => self.0.create(record, attributes.clone())?,
            GroupEvent::Deleted { .. } => {
                self.0.change(record)?.row = None;
                members.group_gone(record.stream.id);
            }
            GroupEvent::MembersAdded { members: added } => {
                self.0.change(record)?;
                members.add(record, added)?;
            }
            GroupEvent::MembersRemoved { members: removed } => {
                self.0.change(record)?;
                members.remove(record.stream.id, removed);
            }
            GroupEvent::Renamed { .. } | GroupEvent::Changed { .. } => {
                let slot = self.0.change(record)?;
                slot.attributes_changed = true;
                if let Some(row) = slot.row.as_mut() {
                    evolve_attributes(row.attributes()?, event);
                }
            }
        }
        Ok(())
    }

    /// The statements that bring the table to what the shelf holds.
    pub fn flush(self, organization: OrganizationId, out: &mut Vec<Statement>) -> Result<(), Bad> {
        let (mut gone, mut rows) = (Vec::new(), Vec::new());
        for (id, slot) in self.0.slots {
            if slot.stored_seq.is_some() && slot.row.is_none() {
                gone.push(id.to_string().into());
            }
            let Some(mut row) = slot.row else { continue };
            let (seq, version, created, modified) =
                (row.seq, row.version, row.created, row.modified);
            if !slot.attributes_changed {
                // Members only: the row keeps its attributes, and its indexes are left alone.
                let sql = "UPDATE directory_groups SET version = $1, modified = $2 WHERE organization = $3 AND id = $4";
                out.push((
                    sql.to_owned(),
                    vec![
                        version.into(),
                        micros(modified).into(),
                        organization.into(),
                        id.to_string().into(),
                    ],
                ));
                continue;
            }
            let attributes = row.attributes()?;
            let display = text_of(attributes, "displayName")
                .ok_or_else(|| Bad::new("leaves a group without displayName"))?;
            rows.push(GroupRow {
                organization,
                id,
                seq,
                version,
                created,
                modified,
                display_name: lookup_key(display),
                external_id: text_of(attributes, "externalId").map(lookup_key),
                display: shelf::display(display),
                resource: json(attributes)?,
            });
        }
        GROUPS.delete(organization, "id", &gone, out);
        GroupRow::upsert(rows, out)
    }
}
