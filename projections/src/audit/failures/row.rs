//! A failure: its row, and what settles it.

use super::standing::Standing;
use crate::columns::columns;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::failure::{
    AccessEnd, Cause, Class, Wants, is_unread, kind_of, settles, takes_back,
};
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId};
use rollcall_domain::log::{ExchangeNumber, Position};
use std::collections::BTreeSet;

/// A client that read a resource and has not written to it for so long wants nothing of it: Entra
/// writes at once, and what did not arrive it sends again in its next cycle, 40 minutes later.
const CONTENT: TimeDelta = TimeDelta::minutes(60);

/// A client that compares writes so soon after it has read.
const AT_ONCE: TimeDelta = TimeDelta::minutes(10);

/// Stands for whoever may be in a group.
pub(super) const ANYBODY: ResourceId = ResourceId(uuid::Uuid::nil());

/// So many bytes are kept of what failures are about.
pub(super) const WORD_BYTES: usize = 200;

columns! {
    /// A failure.
    #[derive(Clone, Debug, PartialEq)]
    pub struct FailureRow {
        /// Whose it is.
        pub organization: OrganizationId,
        /// Number of the first exchange that met it.
        pub first_number: ExchangeNumber,
        /// That exchange: it names the failure.
        pub id: ExchangeId,
        /// When it came.
        pub first_at: DateTime<Utc>,
        /// Number of the last exchange that met it.
        pub last_number: ExchangeNumber,
        /// That exchange.
        pub last_exchange: ExchangeId,
        /// When it came.
        pub last_at: DateTime<Utc>,
        /// How many met it.
        pub count: u64,
        pub(super) about: String,
        pub(super) class: Class,
        /// What was asked for, the last time.
        pub operation: String,
        /// Why it failed.
        pub cause: Cause,
        /// The status answered.
        pub status: u16,
        /// RFC 7644 section 3.12.
        pub scim_type: Option<String>,
        /// The error's text, the last time.
        pub detail: Option<String>,
        /// The resource it is about.
        pub subject: Option<ResourceId>,
        /// The member that was not there.
        pub needs: Option<ResourceId>,
        /// True until it is cured.
        pub(super) open: bool,
        /// The exchange that cured it.
        pub cured_by: Option<ExchangeId>,
        /// When that came.
        pub cured_at: Option<DateTime<Utc>>,
        /// What it wanted and nothing has settled yet, beside the ends of access; unknown of an
        /// exchange without facts.
        pub wants: Option<BTreeSet<String>>,
        /// The access that it was to end and that has not ended.
        pub ends: BTreeSet<AccessEnd>,
        /// Somebody should have lost access by this and has not.
        pub leaves_access: bool,
        /// Who met it the last time.
        pub(super) caller: Actor,
        /// When they read the resource since then, and wrote nothing to it.
        pub(super) looked_at: Option<DateTime<Utc>>,
        /// The exchange by which they did.
        pub(super) looked_by: Option<ExchangeId>,
    }

    /// One row for each failure of a subject, from the first exchange that met it to the one that
    /// cured it; failing anew after that is another row.
    pub table FAILURES = "failures" {
        key: ["organization", "first_number"],
        indexes: [["organization", "about"], ["organization", "id"], ["organization", "open", "last_number"]],
        order: "first_number",
    }
}

impl FailureRow {
    /// Whether the directory tells when it is cured: a certain member then is in a certain group.
    fn shows_in_directory(&self) -> bool {
        self.needs.is_some() && self.subject.is_some()
    }

    /// Whether that a member has joined is all that is missing.
    pub fn wants_only_member(&self, member: ResourceId) -> bool {
        let only = |wants: &BTreeSet<String>| wants.iter().all(|key| *key == format!("m:{member}"));
        self.ends.is_empty() && self.wants.as_ref().is_none_or(only)
    }

    /// Whether nothing is left to want, as far as that is known.
    fn wants_nothing(&self) -> bool {
        self.ends.is_empty() && self.wants.as_ref().is_some_and(BTreeSet::is_empty)
    }

    /// Who is still to be put into the group.
    pub(super) fn awaited(&self) -> impl Iterator<Item = ResourceId> {
        let keys = self.wants.iter().flatten().filter_map(|key| key.strip_prefix("m:"));
        keys.filter_map(|id| id.parse().ok())
    }

    /// The resources whose state tells when it is over.
    pub(super) fn stakes(&self) -> BTreeSet<ResourceId> {
        let awaited = self.awaited().filter(|_| self.class == Class::Change);
        let anybody = self.awaits_somebody().then_some(ANYBODY);
        self.ends.iter().flat_map(AccessEnd::resources).chain(awaited).chain(anybody).collect()
    }

    /// Whether what it is about is there no more. True of what never was.
    pub(super) fn is_about_nothing(&self, standing: &Standing, at: Position) -> bool {
        let kind = kind_of(&self.operation);
        self.subject.is_none_or(|subject| !standing.is_there(subject, kind, at))
    }

    /// Whether anybody's deletion may empty the group that somebody was to leave.
    pub(super) fn awaits_somebody(&self) -> bool {
        self.ends.iter().any(|end| matches!(end, AccessEnd::SomebodyRemoved { .. }))
    }

    /// Whether the state of a resource tells when it is over.
    pub(super) fn has_stake_in(&self, id: ResourceId) -> bool {
        self.subject == Some(id)
            || self.ends.iter().any(|end| end.resources().any(|resource| resource == id))
            || (self.class == Class::Change && self.awaited().any(|member| member == id))
    }

