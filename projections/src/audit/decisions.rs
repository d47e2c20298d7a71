//! What reviewers decided about access: table, fold, queries. The last decision about a membership
//! that had been made of a state no later than the one that is reviewed is the one that is shown.

use crate::bad::Bad;
use crate::cells::words;
use crate::columns::{Columns, Stored, columns, read_all};
use crate::page::Page;
use crate::table::{Statement, Table, key_lists, numbered};
use crate::text::bounded;
use crate::view::View;
use chrono::{DateTime, Utc};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::{Position, Record};
use rollcall_domain::organization::{OrganizationEvent, REMARK_CHARACTERS, Verdict};
use rollcall_domain::sql::{SqlError, SqlStore, SqlTransaction, SqlValue};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

words!(Verdict: as_str);

columns! {
    /// A decision.
    #[derive(Clone, Debug, PartialEq)]
    pub struct DecisionRow {
        /// Whose log it is in.
        pub organization: OrganizationId,
        /// Position of its event.
        pub position: Position,
        /// The group.
        pub group_id: ResourceId,
        /// The member.
        pub member_id: ResourceId,
        /// Position of the event by which the membership began.
        pub since: Position,
        /// The position as of which it was looked at.
        pub seen_at: Position,
        /// What was decided.
        pub verdict: Verdict,
        /// Why, in the reviewer's words.
        pub remark: Option<String>,
        /// Who decided: the kind of caller, and which one.
        pub actor: String,
        /// When.
        pub decided_at: DateTime<Utc>,
    }

    /// One row for each decision ever made.
    pub table DECISIONS = "access_decisions" {
        key: ["organization", "position"],
        indexes: [["organization", "group_id", "member_id", "position"]],
        order: "position",
    }
}

/// Decisions that a page of records holds.
#[derive(Debug)]
pub(crate) struct Decisions(OrganizationId, Vec<DecisionRow>);

impl View for Decisions {
    const NAME: &'static str = "access-decisions";
    const REVISION: u32 = 1;
    const TABLES: &'static [&'static Table] = &[&DECISIONS];

    async fn fetch(_: &mut dyn SqlTransaction, page: &Page<'_>) -> Result<Self, SqlError> {
        Ok(Self(page.organization, Vec::new()))
    }

    fn record(&mut self, record: &Record, event: &DomainEvent) -> Result<(), Bad> {
        let DomainEvent::Organization(OrganizationEvent::AccessDecided(decided)) = event else {
            return Ok(());
        };
        let remark = decided.remark.as_ref().map(|remark| remark.value().as_str());
        self.1.push(DecisionRow {
            organization: self.0,
            position: record.position,
            group_id: decided.group,
            member_id: decided.member,
            since: decided.since,
            seen_at: decided.seen_at,
            verdict: decided.verdict,
            remark: remark.map(|remark| bounded(remark, REMARK_CHARACTERS * 4)),
            actor: super::events::actor_key(&record.actor),
            decided_at: record.recorded_at,
        });
        Ok(())
    }

    fn flush(self, out: &mut Vec<Statement>) -> Result<(), Bad> {
        DecisionRow::upsert(self.1, out)
    }
}

/// A membership that can be decided about: group, member, and where it began.
pub type Membership = (ResourceId, ResourceId, Position);

/// Reads decisions.
#[derive(Clone)]
pub struct DecisionView {
    views: Arc<dyn SqlStore>,
}

impl DecisionView {
    /// Reads from these views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { views }
    }

    /// The decisions that stand about memberships of these groups, as of a position.
    ///
    /// # Errors
    /// If the views cannot be read.
    pub async fn standing(
        &self,
        organization: OrganizationId,
        groups: &BTreeSet<ResourceId>,
        members: &BTreeSet<ResourceId>,
        at: Position,
    ) -> Result<HashMap<Membership, DecisionRow>, SqlError> {
        let mut found = HashMap::new();
        let keys: Vec<SqlValue> = members.iter().map(|id| id.to_string().into()).collect();
        for group in groups {
            for keys in key_lists(&keys) {
                let sql = format!(
                    "SELECT {} FROM access_decisions WHERE organization = $1 AND group_id = $2 \
                     AND seen_at <= $3 AND member_id IN ({}) ORDER BY position",
                    DecisionRow::list(),
                    numbered(4, keys.len())
                );
                let first: [SqlValue; 3] =
                    [organization.into(), group.to_string().into(), at.into()];
                let rows = self.views.query(&sql, first.into_iter().chain(keys).collect()).await?;
                // In the order in which they were made: the last one stands.
                for row in read_all::<DecisionRow>(rows)? {
                    found.insert((row.group_id, row.member_id, row.since), row);
                }
            }
        }
        Ok(found)
    }
}
