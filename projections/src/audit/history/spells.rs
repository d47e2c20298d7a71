//! When users were in some groups, for whoever follows these groups.

use super::{History, OPEN, PLACES};
use crate::columns::{Columns, columns, read_all, read_first};
use crate::table::numbered;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::Position;
use rollcall_domain::sql::{SqlError, SqlValue};

columns! {
    /// That a user was in a group for a while.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Spell {
        /// The user.
        pub member: ResourceId = "m.member_id",
        place: u64 = "m.since",
        /// The position from which on they were in it no more; far beyond the log if they are.
        pub until: Position = "m.until",
    }
}

impl Spell {
    /// The position from which on they were in it.
    pub fn since(&self) -> Position {
        self.place / PLACES
    }
}

impl History {
    /// All times that users were in these groups.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn spells(
        &self,
        organization: OrganizationId,
        groups: &[ResourceId],
    ) -> Result<Vec<Spell>, SqlError> {
        let sql = format!(
            "SELECT {} FROM history_memberships m WHERE m.organization = $1 AND m.group_id IN ({}) AND EXISTS \
             (SELECT 1 FROM history_resources r WHERE r.organization = $1 AND r.id = m.member_id AND r.kind = 'User')",
            Spell::list(),
            numbered(2, groups.len())
        );
        read_all(self.views.query(&sql, with_groups(organization, groups, &[])).await?)
    }

    /// Whether anybody came into these groups or went out of them after a position.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn passed_since(
        &self,
        organization: OrganizationId,
        groups: &[ResourceId],
        position: Position,
    ) -> Result<bool, SqlError> {
        let (named, next) = (numbered(2, groups.len()), groups.len() + 2);
        // Each by the index that it has.
        let from = position.saturating_add(1).saturating_mul(PLACES);
        let of_groups =
            "SELECT since FROM history_memberships WHERE organization = $1 AND group_id IN";
        let came = format!("{of_groups} ({named}) AND since >= ${next} LIMIT 1");
        let values = with_groups(organization, groups, &[from.min(OPEN)]);
        if read_first::<u64>(self.views.query(&came, values).await?)?.is_some() {
            return Ok(true);
        }
        let went =
            format!("{of_groups} ({named}) AND until > ${next} AND until < ${} LIMIT 1", next + 1);
        let values = with_groups(organization, groups, &[position, OPEN]);
        Ok(read_first::<u64>(self.views.query(&went, values).await?)?.is_some())
    }
}

fn with_groups(
    organization: OrganizationId,
    groups: &[ResourceId],
    more: &[Position],
) -> Vec<SqlValue> {
    let named = groups.iter().map(|group| group.to_string().into());
    std::iter::once(organization.into())
        .chain(named)
        .chain(more.iter().map(|position| (*position).into()))
        .collect()
}
