//! A failure: its row, and what settles it.

use crate::columns::columns;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::failure::{Cause, Class, Wants, settles};
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId};
use rollcall_domain::log::ExchangeNumber;
use std::collections::BTreeSet;

/// A client that read a resource and has not written to it for so long wants nothing of it: Entra
/// writes at once, and what did not arrive it sends again in its next cycle, 40 minutes later.
const CONTENT: TimeDelta = TimeDelta::minutes(60);

/// A client that compares writes so soon after it has read.
const AT_ONCE: TimeDelta = TimeDelta::minutes(10);

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
        /// What it wanted and nothing has settled yet; unknown of an exchange without facts.
        pub wants: Option<BTreeSet<String>>,
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
        self.wants
            .as_ref()
            .is_none_or(|wants| wants.iter().all(|key| *key == format!("m:{member}")))
    }

    /// Takes note of a write of the same subject that succeeded. True if nothing is left to want.
    pub(super) fn settle(&mut self, class: Class, done: &Wants) -> bool {
        if class == Class::Delete {
            return true;
        }
        match &mut self.wants {
            _ if !class.cures(self.class) => false,
            // Created is created, whatever else the two asked for: what differs is changed later
            // on.
            _ if class == Class::Create => true,
            Some(wants) => {
                wants.retain(|key| !settles(done, key));
                wants.is_empty()
            }
            None => !self.shows_in_directory(),
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
        let nothing =
            self.drop_attributes(|key| settles(now, key) || (key == "unread" && now.unread > 0));
        self.leaves_access &= !again
            || now.ends_access
            || self.wants.iter().flatten().any(|key| !key.starts_with("a:"));
        nothing
    }

    /// The client is served again. If it read the resource long ago and has written nothing to it
    /// since, the resource is as it wants it. True if nothing is left to want.
    pub(super) fn is_content(&mut self, caller: &Actor, now: DateTime<Utc>) -> bool {
        let content =
            self.caller == *caller && self.looked_at.is_some_and(|at| now - at >= CONTENT);
        content && !self.leaves_access && self.drop_attributes(|_| false)
    }

    /// Drops the attributes that are not `wanted` any more, and what could not be read. Members and
    /// managers are told of apart. True if nothing is left to want.
    fn drop_attributes(&mut self, wanted: impl Fn(&str) -> bool) -> bool {
        let Some(wants) = &mut self.wants else { return false };
        let compared = |key: &str| key == "unread" || (key.starts_with("a:") && !is_reference(key));
        wants.retain(|key| !compared(key) || wanted(key));
        wants.is_empty()
    }
}

/// Whether an attribute names another resource.
fn is_reference(path: &str) -> bool {
    path.to_ascii_lowercase().contains(":manager")
}
