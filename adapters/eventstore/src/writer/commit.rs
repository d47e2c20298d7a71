//! Deciding a batch on the index, and appending it behind the revision at which it was decided.

use super::bodies::Bodies;
use super::scopes;
use crate::append::APPEND_BYTES;
use crate::changes::Change;
use crate::core::{Core, size};
use crate::entry::{self, Entry, What};
use crate::index::facts;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;

/// How often a batch is decided anew before its callers are told.
const TRIES: u32 = 64;
/// Longer data goes into the side stream.
const HEAVY: usize = 64 * 1024;
/// The same, of an append that is too long for a server all the same.
const HEAVY_ALONE: usize = 1024;

type Outcomes = Vec<Result<Appended, AppendError>>;

enum Stop {
    /// The batch is longer than a server takes.
    TooLong,
    Failed(LogError),
}

impl From<LogError> for Stop {
    fn from(e: LogError) -> Self {
        Stop::Failed(e)
    }
}

/// Appends a batch of one organization; gives an outcome for each.
pub(super) async fn commit(
    core: &Core,
    organization: OrganizationId,
    mut appends: Vec<Append>,
) -> Outcomes {
    let mut bodies = Bodies::default();
    appends
        .iter_mut()
        .filter_map(|append| append.exchange.as_mut())
        .for_each(|exchange| bodies.take(exchange));
    let mut outcomes = Vec::with_capacity(appends.len());
    // Halves that wait, the next one last.
    let mut waiting = vec![appends];
    while let Some(mut batch) = waiting.pop() {
        let refused = match decide(core, organization, &batch, &mut bodies).await {
            Ok(decided) => {
                outcomes.extend(decided);
                continue;
            }
            Err(Stop::TooLong) if batch.len() > 1 => {
                let second = batch.split_off(batch.len() / 2);
                waiting.extend([second, batch]);
                continue;
            }
            Err(Stop::TooLong) => format!("an append is longer than {APPEND_BYTES} bytes"),
            Err(Stop::Failed(LogError::Unavailable(why))) => why,
            Err(Stop::Failed(damaged)) => damaged.to_string(),
        };
        tracing::error!(%organization, error = refused, appends = batch.len(), "log.append failed");
        outcomes.extend(batch.iter().map(|_| Err(AppendError::Unavailable(refused.clone()))));
    }
    outcomes
}

async fn decide(
    core: &Core,
    organization: OrganizationId,
    appends: &[Append],
    bodies: &mut Bodies,
) -> Result<Outcomes, Stop> {
    let wanted = wanted(appends);
    // True once the streams were read to their ends since these appends came: refusals count only
    // then, unless something is appended, which proves that nothing lay between.
    let mut is_fresh = true;
    for organization in &wanted.organizations {
        is_fresh &= core.meet(*organization).await?;
    }
    for lost in 0..TRIES {
        if lost >= 3 {
            core.ids.wait_a_little().await;
        }
        let mut now = {
            let wanted = clone(&wanted);
            core.index.run(move |db| facts::facts(db, &wanted)).await?
        };
        if scopes::settle_wanted(core, &now.pending, &wanted.claims).await? {
            is_fresh = false;
            continue;
        }
        let plan = plan(std::mem::take(&mut now.facts), appends.to_vec());
        if plan.is_empty() {
            if is_fresh {
                return Ok(plan.outcomes);
            }
            for organization in &wanted.organizations {
                core.follow(*organization).await?;
            }
            is_fresh = true;
            continue;
        }
        let here = now.of(organization);
        if here.last.is_none() {
            core.enlist(organization).await?;
        }
        bodies.write(core, organization, &plan.exchanges).await?;
        let outcomes = plan.outcomes.clone();
        let foreign = scopes::Changes::of(organization, &plan, &wanted);
        let mut entries = entries(organization, plan, bodies)?;
        core.lighten(organization, &mut entries, HEAVY).await?;
        if appends.len() == 1 && size(&entries) > APPEND_BYTES {
            core.lighten(organization, &mut entries, HEAVY_ALONE).await?;
        }
        if size(&entries) > APPEND_BYTES {
            return Err(Stop::TooLong);
        }
        core.place(here, &mut entries);
        let is_pending = foreign.pend(core, &now, &entries).await?;
        if is_pending && core.append(organization, here, &entries).await? {
            foreign.settle(core).await;
            return Ok(outcomes);
        }
        for organization in &wanted.organizations {
            core.follow(*organization).await?;
        }
        is_fresh = true;
    }
    Err(LogError::Unavailable(format!("{TRIES} races were lost")).into())
}

fn clone(wanted: &Wanted) -> Wanted {
    Wanted {
        organizations: wanted.organizations.clone(),
        streams: wanted.streams.clone(),
        claims: wanted.claims.clone(),
        exchanges: wanted.exchanges.clone(),
    }
}

/// The entries of a plan: changes of claims, then records and exchanges in the order of their
/// commit.
fn entries(
    organization: OrganizationId,
    plan: Plan,
    bodies: &Bodies,
) -> Result<Vec<Entry>, LogError> {
    let unreadable = |e: serde_json::Error| LogError::Unavailable(e.to_string());
    let mut entries = Vec::with_capacity(1 + plan.records.len() + plan.exchanges.len());
    let own = plan.claims.iter().filter(|(claim, _)| claim.scope == organization);
    let changes: Vec<Change> = own.map(|(claim, outcome)| Change::new(claim, *outcome)).collect();
    if !changes.is_empty() {
        entries.push(Entry::new(
            organization,
            What::Claims,
            serde_json::to_vec(&changes).map_err(unreadable)?,
        ));
    }
    let mut records = plan.records.into_iter().zip(plan.record_leaves).peekable();
    for (exchange, leaf) in plan.exchanges.iter().zip(plan.exchange_leaves) {
        while let Some(record) = records.next_if(|(record, _)| record.position <= exchange.after) {
            entries.push(entry::of_record(record));
        }
        entries.push(
            entry::of_exchange((exchange, leaf), bodies.of(exchange.exchange.id))
                .map_err(unreadable)?,
        );
    }
    entries.extend(records.map(entry::of_record));
    if entries.is_empty() {
        // Only claims of another scope change; they need an append to wait for.
        entries.push(Entry::new(organization, What::Claims, "[]"));
    }
    Ok(entries)
}
