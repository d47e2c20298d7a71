//! What a reviewer looks for: people who never sign in, groups that nobody is in, people who left.

use super::PLACES;
use super::access::Period;
use super::query::History;
use crate::columns::{Columns, columns, read_all};
use chrono::{DateTime, Utc};
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::Position;
use rollcall_domain::scim::{Attributes, ResourceKind};
use rollcall_domain::sql::{SqlError, SqlValue};
use rollcall_domain::user::UserEventKind;

columns! {
    /// A user at a moment, with the last time that they had signed in by then.
    #[derive(Clone, Debug)]
    pub struct PersonThen {
        /// Its id.
        pub id: ResourceId = "r.id",
        /// Position of its first event; where the next page begins.
        pub seq: Position = "r.seq",
        /// The user then.
        pub then: Attributes = "r.resource",
        /// When it was created.
        pub created_at: DateTime<Utc> = "b.recorded_at",
        /// When they last signed in; none if they never had.
        pub signed_in_at: Option<DateTime<Utc>> =
            "(SELECT MAX(s.recorded_at) FROM events s WHERE s.organization = r.organization AND s.subject = r.id AND s.event_type = $1 AND s.position <= $2)",
    }
}

columns! {
    /// A group at a moment at which nobody was in it.
    #[derive(Clone, Debug)]
    pub struct EmptyGroup {
        /// Its id.
        pub id: ResourceId = "r.id",
        /// Position of its first event; where the next page begins.
        pub seq: Position = "r.seq",
        /// Its name then.
        pub display: String = "r.display",
        /// When it was created.
        pub created_at: DateTime<Utc> = "b.recorded_at",
        /// When the last member left; none if there never was one.
        pub emptied_at: Option<DateTime<Utc>> =
            "(SELECT MAX(e.recorded_at) FROM history_memberships m JOIN events e ON e.organization = m.organization AND e.position = m.until WHERE m.organization = r.organization AND m.group_id = r.id AND m.until <= $1)",
    }
}

columns! {
    /// A user who was switched off or deleted.
    #[derive(Clone, Debug)]
    pub struct Leaver {
        /// Its id.
        pub id: ResourceId = "e.subject",
        /// Position of the event; where the next page begins.
        pub position: Position = "e.position",
        /// Its name: `UserDeactivated` or `UserDeleted`.
        pub event_type: String = "e.event_type",
        /// When that was.
        pub left_at: DateTime<Utc> = "e.recorded_at",
        /// The user right before.
        pub before: Attributes = "r.resource",
        /// How many groups they were in right before.
        pub groups: u64 =
            "(SELECT COUNT(*) FROM history_memberships m WHERE m.organization = e.organization AND m.member_id = e.subject AND m.since < e.position * 1048576 AND m.until >= e.position)",
        /// Of these groups, how many still had them at the end of the period.
        pub groups_left: u64 =
            "(SELECT COUNT(*) FROM history_memberships m WHERE m.organization = e.organization AND m.member_id = e.subject AND m.since < e.position * 1048576 AND m.until >= e.position AND m.until > $1)",
        /// When the last of these groups that let them go had done so.
        pub ended_at: Option<DateTime<Utc>> =
            "(SELECT MAX(l.recorded_at) FROM history_memberships m JOIN events l ON l.organization = m.organization AND l.position = m.until WHERE m.organization = e.organization AND m.member_id = e.subject AND m.since < e.position * 1048576 AND m.until >= e.position AND m.until <= $1)",
        /// When they had last signed in before; none if they never had. All sessions end with it.
        pub signed_in_at: Option<DateTime<Utc>> =
            "(SELECT MAX(s.recorded_at) FROM events s WHERE s.organization = e.organization AND s.subject = e.subject AND s.event_type = $2 AND s.position < e.position)",
    }
}

const _: () = assert!(PLACES == 1_048_576, "as the statements above have it");

impl History {
    /// The users who were there at a position, in the order in which they were created, after a
    /// `seq`, each with their last sign-in.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn people(
        &self,
        organization: OrganizationId,
        at: Position,
        after: Position,
        limit: usize,
    ) -> Result<Vec<PersonThen>, SqlError> {
        let sql = format!(
            "SELECT {} FROM history_resources r \
             JOIN events b ON b.organization = r.organization AND b.position = r.seq \
             WHERE r.until > $2 AND r.since <= $2 AND r.organization = $3 AND r.kind = $4 AND r.seq > $5 AND r.seq <= $2 \
             ORDER BY r.seq LIMIT $6",
            PersonThen::list()
        );
        let params = vec![
            UserEventKind::SignedIn.as_str().into(),
            at.into(),
            organization.into(),
            ResourceKind::User.name().into(),
            after.into(),
            (limit as u64).into(),
        ];
        read_all(self.views.query(&sql, params).await?)
    }

    /// The groups in which nobody was at a position, in the order in which they were created, after
    /// a `seq`.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn empty_groups(
        &self,
        organization: OrganizationId,
        at: Position,
        after: Position,
        limit: usize,
    ) -> Result<Vec<EmptyGroup>, SqlError> {
        let sql = format!(
            "SELECT {} FROM history_resources r \
             JOIN events b ON b.organization = r.organization AND b.position = r.seq \
             WHERE r.until > $1 AND r.since <= $1 AND r.organization = $2 AND r.kind = $3 AND r.seq > $4 AND r.seq <= $1 \
             AND NOT EXISTS (SELECT 1 FROM history_memberships n WHERE n.organization = r.organization \
               AND n.group_id = r.id AND n.since < $5 AND n.until > $1) \
             ORDER BY r.seq LIMIT $6",
            EmptyGroup::list()
        );
        let params = vec![
            at.into(),
            organization.into(),
            ResourceKind::Group.name().into(),
            after.into(),
            at.saturating_add(1).saturating_mul(PLACES).into(),
            (limit as u64).into(),
        ];
        read_all(self.views.query(&sql, params).await?)
    }

    /// The users who were switched off or deleted during a period (after its first position), in
    /// that order, after a position.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn leavers(
        &self,
        organization: OrganizationId,
        (from, to): Period,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Leaver>, SqlError> {
        let sql = format!(
            "SELECT {} FROM events e \
             JOIN history_resources r ON r.organization = e.organization AND r.id = e.subject \
               AND r.since < e.position AND r.until >= e.position \
             WHERE e.organization = $3 AND e.event_type IN ($4, $5) AND e.position > $6 AND e.position <= $1 \
             ORDER BY e.position LIMIT $7",
            Leaver::list()
        );
        let params: Vec<SqlValue> = vec![
            to.into(),
            UserEventKind::SignedIn.as_str().into(),
            organization.into(),
            UserEventKind::Deactivated.as_str().into(),
            UserEventKind::Deleted.as_str().into(),
            after.max(from).into(),
            (limit as u64).into(),
        ];
        read_all(self.views.query(&sql, params).await?)
    }
}
