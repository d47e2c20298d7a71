//! The second pass over users: who reports to whom.

use super::Client;
use super::body::{equals_both, manager};
use super::run::Running;
use super::state::Link;
use super::status::{Effect, Failure, Purpose};
use super::target::Target;
use super::user::only;
use super::work::{Done, Work};
use crate::client::mapping::ENTERPRISE;
use crate::directory::{Delta, User, UserKey};
use crate::log::{Action, RunKind, StepResult, StepType};
use crate::transport::Method;

/// What a manager is in the target system.
enum Reference {
    /// Nobody, in the source.
    None,
    /// Linked.
    Linked(Link),
    /// Will be linked: tried again.
    Missing,
    /// Out of scope: not sent until a restart.
    OutOfScope,
}

impl Client {
    /// Brings one user's manager up to date.
    pub(super) async fn provision_manager(&self, run: &Running, key: UserKey) {
        let subject = Delta::Manager(key);
        let user = self.directory().user(key);
        let link = self.state().user(key).cloned();
        let (Some(user), Some(link)) = (user, link) else {
            // Whoever could not be created will be, and then has a manager to be told of.
            let waits = self.will_be_linked(key)
                && run.kind == RunKind::Incremental
                && self.state().escrows.contains_key(&Delta::User(key));
            let missing = Failure::new(
                Effect::Reference,
                "ReferenceNotResolved",
                "the user is not in the target system yet",
            );
            return self.settle(
                run,
                subject,
                &if waits { Err(missing) } else { Ok(Done::Skipped("NotEffectivelyEntitled")) },
            );
        };
        let reference = self.manager_of(&user);
        if matches!(reference, Reference::None) && run.kind != RunKind::Incremental {
            return;
        }
        if matches!(reference, Reference::OutOfScope) {
            self.state().skipped.insert(subject);
            return self.settle(run, subject, &Ok(Done::Skipped("OutOfScope")));
        }
        let mut work = Work::on(self, run, subject, 0).about_user(&user);
        work.action = Action::Update;
        work.found(&link.id);
        let outcome =
            self.set_manager(run, &mut work, &link, reference).await.map_err(Failure::of_reference);
        work.end(&outcome);
        if outcome.is_ok() {
            self.state().skipped.remove(&subject);
        }
        self.settle(run, subject, &outcome);
    }

    fn manager_of(&self, user: &User) -> Reference {
        let directory = self.directory();
        let Some((key, manager)) = user.manager.and_then(|key| Some((key, directory.user(key)?)))
        else {
            return Reference::None;
        };
        match self.state().user(key).cloned() {
            Some(link) => Reference::Linked(link),
            None if directory.is_active(key, &manager) => Reference::Missing,
            None => Reference::OutOfScope,
        }
    }

    async fn set_manager(
        &self,
        run: &Running,
        work: &mut Work<'_>,
        link: &Link,
        reference: Reference,
    ) -> Result<Done, Failure> {
        let path = format!("{ENTERPRISE}:manager");
        let id = link.id.to_string();
        let new = match reference {
            Reference::Linked(manager) => Some(manager.id.to_string()),
            Reference::None => None,
            Reference::Missing | Reference::OutOfScope => {
                return Err(Failure::new(
                    Effect::Reference,
                    "ReferenceNotResolved",
                    "the manager is not in the target system yet",
                ));
            }
        };
        match &new {
            Some(manager) if self.settings.reference_checks => {
                let query =
                    format!("/Users?filter={}&attributes=id", equals_both(&id, "manager", manager));
                if only(work.send(Purpose::Match, Method::Get, query, None).await?)?.is_some() {
                    return Ok(Done::Skipped("RedundantExport"));
                }
            }
            Some(_) => {}
            None => {
                let current =
                    work.send(Purpose::Read, Method::Get, format!("/Users/{id}"), None).await?;
                if Target::new(&path).read(&current).is_none() {
                    return Ok(Done::Skipped("RedundantExport"));
                }
            }
        }
        work.modifies_reference(&path, None, new.as_deref());
        work.send(
            Purpose::Write,
            Method::Patch,
            format!("/Users/{id}"),
            Some(manager(run.shape, new.as_deref())),
        )
        .await?;
        work.step(
            "EntryExportUpdate",
            StepType::Export,
            StepResult::Success,
            "The manager was updated".to_owned(),
        );
        Ok(Done::Exported)
    }
}
