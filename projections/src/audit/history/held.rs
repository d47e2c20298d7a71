//! All memberships that held at a position, for whoever begins a copy of the directory.

use super::{History, PLACES};
use crate::columns::{Columns, columns, read_all};
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::Position;
use rollcall_domain::sql::SqlError;

columns! {
    /// That somebody was in a group at some moment.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct HeldMembership {
        /// The group.
        pub group: ResourceId = "m.group_id",
        /// The member.
        pub member: ResourceId = "m.member_id",
        /// Its place in the order of joining; where the next page begins.
        pub place: u64 = "m.since",
    }
}

impl History {
    /// All memberships that held at a position, in the order in which they began, after a place.
    pub async fn all_memberships(
        &self,
        organization: OrganizationId,
        at: Position,
        after: u64,
        limit: usize,
    ) -> Result<Vec<HeldMembership>, SqlError> {
        let sql = format!(
            "SELECT {} FROM history_memberships m WHERE m.organization = $1 AND m.since > $2 AND m.since < $3 AND m.until > $4 \
             ORDER BY m.since LIMIT $5",
            HeldMembership::list()
        );
        let below = at.saturating_add(1).saturating_mul(PLACES);
        let params =
            vec![organization.into(), after.into(), below.into(), at.into(), (limit as u64).into()];
        read_all(self.views.query(&sql, params).await?)
    }
}
