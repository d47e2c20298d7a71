//! What is different between two positions: the states at both, compared; what came and went in
//! between is no difference.

use super::query::{Membership, memberships, select_memberships};
use super::{History, PLACES};
use crate::cells::parsed;
use crate::columns::{Columns, columns, read_all};
use crate::table::{key_lists, numbered, with};
use chrono::{DateTime, Utc};
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId};
use rollcall_domain::log::Position;
use rollcall_domain::scim::{Attributes, ResourceKind};
use rollcall_domain::sql::{SqlError, SqlValue};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// What became of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Was not there.
    Created,
    /// Is not there any longer.
    Deleted,
    /// Was switched on.
    Enabled,
    /// Was switched off.
    Disabled,
    /// Has another `userName` or `displayName`.
    Renamed,
    /// Has other attributes.
    Changed,
    /// Became a member of a group.
    Joined,
    /// Is not a member of a group any longer.
    Left,
}

impl What {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            What::Created => "created",
            What::Deleted => "deleted",
            What::Enabled => "enabled",
            What::Disabled => "disabled",
            What::Renamed => "renamed",
            What::Changed => "changed",
            What::Joined => "joined",
            What::Left => "left",
        }
    }
}

/// One attribute at both positions.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeChange {
    /// Its canonical path; attributes of an extension after their schema's URN.
    pub attribute: String,
    /// Its value at the first position.
    pub before: Option<Value>,
    /// Its value at the second.
    pub after: Option<Value>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// What became of it.
    pub what: What,
    /// What it is.
    pub kind: ResourceKind,
    /// Who or which.
    pub id: ResourceId,
    /// Its name: the last one known.
    pub name: String,
    /// The group joined or left, and its name.
    pub group: Option<(ResourceId, String)>,
    /// The attributes that differ.
    pub changes: Vec<AttributeChange>,
    /// The last event by which it came to be so.
    pub position: Position,
    /// When that event was recorded.
    pub at: Option<DateTime<Utc>>,
    /// The exchange that caused that event.
    pub exchange: Option<ExchangeId>,
}

/// Where a list of differences goes on: first resources, then who joined, then who left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Resources whose first event comes after this position.
    Resources(Position),
    /// Memberships that began after this place.
    Joined(u64),
    /// Memberships that ended at or after this position, after this place.
    Left(Position, u64),
}

columns! {
    /// A resource with an event in between, and its first.
    struct Subject { position: Position = "e.position", subject: ResourceId = "e.subject" }
}

columns! {
    /// A state; its attributes are parsed when they matter.
    struct State { id: ResourceId, kind: ResourceKind, since: Position, until: Position, resource: String }
}

columns! {
    /// When and by what an event came to be.
    struct Origin { position: Position, recorded_at: DateTime<Utc>, exchange: Option<ExchangeId> }
}

/// The states of one resource at both positions.
#[derive(Default)]
struct Pair {
    before: Option<(ResourceKind, Attributes)>,
    after: Option<(ResourceKind, Attributes)>,
    last: Position,
}

impl History {
    /// Differences between two positions, `from` below `to`, a page at a time: begin with
    /// `Next::Resources(from)`; a page may be empty before the last.
    pub async fn differences(
        &self,
        organization: OrganizationId,
        (from, to): (Position, Position),
        next: Next,
        limit: usize,
    ) -> Result<(Vec<Difference>, Option<Next>), SqlError> {
        match next {
            Next::Resources(after) => {
                let subjects = self.subjects(organization, from, to, after, limit).await?;
                let next = match subjects.last().filter(|_| subjects.len() == limit) {
                    Some(last) => Next::Resources(last.position),
                    None => Next::Joined(0),
                };
                Ok((self.resource_differences(organization, from, to, subjects).await?, Some(next)))
            }
            Next::Joined(after) => {
                let joined = self.joined(organization, from, to, after, limit).await?;
                let next = match joined.last().filter(|_| joined.len() == limit) {
                    Some(last) => Next::Joined(last.place),
                    None => Next::Left(from, u64::MAX),
                };
                Ok((
                    joined.into_iter().map(|m| member_difference(What::Joined, m)).collect(),
                    Some(next),
                ))
            }
            Next::Left(until, after) => {
                let left = self.left(organization, from, to, (until, after), limit).await?;
                let last = left.last().and_then(|m| Some((m.ended.as_ref()?.position, m.place)));
                let next = last
                    .filter(|_| left.len() == limit)
                    .map(|(until, place)| Next::Left(until, place));
                Ok((left.into_iter().map(|m| member_difference(What::Left, m)).collect(), next))
            }
        }
    }