    /// Looks at who has access at a position, after something may have happened to one of its
    /// resources. True if nothing is left to want.
    pub(super) fn look(&mut self, standing: &Standing, at: Position) -> bool {
        let before = self.ends.len();
        self.ends.retain(|end| !standing.has_ended(end, at));
        if let (Class::Change, Some(group), Some(wants)) =
            (self.class, self.subject, &mut self.wants)
        {
            wants.retain(|key| {
                let member = key.strip_prefix("m:").and_then(|id| id.parse().ok());
                !member.is_some_and(|member| standing.is_member(group, member, at))
            });
        }
        self.ended(before)
    }

    /// Somebody who was to be put into the group was deleted: that can never be. True if nothing is
    /// left to want.
    pub(super) fn forget(&mut self, gone: ResourceId) -> bool {
        if self.class != Class::Change {
            return false;
        }
        let Some(wants) = &mut self.wants else { return false };
        wants.remove(&format!("m:{gone}")) && self.wants_nothing()
    }

    /// Of so many ends some may be over: true if nothing is left to want. Where all access has ended
    /// and what could not be read is all that is left, it was that.
    fn ended(&mut self, before: usize) -> bool {
        if before > 0 && self.ends.is_empty() {
            if let (Class::Change, Some(wants)) = (self.class, &mut self.wants)
                && wants.iter().all(|key| is_unread(key))
            {
                wants.clear();
            }
            // Of what is cured it stays known that it left access.
            self.leaves_access &= self.wants_nothing();
        }
        // A creation is cured by nothing but one.
        self.class != Class::Create && self.wants_nothing()
    }

    /// Takes note of a write of the same subject that succeeded. True if nothing is left to want.
    pub(super) fn settle(&mut self, class: Class, done: &Wants) -> bool {
        if !class.cures(self.class) {
            return false;
        }
        if class == Class::Create {
            // Created is created, whatever else the two asked for: what differs is changed later
            // on.
            return true;
        }
        let before = self.ends.len();
        self.ends.retain(|end| !takes_back(done, end));
        match &mut self.wants {
            Some(wants) => {
                wants.retain(|key| !settles(done, key));
                self.ended(before)
            }
            None => self.ends.is_empty() && !self.shows_in_directory(),
        }
    }

    /// The same, cured.
    pub(super) fn cured(self, by: ExchangeId, at: DateTime<Utc>) -> Self {
        Self { cured_by: Some(by), cured_at: Some(at), open: false, ..self }
    }

    /// Takes note of a read by id. Whether it shows all that its client wants, time will tell.
    pub(super) fn looked(&mut self, exchange: &Exchange) {
        if exchange.operation.ends_with(".read")
            && self.class == Class::Change
            && self.caller == exchange.caller
        {
            self.looked_at = Some(exchange.received_at);
            self.looked_by = Some(exchange.id);
        }
    }

    /// Takes note of a write of the same subject, whatever became of it; `again` if it met this
    /// very failure. Who has just read the resource sends all that differs: what is not among it is
    /// not wanted any more. True if nothing is left to want.
    pub(super) fn written(&mut self, exchange: &Exchange, again: bool) -> bool {
        let now = &exchange.facts.wants;
        self.looked_by = None;
        let compared = self.looked_at.take().is_some_and(|at| exchange.received_at - at < AT_ONCE)
            && self.caller == exchange.caller;
        // Who reports to whom is read and told of apart from all the rest.
        let compared = compared && now.attributes.iter().any(|change| !is_reference(&change.path));
        // Whoever still has access is put aside by nothing but what says so itself.
        if !compared || (self.leaves_access && !again) {
            return false;
        }
        if again && !now.ends_access {
            // Whether somebody is on is compared as well.
            self.ends.retain(|end| !matches!(end, AccessEnd::Disabled { .. }));
            self.leaves_access &= !self.ends.is_empty();
        }
        self.drop_attributes(|key| settles(now, key) || (is_unread(key) && now.unread > 0))
    }

    /// The client is served again. If it read the resource long ago and has written nothing to it
    /// since, the resource is as it wants it. True if nothing is left to want.
    pub(super) fn is_content(&mut self, caller: &Actor, now: DateTime<Utc>) -> bool {
        let content =
            self.caller == *caller && self.looked_at.is_some_and(|at| now - at >= CONTENT);
        content && !self.leaves_access && self.drop_attributes(|_| false)
    }

    /// Whether a client that was not let in does not come any more, while others are served.
    pub(super) fn is_stale(&self, now: DateTime<Utc>) -> bool {
        self.cause == Cause::TokenRefused && self.wants.is_none() && now - self.last_at >= CONTENT
    }

    /// Drops the attributes that are not `wanted` any more, and what could not be read. Members and
    /// managers are told of apart. True if nothing is left to want.
    fn drop_attributes(&mut self, wanted: impl Fn(&str) -> bool) -> bool {
        let Some(wants) = &mut self.wants else { return false };
        let compared = |key: &str| is_unread(key) || (key.starts_with("a:") && !is_reference(key));
        wants.retain(|key| !compared(key) || wanted(key));
        self.wants_nothing()
    }
}

/// Whether an attribute names another resource.
fn is_reference(path: &str) -> bool {
    path.to_ascii_lowercase().contains(":manager")
}
