//! Questions about runs: what was inferred, corrected where Entra's own log was imported.

use super::corrected::{Stretch, is_near};
use super::filter::RunFilter;
use super::imported;
use super::inferred::Inferred;
use super::row::{RunExchange, RunRow};
use crate::columns::{Columns, columns, read_all};
use crate::exchanges::Start;
use crate::ranges::Ranges;
use rollcall_domain::ids::{ExchangeId, OrganizationId, RunId};
use rollcall_domain::log::ExchangeNumber;
use rollcall_domain::provisioning_log::{CycleMatch, Mismatch, own_run};
use rollcall_domain::run::{Rhythm, RunKind};
use rollcall_domain::sql::{SqlError, SqlRow, SqlStore};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What Entra's log and ours say of each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// Entra's cycles and the runs that stand for them.
    pub cycles: Vec<CycleMatch>,
    /// Cycles of which nothing came in.
    pub unseen: Vec<String>,
    /// Where the two differ in what was done.
    pub mismatches: Vec<Reconciled>,
    /// Runs with changes in the time that was imported of which Entra's log knows nothing.
    pub unknown_runs: Vec<RunRow>,
}

/// A difference, with the exchange it is about if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// What differs.
    pub mismatch: Mismatch,
    /// The exchange.
    pub exchange: Option<RunExchange>,
}

/// Reads runs. Fold the audit family first.
#[derive(Clone)]
pub struct Runs {
    inferred: Inferred,
}

/// So many runs are looked at before those that are not wanted are left out.
const PAGE: usize = 200;

impl Runs {
    /// Reads from these views.
    pub fn new(views: Arc<dyn SqlStore>) -> Self {
        Self { inferred: Inferred { views } }
    }

    fn views(&self) -> &dyn SqlStore {
        &*self.inferred.views
    }

    /// At most `limit` runs of an organization, by their first exchange.
    pub async fn list(
        &self,
        organization: OrganizationId,
        filter: &RunFilter,
        limit: usize,
    ) -> Result<Vec<RunRow>, SqlError> {
        if !imported::any(self.views(), organization).await? {
            return self.inferred.list(organization, filter, limit).await;
        }
        let mut found = Vec::new();
        let mut from = filter.from;
        while found.len() < limit {
            let page = self
                .inferred
                .list(organization, &RunFilter { from, ..RunFilter::default() }, PAGE)
                .await?;
            let (Some(first), Some(last)) = (page.first(), page.last()) else { break };
            let (earliest, latest) =
                (page.iter().map(|r| r.began).min(), page.iter().map(|r| r.ended).max());
            let (Some(earliest), Some(latest)) = (earliest, latest) else { break };
            let whole = page.len() < PAGE;
            let stretch = Stretch::read(&self.inferred, organization, earliest, latest).await?;
            let upwards = matches!(from, Start::After(_));
            // What a correction moves beyond this page shows on the page it belongs to.
            let shows = |run: &RunRow| match from {
                Start::Latest => whole || run.first >= last.first,
                Start::Before(number) => run.first < number && (whole || run.first >= last.first),
                Start::After(number) => run.first > number && (whole || run.first <= last.first),
            };
            let mut rows: Vec<RunRow> =
                stretch.runs.into_values().filter(|run| shows(run) && filter.takes(run)).collect();
            rows.sort_by_key(|run| run.first);
            if !upwards {
                rows.reverse();
            }
            found.extend(rows);
            if whole {
                break;
            }
            debug_assert!(first.first != last.first);
            from = if upwards { Start::After(last.first) } else { Start::Before(last.first) };
        }
        found.truncate(limit);
        Ok(found)
    }

    /// One run.
    pub async fn get(
        &self,
        organization: OrganizationId,
        run: RunId,
    ) -> Result<Option<RunRow>, SqlError> {
        Ok(self.find(organization, run).await?.map(|(row, _)| row))
    }

    /// The exchanges of a run, in order; none if there is no such run.
    pub async fn exchanges(
        &self,
        organization: OrganizationId,
        run: RunId,
    ) -> Result<Vec<RunExchange>, SqlError> {
        Ok(self.members(organization, run).await?.unwrap_or_default())
    }

    /// The positions of the events that a run caused; nothing if there is no such run.
    pub async fn positions(
        &self,
        organization: OrganizationId,
        run: RunId,
    ) -> Result<Option<Ranges>, SqlError> {
        let members = self.members(organization, run).await?;
        Ok(members.map(|members| members.iter().filter_map(|x| x.positions).collect()))
    }

    /// The runs that exchanges belong to, and what each was. Those of no run are left out.
    pub async fn of(
        &self,
        organization: OrganizationId,
        exchanges: &BTreeSet<ExchangeId>,
    ) -> Result<HashMap<ExchangeId, (RunId, RunKind)>, SqlError> {
        let inferred = self.inferred.of(organization, exchanges).await?;
        let mut known: HashMap<ExchangeId, (RunId, RunKind)> = HashMap::new();
        if let Some(imported) = imported::span(self.views(), organization).await? {
            for (exchange, run) in
                inferred.iter().filter(|(_, run)| is_near(imported, run.began, run.ended))
            {
                if !known.contains_key(exchange) {
                    let stretch =
                        Stretch::read(&self.inferred, organization, run.began, run.ended).await?;
                    let here = stretch.exchanges.iter().filter(|x| exchanges.contains(&x.id));
                    known.extend(
                        here.filter_map(|x| Some((x.id, (x.run, stretch.runs.get(&x.run)?.kind)))),
                    );
                }
            }
        }
        for (exchange, run) in inferred {
            known.entry(exchange).or_insert((run.id, run.kind));
        }
        Ok(known)
    }