    /// Resources with an event in between, in the order of their first.
    async fn subjects(
        &self,
        organization: OrganizationId,
        from: Position,
        to: Position,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Subject>, SqlError> {
        let sql = format!(
            "SELECT {} FROM events e WHERE e.organization = $1 AND e.position > $2 AND e.position <= $3 \
             AND NOT EXISTS (SELECT 1 FROM events f WHERE f.organization = e.organization AND f.subject = e.subject \
               AND f.position > $4 AND f.position < e.position) ORDER BY e.position LIMIT $5",
            Subject::list()
        );
        let params =
            vec![organization.into(), after.into(), to.into(), from.into(), (limit as u64).into()];
        read_all(self.views.query(&sql, params).await?)
    }

    async fn resource_differences(
        &self,
        organization: OrganizationId,
        from: Position,
        to: Position,
        subjects: Vec<Subject>,
    ) -> Result<Vec<Difference>, SqlError> {
        let keys: Vec<SqlValue> = subjects.iter().map(|s| s.subject.to_string().into()).collect();
        let mut pairs: HashMap<ResourceId, Pair> = HashMap::new();
        for keys in key_lists(&keys) {
            let sql = format!(
                "SELECT {} FROM history_resources WHERE organization = $1 AND until > $2 AND since <= $3 AND id IN ({})",
                State::list(),
                numbered(4, keys.len())
            );
            let params =
                [organization.into(), from.into(), to.into()].into_iter().chain(keys).collect();
            for state in read_all(self.views.query(&sql, params).await?)? {
                pair(&mut pairs, state, from, to)?;
            }
        }
        let mut found = Vec::new();
        for Subject { subject, .. } in subjects {
            if let Some(pair) = pairs.remove(&subject) {
                compare(subject, pair, &mut found);
            }
        }
        self.date(organization, &mut found).await?;
        Ok(found)
    }

    /// Adds when and by which exchange it came to be so.
    async fn date(
        &self,
        organization: OrganizationId,
        found: &mut [Difference],
    ) -> Result<(), SqlError> {
        let positions: BTreeSet<Position> = found.iter().map(|d| d.position).collect();
        let positions: Vec<SqlValue> = positions.into_iter().map(SqlValue::from).collect();
        let mut events = HashMap::new();
        for keys in key_lists(&positions) {
            let condition = numbered(2, keys.len());
            let sql = format!(
                "SELECT {} FROM events WHERE organization = $1 AND position IN ({condition})",
                Origin::list()
            );
            for Origin { position, recorded_at, exchange } in
                read_all(self.views.query(&sql, with(organization.into(), keys)).await?)?
            {
                events.insert(position, (recorded_at, exchange));
            }
        }
        for difference in found {
            if let Some((at, exchange)) = events.get(&difference.position) {
                (difference.at, difference.exchange) = (Some(*at), *exchange);
            }
        }
        Ok(())
    }

    async fn joined(
        &self,
        organization: OrganizationId,
        from: Position,
        to: Position,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Membership>, SqlError> {
        let sql = format!(
            "{} WHERE m.organization = $1 AND m.since > $2 AND m.since < $3 AND m.until > $4 \
             AND NOT EXISTS (SELECT 1 FROM history_memberships o WHERE o.organization = m.organization \
               AND o.member_id = m.member_id AND o.group_id = m.group_id AND o.since < $5 AND o.until > $6) \
             ORDER BY m.since LIMIT $7",
            select_memberships()
        );
        let (begin, end) = (place(from + 1), place(to + 1));
        let low = after.max(begin.saturating_sub(1));
        let params = vec![
            organization.into(),
            low.into(),
            end.into(),
            to.into(),
            begin.into(),
            from.into(),
            (limit as u64).into(),
        ];
        memberships(self.views.query(&sql, params).await?)
    }

    async fn left(
        &self,
        organization: OrganizationId,
        from: Position,
        to: Position,
        (until, after): (Position, u64),
        limit: usize,
    ) -> Result<Vec<Membership>, SqlError> {
        let sql = format!(
            "{} WHERE m.organization = $1 AND m.until >= $2 AND m.until > $3 AND m.until <= $4 AND m.since < $5 \
             AND (m.until > $2 OR m.since > $6) \
             AND NOT EXISTS (SELECT 1 FROM history_memberships o WHERE o.organization = m.organization \
               AND o.member_id = m.member_id AND o.group_id = m.group_id AND o.since < $7 AND o.until > $4) \
             ORDER BY m.until, m.since LIMIT $8",
            select_memberships()
        );
        let params = vec![
            organization.into(),
            until.into(),
            from.into(),
            to.into(),
            place(from + 1).into(),
            after.into(),
            place(to + 1).into(),
            (limit as u64).into(),
        ];
        memberships(self.views.query(&sql, params).await?)
    }
}

/// The place of the first membership that an event begins.
fn place(position: Position) -> u64 {
    position.saturating_mul(PLACES)
}

fn pair(
    pairs: &mut HashMap<ResourceId, Pair>,
    state: State,
    from: Position,
    to: Position,
) -> Result<(), SqlError> {
    let State { id, kind, since, until, resource } = state;
    let pair = pairs.entry(id).or_default();
    pair.last = pair.last.max(if until <= to { until } else { since });
    let (holds_before, holds_after) = (since <= from, until > to);
    if !holds_before && !holds_after {
        return Ok(());
    }
    let state = Some((kind, parsed::<Attributes>(resource)?));
    match (holds_before, holds_after) {
        (true, true) => (pair.before, pair.after) = (state.clone(), state),
        (true, false) => pair.before = state,
        _ => pair.after = state,
    }
    Ok(())
}

fn compare(id: ResourceId, pair: Pair, found: &mut Vec<Difference>) {
    let Some((kind, latest)) = pair.after.as_ref().or(pair.before.as_ref()) else { return };
    let key = if *kind == ResourceKind::User { "userName" } else { "displayName" };
    let name = latest.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut add = |what, changes| {
        let (kind, name) = (*kind, name.clone());
        found.push(Difference {
            what,
            kind,
            id,
            name,
            group: None,
            changes,
            position: pair.last,
            at: None,
            exchange: None,
        });
    };
    match (&pair.before, &pair.after) {
        (None, Some(_)) => add(What::Created, Vec::new()),
        (Some(_), None) => add(What::Deleted, Vec::new()),
        (Some((_, before)), Some((_, after))) => {
            let (mut names, mut rest) = (Vec::new(), Vec::new());
            for change in changes(before, after) {
                match change.attribute.as_str() {
                    "active" if change.after == Some(Value::Bool(true)) => {
                        add(What::Enabled, Vec::new())
                    }
                    "active" => add(What::Disabled, Vec::new()),
                    attribute if attribute == key => names.push(change),
                    _ => rest.push(change),
                }
            }
            if !names.is_empty() {
                add(What::Renamed, names);
            }
            if !rest.is_empty() {
                add(What::Changed, rest);
            }
        }
        (None, None) => {}
    }
}

/// Top attributes that differ; of extensions, their attributes.
fn changes(before: &Attributes, after: &Attributes) -> Vec<AttributeChange> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        match (before.get(name), after.get(name)) {
            (b, a) if b == a => {}
            (Some(Value::Object(b)), Some(Value::Object(a))) if name.starts_with("urn:") => {
                found.extend(changes(b, a).into_iter().map(|c| AttributeChange {
                    attribute: format!("{name}:{}", c.attribute),
                    ..c
                }));
            }
            (b, a) => found.push(AttributeChange {
                attribute: name.clone(),
                before: b.cloned(),
                after: a.cloned(),
            }),
        }
    }
    found
}

fn member_difference(what: What, m: Membership) -> Difference {
    let turn = if what == What::Left { m.ended.unwrap_or(m.began) } else { m.began };
    Difference {
        what,
        kind: m.kind.into(),
        id: m.member,
        name: m.member_display,
        group: Some((m.group, m.group_display)),
        changes: Vec::new(),
        position: turn.position,
        at: Some(turn.at),
        exchange: turn.exchange,
    }
}
