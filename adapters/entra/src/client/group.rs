//! A group in a run: created empty or renamed.

use super::Client;
use super::body::{equals, group_edits, new_group, patch};
use super::delete::Gone;
use super::run::Running;
use super::state::{Anchor, Link};
use super::status::{Failure, Purpose};
use super::user::{anchor, only};
use super::work::{Done, Work};
use crate::directory::{Delta, Group, GroupKey};
use crate::log::{Action, RunKind, StepResult, StepType};
use crate::transport::Method;
use serde_json::Value;

impl Client {
    /// Brings one group up to date. True if it was created just now, and is known to be empty.
    pub(super) async fn provision_group(&self, run: &Running, key: GroupKey) -> bool {
        let subject = Delta::Group(key);
        let link = self.state().group(key).cloned();
        let group = {
            let directory = self.directory();
            directory.group(key).filter(|g| directory.group_in_scope(g)).cloned()
        };
        let mut fresh = false;
        let outcome = match (group, link) {
            (None, None) => Ok(Done::Skipped("NotEffectivelyEntitled")),
            (None, Some(link)) => self.delete(run, Gone::Group(key), &link).await,
            (Some(group), link) => {
                let mut work = Work::on(self, run, subject, 0).about_group(&group);
                let outcome =
                    self.bring_up_group(run, &mut work, key, &group, link, &mut fresh).await;
                work.end(&outcome);
                outcome
            }
        };
        self.settle(run, subject, &outcome);
        fresh
    }

    async fn bring_up_group(
        &self,
        run: &Running,
        work: &mut Work<'_>,
        key: GroupKey,
        group: &Group,
        link: Option<Link>,
        fresh: &mut bool,
    ) -> Result<Done, Failure> {
        if let Some(link) = link.filter(|_| run.kind != RunKind::OnDemand) {
            work.found(&link.id);
            let target = format!("/Groups/{}?excludedAttributes=members", link.id);
            match work.send(Purpose::Read, Method::Get, target, None).await {
                Err(gone) if gone.code == "InvalidAnchor" && run.kind == RunKind::Restart => {
                    self.state().link_group(key, None)
                }
                Err(failure) => return Err(failure),
                Ok(current) => {
                    return self.update_group(run, work, group, &link.id, &current).await;
                }
            }
        }
        let target = format!(
            "/Groups?excludedAttributes=members&filter={}",
            equals("displayName", &group.display_name)
        );
        if let Some(current) = only(work.send(Purpose::Match, Method::Get, target, None).await?)? {
            let id = anchor(&current)?;
            work.found(&id);
            work.step(
                "EntryMatching",
                StepType::Matching,
                StepResult::Success,
                "Found the group by displayName".to_owned(),
            );
            self.state().link_group(key, Some(Link { id: id.clone(), active: true }));
            return self.update_group(run, work, group, &id, &current).await;
        }
        work.action = Action::Create;
        let made = work
            .send(
                Purpose::Write,
                Method::Post,
                "/Groups".to_owned(),
                Some(new_group(run.shape, group)),
            )
            .await?;
        let id = anchor(&made)?;
        work.found(&id);
        work.step(
            "EntryExportAdd",
            StepType::Export,
            StepResult::Success,
            "The group was created".to_owned(),
        );
        work.modifies(&group_edits(group, &Value::Null));
        self.state().link_group(key, Some(Link { id, active: true }));
        *fresh = true;
        Ok(Done::Exported)
    }

    async fn update_group(
        &self,
        run: &Running,
        work: &mut Work<'_>,
        group: &Group,
        id: &Anchor,
        current: &Value,
    ) -> Result<Done, Failure> {
        work.action = Action::Update;
        let edits = group_edits(group, current);
        if edits.is_empty() {
            return Ok(Done::Skipped("RedundantExport"));
        }
        work.modifies(&edits);
        work.send(
            Purpose::Write,
            Method::Patch,
            format!("/Groups/{id}"),
            Some(patch(run.shape, &edits)),
        )
        .await?;
        work.step(
            "EntryExportUpdate",
            StepType::Export,
            StepResult::Success,
            "The group was updated".to_owned(),
        );
        Ok(Done::Exported)
    }
}
