//! A user in a run: found or fetched, then created, changed, switched off or deleted.

use super::Client;
use super::body::{Edit, equals, new_user, patch, spoil, switch, user_edits};
use super::delete::Gone;
use super::run::Running;
use super::state::{Anchor, Link};
use super::status::{Effect, Failure, INCOMPATIBLE, Purpose};
use super::work::{Done, Work};
use crate::directory::{Delta, User, UserKey};
use crate::log::{Action, RunKind, StepResult, StepType};
use crate::transport::Method;
use serde_json::Value;

/// A user as the source has it at the moment.
struct Subject {
    key: UserKey,
    user: User,
    active: bool,
    /// Whether all attributes flow; of somebody out of scope or in the bin only `active` does.
    whole: bool,
    in_scope: bool,
    bad: bool,
}

impl Client {
    /// Brings one user up to date. True if the user is linked now and was not before: then there is
    /// a manager to be told of.
    pub(super) async fn provision_user(&self, run: &Running, key: UserKey) -> bool {
        let link = self.state().user(key).cloned();
        let (subject, linked) = (self.subject(run, key), link.is_some());
        let outcome = match (subject, link) {
            (None, None) => Ok(Done::Skipped("NotEffectivelyEntitled")),
            (None, Some(link)) => self.delete(run, Gone::User(key), &link).await,
            (Some(subject), link) => self.bring_up(run, &subject, link).await,
        };
        self.settle(run, Delta::User(key), &outcome);
        !linked && self.state().user(key).is_some()
    }

    fn subject(&self, run: &Running, key: UserKey) -> Option<Subject> {
        let directory = self.directory();
        let user = directory.user(key)?;
        let (active, in_scope) = (directory.is_active(key, &user), directory.in_scope(key, &user));
        let bad = run.seed.chance("bad value", u64::from(key.0), run.bad_values);
        Some(Subject {
            key,
            active,
            whole: in_scope && user.deleted_at.is_none(),
            in_scope,
            bad,
            user,
        })
    }

    async fn bring_up(
        &self,
        run: &Running,
        subject: &Subject,
        link: Option<Link>,
    ) -> Result<Done, Failure> {
        let mut work = Work::on(self, run, Delta::User(subject.key), 0).about_user(&subject.user);
        let outcome = match link {
            Some(link) if run.kind != RunKind::OnDemand => {
                self.update_linked(run, &mut work, subject, link).await
            }
            _ => self.update_matched(run, &mut work, subject).await,
        };
        work.end(&outcome);
        outcome
    }

    async fn update_linked(
        &self,
        run: &Running,
        work: &mut Work<'_>,
        subject: &Subject,
        link: Link,
    ) -> Result<Done, Failure> {
        work.found(&link.id);
        if run.staged && !subject.active && link.active {
            work.action = Action::StagedDelete;
            return Ok(Done::Skipped("TooManyDeletes"));
        }
        let read = work.send(Purpose::Read, Method::Get, format!("/Users/{}", link.id), None).await;
        match read {
            Err(gone) if gone.code == "InvalidAnchor" && run.kind == RunKind::Restart => {
                self.state().link_user(subject.key, None);
                self.update_matched(run, work, subject).await
            }
            Err(failure) => Err(failure),
            Ok(current) => self.update(run, work, subject, &link.id, &current).await,
        }
    }

    async fn update_matched(
        &self,
        run: &Running,
        work: &mut Work<'_>,
        subject: &Subject,
    ) -> Result<Done, Failure> {
        let found = self.match_user(work, &subject.user).await?;
        match found {
            Some(current) => {
                let id = anchor(&current)?;
                work.found(&id);
                let active = current["active"].as_bool().unwrap_or(true);
                self.state().link_user(subject.key, Some(Link { id: id.clone(), active }));
                self.update(run, work, subject, &id, &current).await
            }
            // Who is switched off in Entra is never created.
            None if !subject.active => Ok(Done::Skipped("NotEffectivelyEntitled")),
            None => self.create_user(work, subject).await,
        }
    }

