//! Who was erased is erased in a copy of before as well: erased wins over living.

use super::traces::Person;
use super::{ERASED, NotErased};
use crate::Engine;
use rollcall_domain::actor::Actor;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::user::UserCommand;
use std::collections::BTreeMap;

/// An erasure that was done, elsewhere or before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Whose log.
    pub organization: OrganizationId,
    /// Who was erased; none if it was the organization as a whole.
    pub user: Option<ResourceId>,
    /// Why, as it was said then.
    pub because: String,
}

/// What became of erasures that were done before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// People and organizations that could be read here, and cannot any more.
    pub erased: u64,
    /// Those that were erased here already.
    pub already: u64,
    /// Those of whom this log knows nothing: they came later.
    pub unknown: u64,
}

impl Engine {
    /// Erases everybody of these as far as this log knows them, whether or not they are active or
    /// held: that was decided before. Can be done again. To be called before anybody is served.
    ///
    /// # Errors
    /// If it cannot be done whole.
    pub async fn erase_listed(
        &self,
        erasures: &[Erasure],
        by: &Actor,
    ) -> Result<Listed, NotErased> {
        let mut of: BTreeMap<OrganizationId, BTreeMap<ResourceId, &str>> = BTreeMap::new();
        let mut wholes = BTreeMap::new();
        for erasure in erasures {
            let organization = erasure.organization;
            match erasure.user {
                Some(user) => {
                    of.entry(organization).or_default().insert(user, erasure.because.as_str());
                }
                None => drop(wholes.insert(organization, erasure.because.as_str())),
            }
        }
        let mut listed = Listed::default();
        for (organization, because) in wholes {
            // With it, everybody in it.
            of.remove(&organization);
            match self.organization_traces(organization).await {
                Ok(traces) if traces.erased_at.is_some() && traces.keys == 0 => listed.already += 1,
                Ok(_) => {
                    self.destroy_organization(organization, because, by).await?;
                    listed.erased += 1;
                }
                Err(NotErased::NoOrganization) => listed.unknown += 1,
                Err(error) => return Err(error),
            }
        }
        for (organization, people) in of {
            let mut found = Vec::new();
            for (user, because) in people {
                match self.person(organization, user).await {
                    Ok(person) if is_erased(&person) => listed.already += 1,
                    Ok(person) => {
                        self.may_erase().await?;
                        self.let_go(organization, &person, because, by).await?;
                        self.say_erased(organization, &person, because, by).await?;
                        found.push(self.person(organization, user).await?);
                    }
                    Err(NotErased::Unknown(_)) => listed.unknown += 1,
                    Err(error) => return Err(error),
                }
            }
            if found.is_empty() {
                continue;
            }
            listed.erased += found.len() as u64;
            self.destroy(organization, &mut found).await?;
            self.log.keep_note(ERASED, Some(&format!("{organization}/restored"))).await?;
        }
        if listed.erased > 0 {
            self.drop_what_rests_on_the_log();
            self.rebuild_views().await?;
        }
        Ok(listed)
    }

    /// A hold of before ended before they were erased.
    async fn let_go(
        &self,
        organization: OrganizationId,
        person: &Person,
        because: &str,
        by: &Actor,
    ) -> Result<(), NotErased> {
        if person.traces.held_at.is_none() {
            return Ok(());
        }
        let release = UserCommand::Release { because: because.to_owned() };
        self.command(organization, person.user, release, by).await.map(drop)
    }
}

/// Whether it is said, and no key lives.
fn is_erased(person: &Person) -> bool {
    person.traces.erased_at.is_some() && person.traces.keys.is_empty()
}
