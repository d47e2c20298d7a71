//! Every state of users and groups: table and fold.

use super::OPEN;
use crate::bad::Bad;
use crate::cells::json;
use crate::columns::{Columns, Stored, columns, read_all};
use crate::table::{Statement, key_lists, numbered};
use crate::text::{bounded, name_key};
use chrono::{DateTime, Utc};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::group::{self, GroupEvent, changes_attributes};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, Position, Record, Version};
use rollcall_domain::scim::{Attributes, ResourceKind};
use rollcall_domain::sql::{SqlError, SqlTransaction, SqlValue};
use rollcall_domain::user::{self, UserEvent, changes_resource};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

columns! {
    #[derive(Debug)]
    struct StateRow {
        organization: OrganizationId,
        id: Uuid,
        since: Position,
        until: Position,
        kind: ResourceKind,
        seq: Position,
        version: Version,
        created: DateTime<Utc>,
        modified: DateTime<Utc>,
        active: Option<bool>,
        name: String,
        display: String,
        resource: String,
    }

    /// One row for each state of a user or group without its members. `seq` is the position of its
    /// first event; `version` and `modified` are those of the event that began the state; `name` is
    /// the lookup key of `userName` or `displayName`. The key goes by the end, so that the state
    /// that still holds is found without those that do not.
    pub table RESOURCES = "history_resources" {
        key: ["organization", "id", "until"],
        indexes: [["organization", "kind", "seq", "since"], ["organization", "kind", "name", "since"]],
        order: "since",
    }
}

columns! {
    struct StoredState {
        id: Uuid,
        kind: ResourceKind,
        since: Position,
        seq: Position,
        version: Version,
        created: DateTime<Utc>,
        modified: DateTime<Utc>,
        attributes: Attributes = "resource",
    }
}

/// A state that still holds.
#[derive(Debug)]
struct State {
    kind: ResourceKind,
    since: Position,
    seq: Position,
    version: Version,
    created: DateTime<Utc>,
    modified: DateTime<Utc>,
    attributes: Attributes,
    /// Whether its row is in the table.
    stored: bool,
}

/// The states that a page of records ends and begins.
#[derive(Debug)]
pub(crate) struct Resources {
    organization: OrganizationId,
    states: BTreeMap<Uuid, State>,
    /// Where states end that are in the table.
    ends: BTreeMap<Uuid, Position>,
    /// Rows of states that began and ended within the page.
    passed: Vec<StateRow>,
}

impl Resources {
    /// Reads the states that these records end.
    pub async fn fetch(
        tx: &mut dyn SqlTransaction,
        organization: OrganizationId,
        records: &[Record],
    ) -> Result<Self, SqlError> {
        let mut created = BTreeSet::new();
        let mut wanted = BTreeSet::new();
        for record in records.iter().filter(|r| changes_state(r)) {
            if record.version == 1 {
                created.insert(record.stream.id);
            } else if !created.contains(&record.stream.id) {
                wanted.insert(record.stream.id);
            }
        }
        let mut states = BTreeMap::new();
        let keys: Vec<SqlValue> = wanted.into_iter().map(|id| id.to_string().into()).collect();
        for keys in key_lists(&keys) {
            let sql = format!(
                "SELECT {} FROM history_resources WHERE organization = $1 AND until = $2 AND id IN ({})",
                StoredState::list(),
                numbered(3, keys.len())
            );
            let params = [organization.into(), OPEN.into()].into_iter().chain(keys).collect();
            for row in read_all(tx.query(&sql, params).await?)? {
                let StoredState { id, kind, since, seq, version, created, modified, attributes } =
                    row;
                states.insert(
                    id,
                    State {
                        kind,
                        since,
                        seq,
                        version,
                        created,
                        modified,
                        attributes,
                        stored: true,
                    },
                );
            }
        }
        Ok(Self { organization, states, ends: BTreeMap::new(), passed: Vec::new() })
    }

