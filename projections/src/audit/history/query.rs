//! Reading the directory as it was at a position.

use super::{OPEN, PLACES};
use crate::cells::shape;
use crate::columns::{Both, Columns, columns, read_all, read_first};
use crate::live::directory::{MemberKind, ResourceRow};
use crate::text::{micros, name_key};
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
        let sql = format!(
            "SELECT {} FROM (SELECT {}, r.since AS since FROM history_resources r WHERE {condition}) AS state WHERE state.since <= $1",
            ResourceRow::list(),
            resource_then(kind)
        );
        let params =
            vec![at.into(), organization.into(), resource.to_string().into(), kind.name().into()];
        read_first(self.views.query(&sql, params).await?)
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
        let mut params: Vec<SqlValue> =
            vec![at.into(), organization.into(), kind.name().into(), after.into()];
        let (mut seq, mut named) = ("r.seq", "");
        if let Some(name) = name {
            params.push(name_key(kind, name).into());
            // Few have a name, so they are sorted: the plus keeps SQLite from walking along all in
            // order.
            (seq, named) = ("+r.seq", "AND r.name = $5");
        }
        params.push((limit as u64).into());
        let sql = format!(
            "SELECT {} FROM history_resources r WHERE r.until > $1 AND r.since <= $1 AND r.organization = $2 AND r.kind = $3 AND {seq} > $4 AND {seq} <= $1 {named} \
             ORDER BY {seq} LIMIT ${}",
            resource_then(kind),
            params.len()
        );
        let rows: Vec<ResourceRow> = read_all(self.views.query(&sql, params).await?)?;
        // Keys are cut, so what a lookup finds is compared again.
        let (key, fold): (_, fn(&str) -> String) = match kind {
            ResourceKind::User => ("userName", fold_user_name),
            ResourceKind::Group => ("displayName", fold_text),
        };
        let is_named = |row: &ResourceRow, name: &str| {
            let found =
                row.attributes.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
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
        let sql = format!(
            "SELECT {} FROM history_memberships m \
             JOIN history_resources r ON r.organization = m.organization AND r.id = m.member_id AND r.until > $1 AND r.since <= $1 \
             WHERE m.organization = $2 AND m.group_id = $3 AND m.since > $4 AND m.since < $5 AND m.until > $1 \
             ORDER BY m.since LIMIT $6",
            Joined::list()
        );
        let below = at.saturating_add(1).saturating_mul(PLACES);
        let params = vec![
            at.into(),
            organization.into(),
            group.to_string().into(),
            after.into(),
            below.into(),
            (limit as u64).into(),
        ];
        Ok(read_all::<Joined>(self.views.query(&sql, params).await?)?
            .into_iter()
            .map(PastMember::from)
            .collect())
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
        let sql = format!(
            "SELECT {}, {} FROM history_memberships m \
             JOIN history_resources r ON r.organization = m.organization AND r.id = m.member_id AND r.until > $1 AND r.since <= $1 \
             JOIN events b ON b.organization = m.organization AND b.position = m.since / 1048576 \
             WHERE m.organization = $2 AND m.group_id = $3 AND m.since > $4 AND m.since < $5 AND m.until > $1 \
             ORDER BY m.since LIMIT $6",
            Joined::list(),
            Beginning::list()
        );
        let below = at.saturating_add(1).saturating_mul(PLACES);
        let params = vec![
            at.into(),
            organization.into(),
            group.to_string().into(),
            after.into(),
            below.into(),
            (limit as u64).into(),
        ];
        let reviewed = |Both(joined, began): Both<Joined, Beginning>| {
            let member = PastMember::from(joined);
            Reviewed { began: began.at(member.since), member }
        };
        Ok(read_all(self.views.query(&sql, params).await?)?.into_iter().map(reviewed).collect())
    }

    /// Whether there ever was a user or group with this id.
    pub async fn ever(
        &self,
        organization: OrganizationId,
        resource: ResourceId,
    ) -> Result<bool, SqlError> {
        let sql = "SELECT seq FROM history_resources WHERE organization = $1 AND id = $2 LIMIT 1";
        Ok(!self
            .views
            .query(sql, vec![organization.into(), resource.to_string().into()])
            .await?
            .is_empty())
    }

    /// The groups in which a user or group was directly, with their names, in the order of joining.
    pub async fn groups_of(
        &self,
        organization: OrganizationId,
        member: ResourceId,
        at: Position,
    ) -> Result<Vec<(ResourceId, String)>, SqlError> {
        let sql = format!(
            "SELECT {} FROM history_memberships m \
             JOIN history_resources r ON r.organization = m.organization AND r.id = m.group_id AND r.until > $1 AND r.since <= $1 \
             WHERE m.organization = $2 AND m.member_id = $3 AND +m.since < $4 AND +m.until > $1 ORDER BY +m.since",
            GroupThen::list()
        );
        let below = at.saturating_add(1).saturating_mul(PLACES);
        let rows = self
            .views
            .query(
                &sql,
                vec![at.into(), organization.into(), member.to_string().into(), below.into()],
            )
            .await?;
        Ok(read_all::<GroupThen>(rows)?
            .into_iter()
            .map(|group| (group.id, group.display))
            .collect())
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
        let condition =
            format!("m.organization = $1 AND {column} = $2 AND {since} > $3 AND {since} < $4");
        let below = at.saturating_add(1).saturating_mul(PLACES);
        let params = vec![
            organization.into(),
            of.to_string().into(),
            after.into(),
            below.into(),
            (limit as u64).into(),
        ];
        let sql = format!("{} WHERE {condition} ORDER BY {since} LIMIT $5", select_memberships());
        let mut found = memberships(self.views.query(&sql, params).await?)?;
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
        let condition =
            "m.organization = $1 AND m.member_id = $2 AND m.group_id = $3 AND b.recorded_at >= $4";
        // As above: members are many, the times of one few.
        let sql = format!("{} WHERE {condition} ORDER BY +m.since LIMIT 1", select_memberships());
        let params = vec![
            organization.into(),
            member.to_string().into(),
            group.to_string().into(),
            micros(at).into(),
        ];
        Ok(memberships(self.views.query(&sql, params).await?)?.pop())
    }

    /// The position that the log had reached at an instant: the last record before which, and at
    /// which, nothing was recorded later. Zero before the first.
    pub async fn position_at(
        &self,
        organization: OrganizationId,
        at: DateTime<Utc>,
    ) -> Result<Position, SqlError> {
        let sql = "SELECT position FROM events WHERE organization = $1 AND clock <= $2 ORDER BY clock DESC, position DESC LIMIT 1";
        let rows = self.views.query(sql, vec![organization.into(), micros(at).into()]).await?;
        Ok(read_first(rows)?.unwrap_or_default())
    }

    /// The instant that the whole log had been reached at, as [`Self::position_at`] reckons; none
    /// before the first record.
    pub async fn reached_at(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<DateTime<Utc>>, SqlError> {
        let sql = "SELECT clock FROM events WHERE organization = $1 ORDER BY position DESC LIMIT 1";
        let micros: Option<i64> =
            read_first(self.views.query(sql, vec![organization.into()]).await?)?;
        Ok(micros.and_then(DateTime::from_timestamp_micros))
    }

    /// When the record at a position was recorded; none for position zero.
    pub async fn recorded_at(
        &self,
        organization: OrganizationId,
        position: Position,
    ) -> Result<Option<DateTime<Utc>>, SqlError> {
        let sql = "SELECT recorded_at FROM events WHERE organization = $1 AND position = $2";
        read_first(self.views.query(sql, vec![organization.into(), position.into()]).await?)
    }
}