    /// Matching attributes are tried in turn, one query each.
    async fn match_user(&self, work: &mut Work<'_>, user: &User) -> Result<Option<Value>, Failure> {
        for target in &self.settings.mapping.matching {
            let Some(value) = self.settings.mapping.value(target, user) else { continue };
            let path = format!("/Users?filter={}", equals(target.as_str(), &value));
            if let Some(found) = only(work.send(Purpose::Match, Method::Get, path, None).await?)? {
                let told = format!("Found {value} by {target} in the target system");
                work.step("EntryMatching", StepType::Matching, StepResult::Success, told);
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn create_user(&self, work: &mut Work<'_>, subject: &Subject) -> Result<Done, Failure> {
        work.action = Action::Create;
        let body = new_user(&self.settings.mapping, &subject.user, subject.bad);
        work.step(
            "EntrySynchronizationAdd",
            StepType::Processing,
            StepResult::Success,
            "The user will be created".to_owned(),
        );
        let made = work.send(Purpose::Write, Method::Post, "/Users".to_owned(), Some(body)).await?;
        let id = anchor(&made)?;
        work.found(&id);
        work.step(
            "EntryExportAdd",
            StepType::Export,
            StepResult::Success,
            "The user was created".to_owned(),
        );
        let created: Vec<Edit> =
            user_edits(&self.settings.mapping, &subject.user, true, &Value::Null);
        work.modifies(&created);
        self.state().link_user(subject.key, Some(Link { id, active: true }));
        Ok(Done::Exported)
    }

    async fn update(
        &self,
        run: &Running,
        work: &mut Work<'_>,
        subject: &Subject,
        id: &Anchor,
        current: &Value,
    ) -> Result<Done, Failure> {
        let mut edits = match subject.whole {
            true => user_edits(&self.settings.mapping, &subject.user, subject.active, current),
            false => switch(subject.active, current).into_iter().collect(),
        };
        if subject.bad {
            spoil(&mut edits);
        }
        let switches = edits.iter().any(|e| e.target.as_str() == "active");
        work.action = if switches && !subject.active { Action::Disable } else { Action::Update };
        let done = if edits.is_empty() {
            Done::Skipped("RedundantExport")
        } else {
            work.modifies(&edits);
            work.send(
                Purpose::Write,
                Method::Patch,
                format!("/Users/{id}"),
                Some(patch(run.shape, &edits)),
            )
            .await?;
            work.step(
                "EntryExportUpdate",
                StepType::Export,
                StepResult::Success,
                "The user was updated".to_owned(),
            );
            Done::Exported
        };
        // Who was unassigned is switched off and then forgotten: no deletion will follow.
        let link = subject.in_scope.then(|| Link { id: id.clone(), active: subject.active });
        self.state().link_user(subject.key, link);
        Ok(done)
    }
}

/// The one resource of a list; none if it is empty.
pub(super) fn only(list: Value) -> Result<Option<Value>, Failure> {
    let Value::Object(mut list) = list else {
        return Err(Failure::new(
            Effect::Quarantine,
            INCOMPATIBLE,
            "the answer to a filter is no ListResponse",
        ));
    };
    let mut found = match list.remove("Resources") {
        Some(Value::Array(found)) => found,
        _ if list.get("totalResults").and_then(Value::as_u64) == Some(0) => Vec::new(),
        _ => {
            return Err(Failure::new(
                Effect::Quarantine,
                INCOMPATIBLE,
                "the answer to a filter has no Resources",
            ));
        }
    };
    match found.len() {
        0 | 1 => Ok(found.pop()),
        n => Err(Failure::new(
            Effect::Escrow,
            "DuplicateTargetEntries",
            format!("{n} resources match"),
        )),
    }
}

/// The id of a resource.
pub(super) fn anchor(resource: &Value) -> Result<Anchor, Failure> {
    let id = resource["id"].as_str().filter(|id| !id.is_empty());
    id.map(Anchor::new)
        .ok_or_else(|| Failure::new(Effect::Escrow, INCOMPATIBLE, "the resource has no id"))
}
