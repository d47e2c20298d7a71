//! Users whose names are one.

use super::plan::{By, Plan};
use super::query::Directory;
use super::rows::ResourceRow;
use crate::columns::read_all;
use crate::text::user_key;
use rollcall_domain::fold_text::fold_user_name;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::scim::ResourceKind;
use rollcall_domain::sql::SqlError;
use serde_json::Value;
use std::collections::BTreeMap;

impl Directory {
    /// The names of the users whose name is one with any of these. Keys are cut, so not every one
    /// of them need be.
    pub async fn names_like(
        &self,
        organization: OrganizationId,
        names: &[String],
    ) -> Result<Vec<String>, SqlError> {
        let plan = Plan::from([(By::UserName, names.iter().map(|name| user_key(name)).collect())]);
        let users = self.look_up(organization, ResourceKind::User, plan).await?.unwrap_or_default();
        Ok(users.iter().map(|user| name(user).to_owned()).collect())
    }

    /// Names, folded, that more than one user has, with these users in the order in which they
    /// came. No request makes one; a log of an older version may hold some.
    pub async fn same_names(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<(String, Vec<ResourceRow>)>, SqlError> {
        let sql = "SELECT user_name FROM directory_users WHERE organization = $1 GROUP BY user_name HAVING COUNT(*) > 1";
        let mut found: BTreeMap<String, Vec<ResourceRow>> = BTreeMap::new();
        for key in read_all::<String>(self.views.query(sql, vec![organization.into()]).await?)? {
            let plan = Plan::from([(By::UserName, [key].into())]);
            for user in
                self.look_up(organization, ResourceKind::User, plan).await?.unwrap_or_default()
            {
                found.entry(fold_user_name(name(&user))).or_default().push(user);
            }
        }
        // Keys are cut, so those of two names may be equal.
        Ok(found.into_iter().filter(|(_, users)| users.len() > 1).collect())
    }
}

fn name(user: &ResourceRow) -> &str {
    user.attributes.get("userName").and_then(Value::as_str).unwrap_or_default()
}
