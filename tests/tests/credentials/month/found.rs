//! How well runs are found, held against what the tenant knows of them.

use anyhow::{Context as _, Result};
use rollcall_domain::run::RunKind;
use rollcall_entra::log::{ProvisioningLog, RunKind as Truth};
use rollcall_projections::exchanges::Start;
use rollcall_projections::runs::{RunFilter, RunRow};
use rollcall_server::host::Host;
use std::collections::{BTreeMap, HashMap};

/// How well the runs were found.
#[derive(Debug, Default)]
pub struct Found {
    pub cycles: usize,
    pub failed: usize,
    pub tokens: u64,
    pub exchanges: u64,
    pub placed: u64,
    pub runs: u64,
    pub right: u64,
    pub rhythm: String,
}

fn kind(truth: Truth) -> RunKind {
    match truth {
        Truth::ConnectionTest => RunKind::ConnectionTest,
        Truth::Initial => RunKind::Initial,
        Truth::Incremental => RunKind::Incremental,
        Truth::Restart => RunKind::Restart,
        Truth::OnDemand => RunKind::OnDemand,
    }
}

/// Holds what was inferred against what the tenant knows.
pub async fn found(host: &Host, log: &ProvisioningLog, tokens: u64) -> Result<Found> {
    let app = host.app();
    let organization = app.organizations.by_domain("acme").await?.context("acme")?.id;
    let views = app.audit.of(organization).await?;
    let filter = RunFilter { from: Start::After(0), ..RunFilter::default() };
    let runs = views.runs.list(organization, &filter, 100_000).await?;
    let mut truth: HashMap<String, String> = HashMap::new();
    for sent in log.requests() {
        truth.extend(sent.exchanges.iter().map(|x| (x.clone(), sent.cycle_id.to_string())));
    }
    let mut best: BTreeMap<String, (u64, &RunRow)> = BTreeMap::new();
    let mut found = Found { tokens, ..Found::default() };
    for run in &runs {
        let mut votes: BTreeMap<&str, u64> = BTreeMap::new();
        for exchange in views.runs.exchanges(organization, run.id).await? {
            let cycle = truth.get(&exchange.id.to_string()).context("an exchange nobody sent")?;
            *votes.entry(cycle).or_default() += 1;
        }
        let (cycle, n) = votes.iter().max_by_key(|(_, n)| **n).context("a run of nothing")?;
        found.exchanges += votes.values().sum::<u64>();
        if best.get(*cycle).is_none_or(|(most, _)| n > most) {
            best.insert((*cycle).to_owned(), (*n, run));
        }
        found.cycles += usize::from(run.kind.is_cycle());
        found.failed += usize::from(run.kind.is_cycle() && run.failures > 0);
    }
    found.placed = best.values().map(|(n, _)| n).sum();
    for run in log.runs() {
        found.runs += 1;
        let taken = best.get(&run.cycle_id.to_string()).map(|(_, row)| row.kind);
        found.right += u64::from(taken == Some(kind(run.kind)));
    }
    let rhythm = views.runs.rhythm(organization).await?;
    found.rhythm = serde_json::to_string(&rhythm)?;
    Ok(found)
}

impl Found {
    pub fn told(&self, name: &str) {
        let share = |part: u64, whole: u64| part as f64 * 100.0 / whole.max(1) as f64;
        println!(
            "{name:14} {:5} exchanges, {:6.2} % in the right run; {:4} runs, {:6.2} % of the right kind; {} of {} cycles failed; {} tokens",
            self.exchanges,
            share(self.placed, self.exchanges),
            self.runs,
            share(self.right, self.runs),
            self.failed,
            self.cycles,
            self.tokens
        );
    }
}
