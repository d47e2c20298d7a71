//! Users: tables and fold.

use super::shelf::{Shelf, display, text_of};
use crate::bad::Bad;
use crate::cells::json;
use crate::columns::{Stored, columns};
use crate::table::Statement;
use crate::text::{lookup_key, user_key};
use chrono::{DateTime, Utc};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Position, Record, Version};
use rollcall_domain::scim::Attributes;
use rollcall_domain::sql::{SqlError, SqlTransaction, SqlValue};
use rollcall_domain::user::{UserEvent, changes_resource, evolve_attributes};
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

columns! {
    #[derive(Debug)]
    struct UserRow {
        organization: OrganizationId,
        id: Uuid,
        seq: Position,
        version: Version,
        created: DateTime<Utc>,
        modified: DateTime<Utc>,
        user_name: String,
        external_id: Option<String>,
        display_name: Option<String>,
        manager: Option<String>,
        display: String,
        resource: String,
    }

    /// One row for each user. `user_name`, `external_id`, `display_name` and `manager` are lookup
    /// keys; `display` is what a group shows of the user; `resource` holds the canonical
    /// attributes.
    pub table USERS = "directory_users" {
        key: ["organization", "id"],
        indexes: [
            ["organization", "seq"],
            ["organization", "user_name"],
            ["organization", "external_id"],
            ["organization", "display_name"],
            ["organization", "manager"],
        ],
        order: "seq",
    }
}

columns! {
    #[derive(Debug)]
    struct EmailRow { organization: OrganizationId, seq: Position, value: String }

    /// One row for each different mail address of a user, as lookup key; `seq` names the user.
    pub table EMAILS = "directory_emails" {
        key: ["organization", "seq", "value"],
        indexes: [["organization", "value"]],
        order: "seq",
    }
}

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The users that a page of records touches.
#[derive(Debug)]
pub(crate) struct Users(Shelf);

impl Users {
    pub async fn fetch<'a>(
        tx: &mut dyn SqlTransaction,
        organization: OrganizationId,
        records: impl Iterator<Item = &'a Record>,
    ) -> Result<Self, SqlError> {
        let records = records.filter(|record| changes_resource(&record.event_type));
        Ok(Self(Shelf::fetch(&USERS, tx, organization, records).await?))
    }

    /// Folds one event. True if the user is gone by it.
    pub fn apply(&mut self, record: &Record, event: &UserEvent) -> Result<bool, Bad> {
        match event {
            event if !event.changes_resource() => {}
            UserEvent::Created { attributes } => {
                self.0.create(record, attributes.value().clone())?
            }
            UserEvent::Deleted { .. } => {
                self.0.change(record)?.row = None;
                return Ok(true);
            }
            event => {
                let slot = self.0.change(record)?;
                slot.attributes_changed = true;
                slot.keys_changed |= touches_keys(event);
                if let Some(row) = slot.row.as_mut() {
                    evolve_attributes(row.attributes()?, event);
                }
            }
        }
        Ok(false)
    }

    /// The statements that bring the tables to what the shelf holds.
    pub fn flush(self, organization: OrganizationId, out: &mut Vec<Statement>) -> Result<(), Bad> {
        let (mut gone, mut stale_mails, mut mails) =
            (Vec::new(), Vec::<SqlValue>::new(), Vec::new());
        let (mut rows, mut light_rows) = (Vec::new(), Vec::new());
        for (id, slot) in self.0.slots {
            if let Some(seq) = slot.stored_seq {
                if slot.keys_changed || slot.row.is_none() {
                    stale_mails.push(seq.into());
                }
                if slot.row.is_none() {
                    gone.push(id.to_string().into());
                }
            }
            let Some(mut row) = slot.row else { continue };
            let (seq, version, created, modified) =
                (row.seq, row.version, row.created, row.modified);
            let attributes = row.attributes()?;
            let user_name = text_of(attributes, "userName")
                .ok_or_else(|| Bad::new("leaves a user without userName"))?;
            if slot.keys_changed {
                mails.extend(mail_keys(attributes).into_iter().map(|value| EmailRow {
                    organization,
                    seq,
                    value,
                }));
            }
            let into = if slot.keys_changed { &mut rows } else { &mut light_rows };
            into.push(UserRow {
                organization,
                id,
                seq,
                version,
                created,
                modified,
                user_name: user_key(user_name),
                external_id: text_of(attributes, "externalId").map(lookup_key),
                display_name: text_of(attributes, "displayName").map(lookup_key),
                manager: manager(attributes).map(lookup_key),
                display: display(text_of(attributes, "displayName").unwrap_or(user_name)),
                resource: json(attributes)?,
            });
        }
        USERS.delete(organization, "id", &gone, out);
        EMAILS.delete(organization, "seq", &stale_mails, out);
        UserRow::upsert(rows, out)?;
        UserRow::update(light_rows, &["version", "modified", "resource"], out)?;
        EmailRow::upsert(mails, out)
    }
}

/// Whether an event may change what a user is looked up by or shown as.
fn touches_keys(event: &UserEvent) -> bool {
    let is_key = |name: &str| {
        matches!(name, "userName" | "displayName" | "externalId" | "emails")
            || name.ends_with(":manager")
    };
    match event {
        UserEvent::Activated {}
        | UserEvent::Deactivated {}
        | UserEvent::SignedIn(_)
        | UserEvent::LoginRefused(_)
        | UserEvent::SessionEnded { .. }
        | UserEvent::SessionRefused { .. }
        | UserEvent::ObjectIdPinned { .. }
        | UserEvent::ObjectIdReleased { .. } => false,
        UserEvent::Changed { changes } => changes.iter().any(|change| is_key(&change.attribute)),
        UserEvent::Created { .. } | UserEvent::Renamed { .. } | UserEvent::Deleted { .. } => true,
        UserEvent::Erased { .. } | UserEvent::Held { .. } | UserEvent::Released { .. } => false,
    }
}

fn manager(attributes: &Attributes) -> Option<&str> {
    attributes.get(ENTERPRISE)?.get("manager")?.get("value")?.as_str()
}

fn mail_keys(attributes: &Attributes) -> BTreeSet<String> {
    let mails = attributes.get("emails").and_then(Value::as_array);
    mails.into_iter().flatten().filter_map(|m| m.get("value")?.as_str()).map(lookup_key).collect()
}
