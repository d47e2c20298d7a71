//! What a simulation came to.

use chrono::{DateTime, Utc};
use rollcall_cli::output;
use rollcall_cli::say;
use rollcall_entra::log::Counts;
use rollcall_entra::transport::{Doing, Times};
use serde::Serialize;
use std::collections::BTreeMap;

/// The result of a simulation.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Real seconds it took.
    pub seconds: f64,
    /// Simulated begin.
    pub from: DateTime<Utc>,
    /// Simulated end.
    pub to: DateTime<Utc>,
    /// Users there ever were in the tenant.
    pub users: u32,
    /// Groups there ever were.
    pub groups: usize,
    /// Changes in the tenant.
    pub changes: u64,
    /// Runs, requests, failures.
    #[serde(flatten)]
    pub counts: Counts,
    /// Objects and references that would be tried again.
    pub escrows: usize,
    /// Why the job is quarantined, if it is.
    pub quarantine: Option<&'static str>,
    /// What was planned and could not be done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undone: Vec<String>,
    /// Times of requests by what they do.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub latency: BTreeMap<&'static str, Latency>,
}

/// Milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    /// Requests.
    pub count: usize,
    /// Median.
    pub p50: f64,
    /// 95 of 100 are faster.
    pub p95: f64,
    /// 99 of 100 are faster.
    pub p99: f64,
}

/// The times of a measured transport.
pub fn latency(times: &BTreeMap<Doing, Times>) -> BTreeMap<&'static str, Latency> {
    let figures = |t: &Times| Latency {
        count: t.count(),
        p50: t.quantile(0.5),
        p95: t.quantile(0.95),
        p99: t.quantile(0.99),
    };
    times.iter().map(|(doing, times)| (doing.as_str(), figures(times))).collect()
}

impl Report {
    /// Prints it for people.
    pub fn print(&self) {
        let named = |map: Vec<(String, u64)>| match map.is_empty() {
            true => "-".to_owned(),
            false => map
                .into_iter()
                .map(|(name, count)| format!("{count} {name}"))
                .collect::<Vec<_>>()
                .join(", "),
        };
        let owned = |map: &BTreeMap<String, u64>| {
            map.iter().map(|(name, count)| (name.clone(), *count)).collect()
        };
        output::pairs(&[
            (
                "Time",
                format!(
                    "{} to {}, in {:.1} s",
                    self.from.to_rfc3339(),
                    self.to.to_rfc3339(),
                    self.seconds
                ),
            ),
            (
                "Tenant",
                format!("{} users, {} groups, {} changes", self.users, self.groups, self.changes),
            ),
            (
                "Runs",
                named(
                    self.counts
                        .runs
                        .iter()
                        .map(|(name, count)| ((*name).to_owned(), *count))
                        .collect(),
                ),
            ),
            ("Failed runs", self.counts.failed_runs.to_string()),
            (
                "Requests",
                format!(
                    "{}, {:.0}/s",
                    self.counts.requests,
                    self.counts.requests as f64 / self.seconds.max(0.001)
                ),
            ),
            (
                "Statuses",
                self.counts
                    .statuses
                    .iter()
                    .map(|(status, count)| format!("{status}: {count}"))
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
            ("Exported", self.counts.exported.to_string()),
            ("Failures", named(owned(&self.counts.failures))),
            ("To be retried", self.escrows.to_string()),
            ("Quarantine", self.quarantine.unwrap_or("-").to_owned()),
        ]);
        for reason in &self.undone {
            say!("Not done: {reason}");
        }
        if !self.latency.is_empty() {
            say!();
            let ms = |value: f64| format!("{value:.2}");
            let rows = self.latency.iter().map(|(doing, l)| {
                vec![(*doing).to_owned(), l.count.to_string(), ms(l.p50), ms(l.p95), ms(l.p99)]
            });
            output::table(
                &["REQUEST", "COUNT", "P50 MS", "P95 MS", "P99 MS"],
                &rows.collect::<Vec<_>>(),
            );
        }
    }
}
