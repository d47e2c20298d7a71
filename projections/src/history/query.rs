//! Reading the directory as it was at a position.

use super::resources::kind;
use super::{OPEN, PLACES};
use crate::directory::{MemberKind, ResourceRow};
use crate::text::{count, id, instant, micros, name_key};
use chrono::{DateTime, Utc};
use rollcall_domain::fold_text::{fold_text, fold_user_name};
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId};
use rollcall_domain::log::Position;
use rollcall_domain::scim::ResourceKind;
use rollcall_domain::sql::{SqlError, SqlRow, SqlStore, SqlValue};
use std::sync::Arc;

/// Somebody who was in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastMember {
    /// Its id.
    pub id: ResourceId,
    /// What it is.
    pub kind: MemberKind,
    /// Its `displayName` then, or a user's `userName`.
    pub display: String,
    /// Whether a user was switched on then.
    pub active: Option<bool>,
    /// Its place in the order of joining; where the next page begins.
    pub place: u64,
    /// Position of the event by which it joined.
    pub since: Position,
}

/// Whose memberships.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// All who ever were in this group.
    Group(ResourceId),
    /// All groups in which this user or group ever was.
    Member(ResourceId),
}

/// One time that somebody was in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The group.
    pub group: ResourceId,
    /// The group's name when it began.
    pub group_display: String,
    /// The member.
    pub member: ResourceId,
    /// What it is.
    pub kind: MemberKind,
    /// The member's name when it began.
    pub member_display: String,
    /// Its place in the order of joining; where the next page begins.
    pub place: u64,
    /// The event by which it began.
    pub began: Turn,
    /// The event by which it ended; none if it has not.
    pub ended: Option<Turn>,
}

/// A member at a moment, with the event by which it joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewed {
    /// The member.
    pub member: PastMember,
    /// By what it joined.
    pub began: Turn,
}

/// An event that began or ended something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its position.
    pub position: Position,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// The exchange that caused it.
    pub exchange: Option<ExchangeId>,
    /// Its name; a membership ends with a `GroupMembersRemoved` or a deletion.
    pub event_type: String,
}

/// Reads the directory as it was. Fold before you ask; positions must not lie beyond the log.
#[derive(Clone)]
pub struct History {
    pub(super) views: Arc<dyn SqlStore>,
}

