//! The members of a group in a run: looked up, added, removed.

use super::Client;
use super::body::{add_members, equals_both, remove_members};
use super::run::Running;
use super::status::{Effect, Failure, Purpose};
use super::user::only;
use super::work::{Done, Work};
use crate::directory::{Delta, Group, GroupKey, UserKey};
use crate::log::{Action, StepResult, StepType};
use crate::transport::Method;

/// Members with their ids in the target system.
type Linked = Vec<(UserKey, String)>;

impl Client {
    /// Brings memberships of one group up to date. `known_empty` spares looking members up.
    pub(super) async fn provision_members(
        &self,
        run: &Running,
        key: GroupKey,
        users: &[UserKey],
        known_empty: bool,
    ) {
        let Some(group) = self.directory().group(key).cloned() else {
            // The members of a deleted group are gone with it.
            return users.iter().for_each(|u| {
                self.settle(
                    run,
                    Delta::Member(key, *u),
                    &Ok(Done::Skipped("NotEffectivelyEntitled")),
                )
            });
        };
        let link = self.state().group(key).cloned();
        let (enter, exit) = self.sorted(run, key, &group, users, link.is_some());
        let Some(link) = link else { return };
        let id = link.id.to_string();
        let size = self.settings.members_per_patch.max(1);
        for (part, chunk) in (0_u64..).zip(enter.chunks(size)) {
            self.send_members(
                run,
                key,
                &group,
                &id,
                part,
                chunk,
                true,
                !known_empty && self.settings.reference_checks,
            )
            .await;
        }
        for (part, chunk) in (1_000_000_u64..).zip(exit.chunks(size)) {
            self.send_members(run, key, &group, &id, part, chunk, false, false).await;
        }
    }

    /// Who is to be added and who removed. Whoever is not in the target system cannot be either: a
    /// reference failure if that will change, else passed over until a restart.
    fn sorted(
        &self,
        run: &Running,
        key: GroupKey,
        group: &Group,
        users: &[UserKey],
        linked: bool,
    ) -> (Linked, Linked) {
        let (mut enter, mut exit) = (Linked::new(), Linked::new());
        for &user in users {
            let subject = Delta::Member(key, user);
            let member = group.members.contains(&user);
            let link = self.state().user(user).cloned();
            let missing = |what| Err(Failure::new(Effect::Reference, "ReferenceNotResolved", what));
            match link {
                _ if !linked && member => {
                    self.settle(run, subject, &missing("the group is not in the target system yet"))
                }
                Some(link) if member => enter.push((user, link.id.to_string())),
                Some(link) if linked => exit.push((user, link.id.to_string())),
                None if member && self.will_be_linked(user) => {
                    self.settle(
                        run,
                        subject,
                        &missing("the member is not in the target system yet"),
                    );
                }
                None if member => {
                    self.state().skipped.insert(subject);
                    self.settle(run, subject, &Ok(Done::Skipped("OutOfScope")));
                }
                _ => self.settle(run, subject, &Ok(Done::Skipped("RedundantExport"))),
            }
        }
        (enter, exit)
    }

    /// Whether somebody is in scope, and so is or will be in the target system.
    pub(super) fn will_be_linked(&self, key: UserKey) -> bool {
        let directory = self.directory();
        directory.user(key).is_some_and(|user| directory.is_active(key, &user))
    }

    #[expect(clippy::too_many_arguments, reason = "one PATCH is named by all of them")]
    async fn send_members(
        &self,
        run: &Running,
        key: GroupKey,
        group: &Group,
        id: &str,
        part: u64,
        members: &[(UserKey, String)],
        add: bool,
        check: bool,
    ) {
        if run.broken().is_some() {
            return;
        }
        let Some((first, _)) = members.first() else { return };
        let mut work = Work::on(self, run, Delta::Member(key, *first), part).about_group(group);
        work.action = Action::Update;
        work.found(id);
        let absent = if check {
            self.absent(run, &mut work, key, id, members).await
        } else {
            members.to_vec()
        };
        let outcome = self
            .patch_members(run, &mut work, id, &absent, add)
            .await
            .map_err(Failure::of_reference);
        work.end(&outcome);
        for (user, _) in &absent {
            let subject = Delta::Member(key, *user);
            if outcome.is_ok() {
                self.state().skipped.remove(&subject);
            }
            self.settle(run, subject, &outcome);
        }
    }

    /// Looks every member up; gives those who are not there. A lookup that fails is its member's
    /// failure, not that of the others.
    async fn absent(
        &self,
        run: &Running,
        work: &mut Work<'_>,
        key: GroupKey,
        id: &str,
        members: &[(UserKey, String)],
    ) -> Linked {
        let mut absent = Linked::new();
        for (user, member) in members {
            if run.broken().is_some() {
                break;
            }
            let subject = Delta::Member(key, *user);
            let query =
                format!("/Groups?filter={}&attributes=id", equals_both(id, "members", member));
            match work.send(Purpose::Match, Method::Get, query, None).await.and_then(only) {
                Ok(None) => absent.push((*user, member.clone())),
                Ok(Some(_)) => {
                    self.state().skipped.remove(&subject);
                    self.settle(run, subject, &Ok(Done::Skipped("RedundantExport")));
                }
                Err(failure) => self.settle(run, subject, &Err(failure.of_reference())),
            }
        }
        absent
    }

    async fn patch_members(
        &self,
        run: &Running,
        work: &mut Work<'_>,
        id: &str,
        members: &[(UserKey, String)],
        add: bool,
    ) -> Result<Done, Failure> {
        if members.is_empty() {
            return Ok(Done::Skipped("RedundantExport"));
        }
        let ids: Vec<String> = members.iter().map(|(_, id)| id.clone()).collect();
        for member in &ids {
            let (old, new) =
                if add { (None, Some(member.as_str())) } else { (Some(member.as_str()), None) };
            work.modifies_reference("members", old, new);
        }
        let body = if add { add_members(run.shape, &ids) } else { remove_members(run.shape, &ids) };
        work.send(Purpose::Write, Method::Patch, format!("/Groups/{id}"), Some(body)).await?;
        work.step(
            "EntryExportUpdate",
            StepType::Export,
            StepResult::Success,
            format!("{} members were updated", ids.len()),
        );
        Ok(Done::Exported)
    }
}
