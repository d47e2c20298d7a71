//! Users: tables and fold.

use super::shelf::{Shelf, display, stamp, text_of};
use crate::page::Bad;
use crate::table::{Statement, Table, int, optional_text, text};
use crate::text::{lookup_key, user_key};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::Record;
use rollcall_domain::scim::Attributes;
use rollcall_domain::sql::{SqlError, SqlTransaction, SqlValue};
use rollcall_domain::user::{UserEvent, changes_resource, evolve_attributes};
use serde_json::Value;
use std::collections::BTreeSet;

/// One row for each user. `user_name`, `external_id`, `display_name` and `manager` are lookup
/// keys; `display` is what a group shows of the user; `resource` holds the canonical attributes.
pub const USERS: Table = Table {
    name: "directory_users",
    columns: &[
        text("organization"),
        text("id"),
        int("seq"),
        int("version"),
        int("created"),
        int("modified"),
        text("user_name"),
        optional_text("external_id"),
        optional_text("display_name"),
        optional_text("manager"),
        text("display"),
        text("resource"),
    ],
    key: &["organization", "id"],
    indexes: &[
        &["organization", "seq"],
        &["organization", "user_name"],
        &["organization", "external_id"],
        &["organization", "display_name"],
        &["organization", "manager"],
    ],
    order: "seq",
};

/// One row for each different mail address of a user, as lookup key; `seq` names the user.
pub const EMAILS: Table = Table {
    name: "directory_emails",
    columns: &[text("organization"), int("seq"), text("value")],
    key: &["organization", "seq", "value"],
    indexes: &[&["organization", "value"]],
    order: "seq",
};

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
    pub fn apply(&mut self, record: &Record, event: UserEvent) -> Result<bool, Bad> {
        match event {
            event if !event.changes_resource() => {}
            UserEvent::Created { attributes } => self.0.create(record, attributes.into_value())?,
            UserEvent::Deleted { .. } => {
                self.0.change(record)?.row = None;
                return Ok(true);
            }
            event => {
                let slot = self.0.change(record)?;
                slot.attributes_changed = true;
                slot.keys_changed |= touches_keys(&event);
                if let Some(row) = slot.row.as_mut() {
                    evolve_attributes(row.attributes()?, &event);
                }
            }
        }
        Ok(false)
    }

    /// The statements that bring the tables to what the shelf holds.
    pub fn flush(self, organization: OrganizationId, out: &mut Vec<Statement>) -> Result<(), Bad> {
        let (mut gone, mut stale_mails, mut mails) = (Vec::new(), Vec::<SqlValue>::new(), Vec::new());
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
            let [version, created, modified] = stamp(&row);
            let seq = row.seq;
            let attributes = row.attributes()?;
            let user_name = text_of(attributes, "userName").ok_or_else(|| Bad::new("leaves a user without userName"))?;
            let resource = serde_json::to_string(attributes).map_err(|_| Bad::new("the attributes cannot be written"))?;
            if slot.keys_changed {
                mails.extend(mail_keys(attributes).into_iter().map(|key| vec![organization.into(), seq.into(), key.into()]));
            }
            let into = if slot.keys_changed { &mut rows } else { &mut light_rows };
            into.push(vec![
                organization.into(),
                id.to_string().into(),
                seq.into(),
                version,
                created,
                modified,
                user_key(user_name).into(),
                text_of(attributes, "externalId").map(lookup_key).into(),
                text_of(attributes, "displayName").map(lookup_key).into(),
                manager(attributes).map(lookup_key).into(),
                display(text_of(attributes, "displayName").unwrap_or(user_name)).into(),
                resource.into(),
            ]);
        }
        USERS.delete(organization, "id", &gone, out);
        EMAILS.delete(organization, "seq", &stale_mails, out);
        USERS.upsert(rows, out);
        USERS.update(light_rows, &["version", "modified", "resource"], out);
        EMAILS.upsert(mails, out);
        Ok(())
    }
}

/// Whether an event may change what a user is looked up by or shown as.
fn touches_keys(event: &UserEvent) -> bool {
    let is_key = |name: &str| matches!(name, "userName" | "displayName" | "externalId" | "emails") || name.ends_with(":manager");
    match event {
        UserEvent::Activated {}
        | UserEvent::Deactivated {}
        | UserEvent::SignedIn(_)
        | UserEvent::LoginRefused(_)
        | UserEvent::SessionEnded { .. }
        | UserEvent::SessionRefused { .. } => false,
        UserEvent::Changed { changes } => changes.iter().any(|change| is_key(&change.attribute)),
        UserEvent::Created { .. } | UserEvent::Renamed { .. } | UserEvent::Deleted { .. } => true,
    }
}

fn manager(attributes: &Attributes) -> Option<&str> {
    attributes.get(ENTERPRISE)?.get("manager")?.get("value")?.as_str()
}

fn mail_keys(attributes: &Attributes) -> BTreeSet<String> {
    let mails = attributes.get("emails").and_then(Value::as_array);
    mails.into_iter().flatten().filter_map(|m| m.get("value")?.as_str()).map(lookup_key).collect()
}