    async fn members(
        &self,
        organization: OrganizationId,
        run: RunId,
    ) -> Result<Option<Vec<RunExchange>>, SqlError> {
        Ok(match self.find(organization, run).await? {
            Some((_, Some(stretch))) => Some(stretch.of(run).cloned().collect()),
            Some((_, None)) => Some(self.inferred.exchanges(organization, run).await?),
            None => None,
        })
    }

    /// The numbers of a run's exchanges, in order.
    pub async fn numbers(
        &self,
        organization: OrganizationId,
        run: RunId,
    ) -> Result<Vec<ExchangeNumber>, SqlError> {
        Ok(self.exchanges(organization, run).await?.into_iter().map(|x| x.number).collect())
    }

    /// A run, and what is around it if that was corrected.
    async fn find(
        &self,
        organization: OrganizationId,
        run: RunId,
    ) -> Result<Option<(RunRow, Option<Stretch>)>, SqlError> {
        let row = self.inferred.get(organization, run).await?;
        if !imported::any(self.views(), organization).await? {
            return Ok(row.map(|row| (row, None)));
        }
        let (from, to) = match row {
            Some(row) => (row.began, row.ended),
            // One that is made of others' exchanges is named after its cycle.
            None => {
                let cycles = imported::ids(self.views(), organization).await?;
                let Some(cycle) =
                    cycles.into_iter().find(|cycle| own_run(organization, cycle) == run)
                else {
                    return Ok(None);
                };
                let times = imported::cycle(self.views(), organization, &cycle)
                    .await?
                    .into_values()
                    .flatten()
                    .map(|c| c.at);
                let times: Vec<_> = times.collect();
                let (Some(from), Some(to)) = (times.iter().min(), times.iter().max()) else {
                    return Ok(None);
                };
                (*from, *to)
            }
        };
        let stretch = Stretch::read(&self.inferred, organization, from, to).await?;
        Ok(stretch.runs.get(&run).cloned().map(|row| (row, Some(stretch))))
    }

    /// What Entra's log and ours say of each other, for everything imported.
    pub async fn reconcile(
        &self,
        organization: OrganizationId,
    ) -> Result<Reconciliation, SqlError> {
        let Some((from, to)) = imported::span(self.views(), organization).await? else {
            return Ok(Reconciliation::default());
        };
        let stretch = Stretch::read(&self.inferred, organization, from, to).await?;
        let known =
            |run: &RunRow| stretch.correction.cycles.iter().any(|cycle| cycle.run == run.id);
        let inside = |run: &RunRow| run.began >= from && run.ended <= to;
        let unknown_runs = stretch
            .runs
            .values()
            .filter(|run| run.changes > 0 && inside(run) && !known(run))
            .cloned()
            .collect();
        let seen = |cycle: &String| stretch.correction.cycles.iter().any(|c| c.cycle == *cycle);
        let unseen = imported::ids(self.views(), organization)
            .await?
            .into_iter()
            .filter(|cycle| !seen(cycle))
            .collect();
        let with_exchange = |mismatch: &Mismatch| {
            let exchange = mismatch.exchange().and_then(|number| stretch.exchange(number)).cloned();
            Reconciled { mismatch: mismatch.clone(), exchange }
        };
        let mismatches = stretch.correction.mismatches.iter().map(with_exchange).collect();
        Ok(Reconciliation {
            cycles: stretch.correction.cycles.clone(),
            unseen,
            mismatches,
            unknown_runs,
        })
    }

    /// The rhythm of an organization's cycles, those that are going on included; none if no cycle
    /// was ever seen.
    pub async fn rhythm(&self, organization: OrganizationId) -> Result<Option<Rhythm>, SqlError> {
        let sql = format!("SELECT {} FROM run_inference WHERE organization = $1", RhythmOf::list());
        Ok(rhythms(self.views().query(&sql, vec![organization.into()]).await?)?
            .pop()
            .map(|(_, rhythm)| rhythm))
    }

    /// The rhythms of all organizations with cycles.
    pub async fn rhythms(&self) -> Result<Vec<(OrganizationId, Rhythm)>, SqlError> {
        rhythms(
            self.views()
                .query(&format!("SELECT {} FROM run_inference", RhythmOf::list()), Vec::new())
                .await?,
        )
    }
}

columns! {
    struct RhythmOf { organization: OrganizationId, rhythm: Option<Rhythm> }
}

fn rhythms(rows: Vec<SqlRow>) -> Result<Vec<(OrganizationId, Rhythm)>, SqlError> {
    Ok(read_all::<RhythmOf>(rows)?
        .into_iter()
        .filter_map(|row| Some((row.organization, row.rhythm?)))
        .collect())
}
