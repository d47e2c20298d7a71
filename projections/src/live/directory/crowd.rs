//! Groups of many members. They are read a page at a time, and one group at a time in a process:
//! whoever reads a hundred thousand members holds up others who do, and nobody who asks for a user.

use super::query::{Directory, PAGE};
use super::rows::MemberRow;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::Version;
use rollcall_domain::sql::SqlError;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Held by whoever reads or writes out more members than a page has.
static LANE: Semaphore = Semaphore::const_new(1);

/// So many members are handled without waiting for others who handle many.
pub const FEW: usize = PAGE;

/// A group may change between two pages; after so many times it is read in one piece.
const TRIES: usize = 3;

/// Waits for the turn to handle many members.
pub async fn turn() -> Option<SemaphorePermit<'static>> {
    // It is never closed.
    LANE.acquire().await.ok()
}

impl Directory {
    /// A group's members in the order in which they joined, each made into something; all of them as
    /// they stood at one moment.
    pub(super) async fn members_as<T>(
        &self,
        organization: OrganizationId,
        group: ResourceId,
        mut each: impl FnMut(MemberRow) -> T,
    ) -> Result<Vec<T>, SqlError> {
        let (few, more) = self.page(organization, group, 0, &mut each).await?;
        if more.is_none() {
            return Ok(few);
        }
        let _turn = turn().await;
        for _ in 0..TRIES {
            let before = self.version_of(organization, group).await?;
            let (mut all, mut last) = self.page(organization, group, 0, &mut each).await?;
            while let Some(after) = last {
                // Others come in between.
                tokio::task::yield_now().await;
                let (page, then) = self.page(organization, group, after, &mut each).await?;
                all.extend(page);
                last = then;
            }
            if self.version_of(organization, group).await? == before {
                return Ok(all);
            }
        }
        let whole = self.members_after(organization, group, 0, None).await?;
        Ok(whole.into_iter().map(|(_, member)| each(member)).collect())
    }

    /// A page of members, and where the next begins if there may be one.
    async fn page<T>(
        &self,
        organization: OrganizationId,
        group: ResourceId,
        after: u64,
        each: &mut impl FnMut(MemberRow) -> T,
    ) -> Result<(Vec<T>, Option<u64>), SqlError> {
        let page = self.members_after(organization, group, after, Some(PAGE)).await?;
        let last = page.last().map(|(since, _)| *since).filter(|_| page.len() == PAGE);
        Ok((page.into_iter().map(|(_, member)| each(member)).collect(), last))
    }

    async fn version_of(
        &self,
        organization: OrganizationId,
        group: ResourceId,
    ) -> Result<Option<Version>, SqlError> {
        Ok(self.group(organization, group).await?.map(|row| row.version))
    }
}
