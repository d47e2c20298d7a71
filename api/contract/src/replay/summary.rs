//! The last line: what became of all exchanges.

use super::{NotReplayed, ReplayResult};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// What became of all of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ReplaySummary {
    /// The last position that was copied before the first exchange ran; absent if none ran.
    pub forked_at: Option<u64>,
    /// Where the fork ended.
    pub ended_at: u64,
    /// Exchanges that were looked at.
    pub exchanges: u64,
    /// How many came out how.
    pub results: BTreeMap<ReplayResult, u64>,
    /// Why exchanges were not replayed.
    pub not_replayed: BTreeMap<NotReplayed, u64>,
    /// How many came out otherwise by which rule that changed since (verify).
    #[serde(default)]
    pub rules: BTreeMap<String, u64>,
    /// How many came out otherwise and no rule explains it, by result (verify).
    #[serde(default)]
    pub unexplained: BTreeMap<ReplayResult, u64>,
    /// Bulk requests of which operations were recorded and they themselves were not, each with how
    /// many: the server ended in their middle, and whoever sent them had no answer (verify).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unrecorded_bulks: BTreeMap<Uuid, u64>,
    /// Records that came out byte for byte.
    pub records_same: u64,
    /// Records that replayed exchanges had caused and that did not come out so.
    pub records_differ: u64,
    /// Records copied because no exchange caused them: the operator did.
    pub records_of_no_exchange: u64,
    /// Records copied because the exchange that caused them was not replayed.
    pub records_of_others: u64,
    /// Seconds it took.
    pub seconds: f64,
}

impl ReplaySummary {
    /// Counts an exchange.
    pub fn count(&mut self, result: ReplayResult) {
        self.exchanges += 1;
        *self.results.entry(result).or_default() += 1;
    }

    /// Counts one that came out otherwise, by its rules.
    pub fn explain(&mut self, result: ReplayResult, rules: &[String]) {
        for rule in rules {
            *self.rules.entry(rule.clone()).or_default() += 1;
        }
        if rules.is_empty() {
            *self.unexplained.entry(result).or_default() += 1;
        }
    }

    /// How many came out so.
    pub fn of(&self, result: ReplayResult) -> u64 {
        self.results.get(&result).copied().unwrap_or(0)
    }
}
