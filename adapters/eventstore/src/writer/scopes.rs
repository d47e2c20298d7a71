//! Claims that hold beyond the organization whose stream takes them.
//!
//! Two streams cannot be appended to at once. So what an append means for another scope is put
//! down in that scope's stream first, as pending: it counts if the append's first event stands in
//! the organization's stream behind the revision that is named, and is void if anything else
//! stands there. Whoever needs such a claim looks. As long as nothing stands there, nobody knows;
//! whoever does not want to wait puts a fence there, and with it the append can never come. No
//! clock is asked.

use crate::changes::{self, Change};
use crate::core::Core;
use crate::entry::{Entry, What};
use crate::index::facts::Moment;
use crate::index::query::{self, Pending};
use rollcall_domain::claim::Claim;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long an append of somebody else is waited for before a fence is put in its place.
const PATIENCE: Duration = Duration::from_millis(500);

/// What an append means for other scopes.
pub(super) struct Changes {
    of: OrganizationId,
    scopes: BTreeMap<OrganizationId, Vec<Change>>,
}

impl Changes {
    /// What a plan means for other scopes than the organization's own.
    pub fn of(organization: OrganizationId, plan: &Plan, wanted: &Wanted) -> Self {
        let mut scopes: BTreeMap<OrganizationId, Vec<Change>> = BTreeMap::new();
        for claim in wanted.claims.iter().filter(|claim| claim.scope != organization) {
            let change = plan
                .claims
                .get(claim)
                .map_or_else(|| Change::kept(claim), |outcome| Change::new(claim, *outcome));
            scopes.entry(claim.scope).or_default().push(change);
        }
        Self { of: organization, scopes }
    }

    /// Puts them down as pending, before the append. False if a scope's stream went on meanwhile.
    pub async fn pend(
        &self,
        core: &Core,
        now: &Moment,
        entries: &[Entry],
    ) -> Result<bool, LogError> {
        let behind = now.of(self.of).revision();
        let token = entries.first().map(|entry| entry.id).unwrap_or_default();
        for (scope, changes) in &self.scopes {
            let data =
                serde_json::to_vec(changes).map_err(|e| LogError::Unavailable(e.to_string()))?;
            let what = What::Pending { of: self.of, behind, token };
            let at = now.of(*scope);
            if at.last.is_none() {
                core.enlist(*scope).await?;
            }
            let mut entries = [Entry::new(*scope, what, data)];
            core.place(at, &mut entries);
            if !core.append(*scope, at, &entries).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Says in the scopes' streams what became of the append. If that fails, whoever needs the
    /// claims does it.
    pub async fn settle(&self, core: &Core) {
        for scope in self.scopes.keys() {
            if let Err(error) = settle(core, *scope).await {
                tracing::debug!(%scope, %error, "claims are not settled yet");
            }
        }
    }
}

/// Settles what is decided in a scope, and gives what is not.
pub(crate) async fn settle(core: &Core, scope: OrganizationId) -> Result<Vec<Pending>, LogError> {
    loop {
        let folded = core.follow(scope).await?;
        let (mut decided, mut open) = (Vec::new(), Vec::new());
        for pending in core.index.run(move |db| query::pending(db, scope)).await? {
            let place = pending.behind.map_or(0, |revision| revision + 1);
            match core.connection.event(&core.names.main(pending.of), place).await? {
                Some(event) => {
                    let what = What::Settled {
                        pending: pending.revision,
                        confirmed: event.id == pending.token,
                    };
                    decided.push(Entry::new(scope, what, "{}"));
                }
                None => open.push(pending),
            }
        }
        if decided.is_empty() {
            return Ok(open);
        }
        core.place(folded, &mut decided);
        // Lost or not: whatever stands there now is folded, and says it too.
        core.append(scope, folded, &decided).await?;
    }
}

/// Settles what is pending in any scope and concerns these claims, by a fence if waiting does not
/// help. False if nothing does.
pub(super) async fn settle_wanted(
    core: &Core,
    pending: &[Pending],
    wanted: &BTreeSet<Claim>,
) -> Result<bool, LogError> {
    let mut scopes: Vec<OrganizationId> = Vec::new();
    scopes.extend(
        pending.iter().filter(|pending| concerns(pending, wanted)).map(|pending| pending.scope),
    );
    scopes.dedup();
    for scope in &scopes {
        let begun = Instant::now();
        loop {
            let open = settle(core, *scope).await?;
            let Some(pending) = open.iter().find(|pending| concerns(pending, wanted)) else {
                break;
            };
            if begun.elapsed() < PATIENCE {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            }
            let here = core.follow(pending.of).await?;
            if here.revision() == pending.behind {
                let mut fence = [Entry::new(pending.of, What::Fence, "{}")];
                core.place(here, &mut fence);
                core.append(pending.of, here, &fence).await?;
            }
        }
    }
    Ok(!scopes.is_empty())
}

/// Whether it names one of these claims. What cannot be read concerns all; the fold says so.
fn concerns(pending: &Pending, wanted: &BTreeSet<Claim>) -> bool {
    changes::read(&pending.changes).map_or(true, |changes| {
        changes
            .iter()
            .any(|change| change.claim(pending.scope).map_or(true, |claim| wanted.contains(&claim)))
    })
}
