//! Who had access, as an auditor hands it in: each time that somebody was in a group during a
//! period, with the person as they were then and as they are now, and what began and ended it.

use super::query::{History, Side};
use super::{OPEN, PLACES};
use crate::columns::{Columns, columns, read_all};
use crate::live::directory::MemberKind;
use crate::text::name_key;
use chrono::{DateTime, Utc};
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId};
use rollcall_domain::log::Position;
use rollcall_domain::scim::{Attributes, ResourceKind};
use rollcall_domain::sql::SqlError;

columns! {
    /// One time that somebody was in a group.
    #[derive(Clone, Debug)]
    pub struct Access {
        /// The group.
        pub group: ResourceId = "m.group_id",
        /// Its name then.
        pub group_display: String = "g.display",
        /// The member.
        pub member: ResourceId = "m.member_id",
        /// What it is.
        pub kind: MemberKind = "r.kind",
        /// Its place in the order of joining; where the next page begins.
        pub place: u64 = "m.since",
        /// Position of the event that ended it.
        until: Position = "m.until",
        /// The member then: at the end of the period, or right before this ended.
        pub then: Attributes = "r.resource",
        /// The member now; none if it is gone.
        pub now: Option<Attributes> = "n.resource",
        /// When it began.
        pub began_at: DateTime<Utc> = "b.recorded_at",
        /// The exchange that began it.
        pub began_by: Option<ExchangeId> = "b.exchange",
        /// Who began it: the kind of caller, and which one.
        pub began_actor: String = "b.actor",
        /// When it ended, if it has.
        pub ended_at: Option<DateTime<Utc>> = "e.recorded_at",
        /// The exchange that ended it.
        pub ended_by: Option<ExchangeId> = "e.exchange",
        /// The event that ended it.
        pub ended_with: Option<String> = "e.event_type",
        /// Who ended it.
        pub ended_actor: Option<String> = "e.actor",
    }
}

impl Access {
    /// Position of the event by which it began.
    pub fn since(&self) -> Position {
        self.place / PLACES
    }

    /// Position of the event by which it had ended by the end of a period; none if it had not.
    pub fn until(&self, to: Position) -> Option<Position> {
        (self.until <= to).then_some(self.until)
    }
}

columns! {
    /// A group that was there at some time of a period.
    #[derive(Clone, Debug)]
    pub struct ReviewedGroup {
        /// Its id.
        pub id: ResourceId = "r.id",
        /// Its name, the last one in the period.
        pub display: String = "r.display",
        /// Position of its first event; where the next page begins.
        pub seq: Position = "r.seq",
    }
}

/// From one position to another, both inclusive; one moment, if they are the same.
pub type Period = (Position, Position);

impl History {
    /// The groups that were there at some time of a period, in the order in which they were
    /// created, after a `seq`.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn groups_in(
        &self,
        organization: OrganizationId,
        (from, to): Period,
        after: Position,
        limit: usize,
    ) -> Result<Vec<ReviewedGroup>, SqlError> {
        let sql = format!(
            "SELECT {} FROM history_resources r WHERE r.organization = $1 AND r.kind = $2 AND r.seq > $3 AND r.seq <= $4 \
             AND r.since <= $4 AND r.until > $5 AND NOT EXISTS (SELECT 1 FROM history_resources l \
               WHERE l.organization = r.organization AND l.id = r.id AND l.since > r.since AND l.since <= $4) \
             ORDER BY r.seq LIMIT $6",
            ReviewedGroup::list()
        );
        let params = vec![
            organization.into(),
            ResourceKind::Group.name().into(),
            after.into(),
            to.into(),
            from.into(),
            (limit as u64).into(),
        ];
        read_all(self.views.query(&sql, params).await?)
    }

    /// Each time that somebody was in a group during a period, of one group or of one member, in
    /// the order of joining, after a place.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn access(
        &self,
        organization: OrganizationId,
        side: Side,
        (from, to): Period,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Access>, SqlError> {
        let (column, since, of) = match side {
            Side::Group(group) => ("m.group_id", "m.since", group),
            // Few, so they are sorted: the plus keeps SQLite from walking along all in order.
            Side::Member(member) => ("m.member_id", "+m.since", member),
        };
        let then = "(CASE WHEN m.until > $1 THEN $1 ELSE m.until - 1 END)";
        let state = |table: &str, id: &str| {
            format!(
                "JOIN history_resources {table} ON {table}.organization = m.organization AND {table}.id = {id} \
                 AND {table}.until > {then} AND {table}.since <= {then}"
            )
        };
        let sql = format!(
            "SELECT {} FROM history_memberships m \
             JOIN events b ON b.organization = m.organization AND b.position = m.since / 1048576 \
             LEFT JOIN events e ON e.organization = m.organization AND e.position = m.until {} {} \
             LEFT JOIN history_resources n ON n.organization = m.organization AND n.id = m.member_id AND n.until = {OPEN} \
             WHERE m.organization = $2 AND {column} = $3 AND {since} > $4 AND {since} < $5 AND m.until > $6 \
             ORDER BY {since} LIMIT $7",
            Access::list(),
            state("g", "m.group_id"),
            state("r", "m.member_id"),
        );
        let below = to.saturating_add(1).saturating_mul(PLACES);
        let params = vec![
            to.into(),
            organization.into(),
            of.to_string().into(),
            after.into(),
            below.into(),
            from.into(),
            (limit as u64).into(),
        ];
        read_all(self.views.query(&sql, params).await?)
    }

    /// Whether somebody joined a group by an event.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn was_member(
        &self,
        organization: OrganizationId,
        group: ResourceId,
        member: ResourceId,
        since: Position,
    ) -> Result<bool, SqlError> {
        let from = since.checked_mul(PLACES).filter(|from| *from < OPEN / 2);
        let Some(from) = from else { return Ok(false) };
        let sql = "SELECT count(*) FROM history_memberships WHERE organization = $1 \
                   AND group_id = $2 AND member_id = $3 AND since >= $4 AND since < $5";
        let params = vec![
            organization.into(),
            group.to_string().into(),
            member.to_string().into(),
            from.into(),
            (from + PLACES).into(),
        ];
        let found = read_all::<u64>(self.views.query(sql, params).await?)?;
        Ok(found.first().is_some_and(|count| *count > 0))
    }

    /// The users or groups that ever had a name: `userName`, or `displayName` of a group; upper and
    /// lower case are the same.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn ever_named(
        &self,
        organization: OrganizationId,
        kind: ResourceKind,
        name: &str,
    ) -> Result<Vec<ResourceId>, SqlError> {
        let sql = "SELECT id, MAX(seq) FROM history_resources WHERE organization = $1 AND kind = $2 AND name = $3 \
                   GROUP BY id ORDER BY MAX(seq) DESC LIMIT 10";
        let params = vec![organization.into(), kind.name().into(), name_key(kind, name).into()];
        Ok(read_all::<Named>(self.views.query(sql, params).await?)?
            .into_iter()
            .map(|named| named.id)
            .collect())
    }
}

columns! {
    struct Named { id: ResourceId = "id", _seq: Position = "MAX(seq)" }
}