    /// Folds one event. True if the resource is gone by it.
    pub fn apply(&mut self, record: &Record, event: &DomainEvent) -> Result<bool, Bad> {
        match event {
            DomainEvent::User(UserEvent::Created { attributes }) => {
                self.begin(record, ResourceKind::User, attributes.value().clone())?;
            }
            DomainEvent::Group(GroupEvent::Created { attributes }) => {
                self.begin(record, ResourceKind::Group, attributes.clone())?
            }
            DomainEvent::User(UserEvent::Deleted { .. })
            | DomainEvent::Group(GroupEvent::Deleted { .. }) => {
                self.end(record)?;
                return Ok(true);
            }
            DomainEvent::User(event) if event.changes_resource() => {
                let mut state = self.end(record)?;
                user::evolve_attributes(&mut state.attributes, event);
                self.states.insert(record.stream.id, state);
            }
            DomainEvent::Group(
                event @ (GroupEvent::Renamed { .. } | GroupEvent::Changed { .. }),
            ) => {
                let mut state = self.end(record)?;
                group::evolve_attributes(&mut state.attributes, event);
                self.states.insert(record.stream.id, state);
            }
            DomainEvent::User(_)
            | DomainEvent::Group(_)
            | DomainEvent::Organization(_)
            | DomainEvent::Deployment(_)
            | DomainEvent::Consumer(_)
            | DomainEvent::Lost(_) => {}
        }
        Ok(false)
    }

    fn begin(
        &mut self,
        record: &Record,
        kind: ResourceKind,
        attributes: Attributes,
    ) -> Result<(), Bad> {
        let (position, at) = (record.position, record.recorded_at);
        let state = State {
            kind,
            since: position,
            seq: position,
            version: 1,
            created: at,
            modified: at,
            attributes,
            stored: false,
        };
        match self.states.insert(record.stream.id, state) {
            Some(_) => Err(Bad::new("created although it exists")),
            None => Ok(()),
        }
    }

    /// Ends the state that holds, and gives what the next one begins with.
    fn end(&mut self, record: &Record) -> Result<State, Bad> {
        let id = record.stream.id;
        let state = self
            .states
            .remove(&id)
            .ok_or_else(|| Bad::new("changed although it does not exist"))?;
        if state.stored {
            self.ends.insert(id, record.position);
        } else {
            self.passed.push(row(self.organization, id, &state, record.position)?);
        }
        Ok(State {
            since: record.position,
            version: record.version,
            modified: record.recorded_at,
            stored: false,
            ..state
        })
    }

    /// The statements: first what ends, then what began.
    pub fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        for (id, until) in self.ends {
            let sql = "UPDATE history_resources SET until = $1 WHERE organization = $2 AND id = $3 AND until = $4";
            out.push((
                sql.to_owned(),
                vec![until.into(), self.organization.into(), id.to_string().into(), OPEN.into()],
            ));
        }
        let mut rows = self.passed;
        for (id, state) in self.states.iter().filter(|(_, state)| !state.stored) {
            rows.push(row(self.organization, *id, state, OPEN)?);
        }
        StateRow::upsert(rows, out)
    }
}

/// Whether a record ends or begins a state. A group's members are kept elsewhere.
fn changes_state(record: &Record) -> bool {
    match record.stream.kind {
        AggregateKind::User => changes_resource(&record.event_type),
        AggregateKind::Group => changes_attributes(&record.event_type),
        AggregateKind::Organization | AggregateKind::Deployment | AggregateKind::Consumer => false,
    }
}

fn row(
    organization: OrganizationId,
    id: Uuid,
    state: &State,
    until: Position,
) -> Result<StateRow, Bad> {
    let text = |name: &str| state.attributes.get(name).and_then(serde_json::Value::as_str);
    let (key, active) = match state.kind {
        ResourceKind::User => {
            ("userName", state.attributes.get("active").and_then(serde_json::Value::as_bool))
        }
        ResourceKind::Group => ("displayName", None),
    };
    let name = text(key).ok_or_else(|| Bad::new("leaves a resource without its name"))?;
    Ok(StateRow {
        organization,
        id,
        since: state.since,
        until,
        kind: state.kind,
        seq: state.seq,
        version: state.version,
        created: state.created,
        modified: state.modified,
        active,
        name: name_key(state.kind, name),
        display: bounded(text("displayName").unwrap_or(name), 1_000),
        resource: json(&state.attributes)?,
    })
}