columns! {
    struct Joined {
        id: ResourceId = "m.member_id",
        place: u64 = "m.since",
        kind: MemberKind = "r.kind",
        display: String = "r.display",
        active: Option<bool> = "r.active",
    }
}

impl From<Joined> for PastMember {
    fn from(joined: Joined) -> Self {
        let Joined { id, place, kind, display, active } = joined;
        Self { id, kind, display, active, place, since: place / PLACES }
    }
}

columns! {
    /// The event by which a membership began.
    struct Beginning {
        recorded_at: DateTime<Utc> = "b.recorded_at",
        exchange: Option<ExchangeId> = "b.exchange",
        event_type: String = "b.event_type",
    }
}

impl Beginning {
    fn at(self, position: Position) -> Turn {
        Turn {
            position,
            at: self.recorded_at,
            exchange: self.exchange,
            event_type: self.event_type,
        }
    }
}

columns! {
    struct GroupThen { id: ResourceId = "m.group_id", display: String = "r.display" }
}

/// Columns of a [`ResourceRow`], as of `$1`. A group also changes by its members,
/// without a state of its own: its version is that of its last event.
fn resource_then(kind: ResourceKind) -> String {
    let last = |column: &str| {
        format!(
            "(SELECT e.{column} FROM events e WHERE e.organization = r.organization AND e.subject = r.id AND e.position <= $1 \
             ORDER BY e.position DESC LIMIT 1)"
        )
    };
    let as_of = |column: &str| match (kind, column) {
        (ResourceKind::Group, "version") => last("version"),
        (ResourceKind::Group, "modified") => last("recorded_at"),
        _ => format!("r.{column}"),
    };
    ResourceRow::COLUMNS
        .iter()
        .map(|c| format!("{} AS {}", as_of(c.name), c.name))
        .collect::<Vec<_>>()
        .join(", ")
}

