//! Who may be meant by an assertion: candidates for [`rollcall_domain::login::choose`].

use super::plan::{By, Plan};
use super::query::{Directory, ResourceRow};
use crate::text::{lookup_key, user_key};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::login::{Matching, Person};
use rollcall_domain::scim::ResourceKind;
use rollcall_domain::sql::SqlError;

impl Directory {
    /// The users whose `externalId` or `userName` a rule would look at for this person. Keys are
    /// folded and cut, so not every one of them need be meant.
    pub async fn people(
        &self,
        organization: OrganizationId,
        rule: Matching,
        person: &Person,
    ) -> Result<Vec<ResourceRow>, SqlError> {
        let mut plan = Plan::new();
        if let Some(object_id) = person.object_identifier.as_deref().filter(|_| rule.by_object_id())
        {
            plan.insert(By::ExternalId, [lookup_key(object_id)].into());
        }
        if rule.by_user_name() && !person.user_names.is_empty() {
            plan.insert(
                By::UserName,
                person.user_names.iter().map(|name| user_key(name)).collect(),
            );
        }
        Ok(self.look_up(organization, ResourceKind::User, plan).await?.unwrap_or_default())
    }
}