impl History {
    /// Reads from the auditors' views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { views }
    }

    /// A user or group without its members.
    pub async fn resource(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        resource: ResourceId,
        at: Position,
    ) -> Result<Option<ResourceRow>, SqlError> {
        // The state that ends first after `at` is the only one that can hold there.
        let condition = "r.until > $1 AND r.organization = $2 AND r.id = $3 AND r.kind = $4 ORDER BY r.until LIMIT 1";
        let sql = format!("SELECT * FROM ({} WHERE {condition}) AS state WHERE state.since <= $1", select(kind));
        let params = vec![at.into(), organization.into(), resource.to_string().into(), kind.name().into()];
        self.views.query(&sql, params).await?.first().map(resource_row).transpose()
    }

    /// Users or groups in the order in which they were created, after a `seq`; with a name, those
    /// that had it as `userName` or `displayName`, case-insensitively.
    pub async fn resources(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        at: Position,
        name: Option<&str>,
        after: Position,
        limit: usize,
    ) -> Result<Vec<ResourceRow>, SqlError> {
        let mut params: Vec<SqlValue> = vec![at.into(), organization.into(), kind.name().into(), after.into()];
        let (mut seq, mut named) = ("r.seq", "");
        if let Some(name) = name {
            params.push(name_key(kind, name).into());
            // Few have a name, so they are sorted: the plus keeps SQLite from walking along all in order.
            (seq, named) = ("+r.seq", "AND r.name = $5");
        }
        params.push((limit as u64).into());
        let sql = format!(
            "{} WHERE r.until > $1 AND r.since <= $1 AND r.organization = $2 AND r.kind = $3 AND {seq} > $4 AND {seq} <= $1 {named} \
             ORDER BY {seq} LIMIT ${}",
            select(kind),
            params.len()
        );
        let rows: Vec<ResourceRow> = self.views.query(&sql, params).await?.iter().map(resource_row).collect::<Result<_, _>>()?;
        // Keys are cut, so what a lookup finds is compared again.
        let (key, fold): (_, fn(&str) -> String) = match kind {
            ResourceKind::User => ("userName", fold_user_name),
            ResourceKind::Group => ("displayName", fold_text),
        };
        let is_named = |row: &ResourceRow, name: &str| {
            let found = row.attributes.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
            fold(found) == fold(name)
        };
        Ok(rows.into_iter().filter(|row| name.is_none_or(|name| is_named(row, name))).collect())
    }

    /// A group's members in the order in which they joined, after a place.
    pub async fn members(
        &self,
        organization: OrganizationId,
        group: ResourceId,
        at: Position,
        after: u64,
        limit: usize,
    ) -> Result<Vec<PastMember>, SqlError> {
        let sql = "SELECT m.member_id, m.since, r.kind, r.display, r.active FROM history_memberships m \
             JOIN history_resources r ON r.organization = m.organization AND r.id = m.member_id AND r.until > $1 AND r.since <= $1 \
             WHERE m.organization = $2 AND m.group_id = $3 AND m.since > $4 AND m.since < $5 AND m.until > $1 \
             ORDER BY m.since LIMIT $6";
        let below = at.saturating_add(1).saturating_mul(PLACES);
        let params = vec![at.into(), organization.into(), group.to_string().into(), after.into(), below.into(), (limit as u64).into()];
        self.views.query(sql, params).await?.iter().map(past_member).collect()
    }

    /// [`Self::members`], each with the event by which it joined.
    pub async fn reviewed(
        &self,
        organization: OrganizationId,
        group: ResourceId,
        at: Position,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Reviewed>, SqlError> {
        let sql = "SELECT m.member_id, m.since, r.kind, r.display, r.active, b.recorded_at, b.exchange, b.event_type \
             FROM history_memberships m \
             JOIN history_resources r ON r.organization = m.organization AND r.id = m.member_id AND r.until > $1 AND r.since <= $1 \
             JOIN events b ON b.organization = m.organization AND b.position = m.since / 1048576 \
             WHERE m.organization = $2 AND m.group_id = $3 AND m.since > $4 AND m.since < $5 AND m.until > $1 \
             ORDER BY m.since LIMIT $6";
        let below = at.saturating_add(1).saturating_mul(PLACES);
        let params = vec![at.into(), organization.into(), group.to_string().into(), after.into(), below.into(), (limit as u64).into()];
        let rows = self.views.query(sql, params).await?;
        let reviewed = rows.iter().map(|row| {
            let member = past_member(row)?;
            Ok(Reviewed { began: turn(row, member.since, 5)?, member })
        });
        reviewed.collect()
    }

    /// Whether there ever was a user or group with this id.
    pub async fn ever(&self, organization: OrganizationId, resource: ResourceId) -> Result<bool, SqlError> {
        let sql = "SELECT seq FROM history_resources WHERE organization = $1 AND id = $2 LIMIT 1";
        Ok(!self.views.query(sql, vec![organization.into(), resource.to_string().into()]).await?.is_empty())
    }

    /// The groups in which a user or group was directly, with their names, in the order of joining.
    pub async fn groups_of(
        &self,
        organization: OrganizationId,
        member: ResourceId,
        at: Position,
    ) -> Result<Vec<(ResourceId, String)>, SqlError> {
        let sql = "SELECT m.group_id, r.display FROM history_memberships m \
             JOIN history_resources r ON r.organization = m.organization AND r.id = m.group_id AND r.until > $1 AND r.since <= $1 \
             WHERE m.organization = $2 AND m.member_id = $3 AND +m.since < $4 AND +m.until > $1 ORDER BY +m.since";
        let below = at.saturating_add(1).saturating_mul(PLACES);
        let rows = self.views.query(sql, vec![at.into(), organization.into(), member.to_string().into(), below.into()]).await?;
        rows.iter().map(|row| Ok((id(row.text(0)?)?, row.text(1)?.to_owned()))).collect()
    }

    /// Every time that somebody was in a group, or that a user or group was in any, in the order in
    /// which they began, up to a position.
    pub async fn memberships(
        &self,
        organization: OrganizationId,
        side: Side,
        at: Position,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Membership>, SqlError> {
        let (column, since, of) = match side {
            Side::Group(group) => ("m.group_id", "m.since", group),
            // Few, so they are sorted: the plus keeps SQLite from walking along all in order.
            Side::Member(member) => ("m.member_id", "+m.since", member),
        };
        let condition = format!("m.organization = $1 AND {column} = $2 AND {since} > $3 AND {since} < $4");
        let below = at.saturating_add(1).saturating_mul(PLACES);
        let params = vec![organization.into(), of.to_string().into(), after.into(), below.into(), (limit as u64).into()];
        let sql = format!("{MEMBERSHIP} WHERE {condition} ORDER BY {since} LIMIT $5");
        let mut found: Vec<Membership> = self.views.query(&sql, params).await?.iter().map(membership).collect::<Result<_, _>>()?;
        // What ended later had not ended then.
        found.iter_mut().for_each(|m| m.ended = m.ended.take().filter(|end| end.position <= at));
        Ok(found)
    }

    /// The first time at or after an instant that somebody joined a group, if they ever did.
    pub async fn joined_after(
        &self,
        organization: OrganizationId,
        group: ResourceId,
        member: ResourceId,
        at: DateTime<Utc>,
    ) -> Result<Option<Membership>, SqlError> {
        let condition = "m.organization = $1 AND m.member_id = $2 AND m.group_id = $3 AND b.recorded_at >= $4";
        // As above: members are many, the times of one few.
        let sql = format!("{MEMBERSHIP} WHERE {condition} ORDER BY +m.since LIMIT 1");
        let params = vec![organization.into(), member.to_string().into(), group.to_string().into(), micros(at).into()];
        self.views.query(&sql, params).await?.first().map(membership).transpose()
    }

    /// The position that the log had reached at an instant: the last record before which, and at
    /// which, nothing was recorded later. Zero before the first.
    pub async fn position_at(&self, organization: OrganizationId, at: DateTime<Utc>) -> Result<Position, SqlError> {
        let sql = "SELECT position FROM events WHERE organization = $1 AND clock <= $2 ORDER BY clock DESC, position DESC LIMIT 1";
        let rows = self.views.query(sql, vec![organization.into(), micros(at).into()]).await?;
        rows.first().map_or(Ok(0), |row| count(row.int(0)?))
    }

    /// When the record at a position was recorded; none for position zero.
    pub async fn recorded_at(&self, organization: OrganizationId, position: Position) -> Result<Option<DateTime<Utc>>, SqlError> {
        let sql = "SELECT recorded_at FROM events WHERE organization = $1 AND position = $2";
        let rows = self.views.query(sql, vec![organization.into(), position.into()]).await?;
        rows.first().map(|row| instant(row.int(0)?)).transpose()
    }
}

/// Columns of a [`ResourceRow`] and `since`, as of `$1`. A group also changes by its members,
/// without a state of its own: its version is that of its last event.
fn select(kind: ResourceKind) -> String {
    let last = |column: &str| {
        format!(
            "(SELECT e.{column} FROM events e WHERE e.organization = r.organization AND e.subject = r.id AND e.position <= $1 \
             ORDER BY e.position DESC LIMIT 1)"
        )
    };
    let (version, modified) = match kind {
        ResourceKind::User => ("r.version".to_owned(), "r.modified".to_owned()),
        ResourceKind::Group => (last("version"), last("recorded_at")),
    };
    format!(
        "SELECT r.id AS id, r.seq AS seq, {version} AS version, r.created AS created, {modified} AS modified, \
         r.resource AS resource, r.since AS since FROM history_resources r"
    )
}

pub(super) fn resource_row(row: &SqlRow) -> Result<ResourceRow, SqlError> {
    Ok(ResourceRow {
        id: id(row.text(0)?)?,
        seq: count(row.int(1)?)?,
        version: count(row.int(2)?)?,
        created: instant(row.int(3)?)?,
        modified: instant(row.int(4)?)?,
        attributes: serde_json::from_str(row.text(5)?).map_err(|e| SqlError::Shape(format!("stored attributes: {:?}", e.classify())))?,
    })
}

/// Memberships with the events that began and ended them, and names as they were at the beginning.
pub(super) const MEMBERSHIP: &str = "SELECT m.group_id, m.member_id, m.since, m.until, g.display, r.kind, r.display, \
     b.recorded_at, b.exchange, b.event_type, e.recorded_at, e.exchange, e.event_type FROM history_memberships m \
     JOIN events b ON b.organization = m.organization AND b.position = m.since / 1048576 \
     LEFT JOIN events e ON e.organization = m.organization AND e.position = m.until \
     JOIN history_resources g ON g.organization = m.organization AND g.id = m.group_id \
       AND g.until > m.since / 1048576 AND g.since <= m.since / 1048576 \
     JOIN history_resources r ON r.organization = m.organization AND r.id = m.member_id \
       AND r.until > m.since / 1048576 AND r.since <= m.since / 1048576";

pub(super) fn membership(row: &SqlRow) -> Result<Membership, SqlError> {
    let place = count(row.int(2)?)?;
    let ended = match row.int(3)? {
        OPEN => None,
        until => Some(turn(row, count(until)?, 10)?),
    };
    Ok(Membership {
        group: id(row.text(0)?)?,
        group_display: row.text(4)?.to_owned(),
        member: id(row.text(1)?)?,
        kind: member_kind(row.text(5)?)?,
        member_display: row.text(6)?.to_owned(),
        place,
        began: turn(row, place / PLACES, 7)?,
        ended,
    })
}

/// Reads time, exchange and type of the event at a position, from three columns.
fn turn(row: &SqlRow, position: Position, at: usize) -> Result<Turn, SqlError> {
    let exchange = row.optional_text(at + 1)?.map(id).transpose()?;
    Ok(Turn { position, at: instant(row.int(at)?)?, exchange, event_type: row.text(at + 2)?.to_owned() })
}

fn past_member(row: &SqlRow) -> Result<PastMember, SqlError> {
    let place = count(row.int(1)?)?;
    Ok(PastMember {
        id: id(row.text(0)?)?,
        kind: member_kind(row.text(2)?)?,
        display: row.text(3)?.to_owned(),
        active: row.optional_int(4)?.map(|active| active != 0),
        place,
        since: place / PLACES,
    })
}

fn member_kind(name: &str) -> Result<MemberKind, SqlError> {
    Ok(match kind(name)? {
        ResourceKind::User => MemberKind::User,
        ResourceKind::Group => MemberKind::Group,
    })
}