columns! {
    /// A membership with the events that began and ended it, and names as they were at the
    /// beginning.
    struct Spell {
        group: ResourceId = "m.group_id",
        member: ResourceId = "m.member_id",
        place: u64 = "m.since",
        until: Position = "m.until",
        group_display: String = "g.display",
        kind: MemberKind = "r.kind",
        member_display: String = "r.display",
        ended_at: Option<DateTime<Utc>> = "e.recorded_at",
        ended_by: Option<ExchangeId> = "e.exchange",
        ended_with: Option<String> = "e.event_type",
    }
}

/// Memberships and the events around them, for [`memberships`] to read.
pub(super) fn select_memberships() -> String {
    format!(
        "SELECT {}, {} FROM history_memberships m \
         JOIN events b ON b.organization = m.organization AND b.position = m.since / 1048576 \
         LEFT JOIN events e ON e.organization = m.organization AND e.position = m.until \
         JOIN history_resources g ON g.organization = m.organization AND g.id = m.group_id \
           AND g.until > m.since / 1048576 AND g.since <= m.since / 1048576 \
         JOIN history_resources r ON r.organization = m.organization AND r.id = m.member_id \
           AND r.until > m.since / 1048576 AND r.since <= m.since / 1048576",
        Spell::list(),
        Beginning::list()
    )
}

/// Reads what [`select_memberships`] selects.
pub(super) fn memberships(rows: Vec<SqlRow>) -> Result<Vec<Membership>, SqlError> {
    read_all(rows)?.into_iter().map(|Both(spell, began)| membership(spell, began)).collect()
}

fn membership(spell: Spell, began: Beginning) -> Result<Membership, SqlError> {
    let Spell {
        group,
        member,
        place,
        until,
        group_display,
        kind,
        member_display,
        ended_at,
        ended_by,
        ended_with,
    } = spell;
    let ended = match (until, ended_at.zip(ended_with)) {
        (OPEN, _) => None,
        (position, Some((at, event_type))) => {
            Some(Turn { position, at, exchange: ended_by, event_type })
        }
        (_, None) => return Err(shape("a membership ended by an event that is not there")),
    };
    Ok(Membership {
        group,
        group_display,
        member,
        kind,
        member_display,
        place,
        began: began.at(place / PLACES),
        ended,
    })
}
