//! Who may be meant by an assertion: candidates for [`rollcall_domain::login::choose`].

use super::plan::{By, Plan};
use super::query::Directory;
use super::rows::ResourceRow;
use crate::text::{lookup_key, user_key};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::login::Identifier;
use rollcall_domain::saml::Assertion;
use rollcall_domain::scim::ResourceKind;
use rollcall_domain::sql::SqlError;

impl Directory {
    /// The users whose `externalId` or `userName` these identifiers would look at for the person of
    /// an assertion. Keys are folded and cut, so not every one of them need be meant.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn people(
        &self,
        organization: OrganizationId,
        identifiers: &[Identifier],
        assertion: &Assertion,
    ) -> Result<Vec<ResourceRow>, SqlError> {
        let mut plan = Plan::new();
        for identifier in identifiers {
            let Some(said) = identifier.of(assertion) else { continue };
            let (by, key) = match identifier {
                Identifier::ObjectId => (By::ExternalId, lookup_key(said)),
                Identifier::NameId | Identifier::Claim(_) => (By::UserName, user_key(said)),
            };
            plan.entry(by).or_default().insert(key);
        }
        Ok(self.look_up(organization, ResourceKind::User, plan).await?.unwrap_or_default())
    }
}
