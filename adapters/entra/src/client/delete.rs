//! A user or a group that is gone from the source: deleted in the target, unless deletions are held
//! back.

use super::Client;
use super::run::Running;
use super::state::Link;
use super::status::{Failure, Purpose};
use super::work::{Done, Work};
use crate::directory::{Delta, GroupKey, UserKey};
use crate::log::{Action, StepResult, StepType};
use crate::transport::Method;

/// What is gone.
#[derive(Clone, Copy)]
pub(super) enum Gone {
    User(UserKey),
    Group(GroupKey),
}

impl Client {
    pub(super) async fn delete(
        &self,
        run: &Running,
        gone: Gone,
        link: &Link,
    ) -> Result<Done, Failure> {
        let (subject, kind, endpoint, noun) = match gone {
            Gone::User(key) => (Delta::User(key), "User", "Users", "user"),
            Gone::Group(key) => (Delta::Group(key), "Group", "Groups", "group"),
        };
        let mut work = Work::on(self, run, subject, 0).about_gone(kind);
        work.found(&link.id);
        let outcome = if run.staged {
            work.action = Action::StagedDelete;
            Ok(Done::Skipped("TooManyDeletes"))
        } else {
            work.action = Action::Delete;
            work.send(Purpose::Delete, Method::Delete, format!("/{endpoint}/{}", link.id), None)
                .await
                .map(|_| Done::Exported)
        };
        if outcome == Ok(Done::Exported) {
            match gone {
                Gone::User(key) => self.state().link_user(key, None),
                Gone::Group(key) => self.state().link_group(key, None),
            }
            work.step(
                "EntryExportDelete",
                StepType::Export,
                StepResult::Success,
                format!("The {noun} was deleted"),
            );
        }
        work.end(&outcome);
        outcome
    }
}
