//! Putting a backup in place.

use super::codec::log_error;
use super::session::Session;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::*;
use std::collections::BTreeMap;

/// Puts parts of a backup in place, all or none.
pub(super) async fn restore(session: &mut Session, parts: Vec<Restored>) -> Result<(), LogError> {
    let mut wanted = Wanted::default();
    for part in &parts {
        match part {
            Restored::Record(record) => {
                wanted.organizations.insert(record.stream.organization);
                wanted.streams.insert(record.stream);
            }
            Restored::Exchange(exchange) => {
                wanted.organizations.insert(exchange.exchange.organization);
                wanted.exchanges.insert((exchange.exchange.organization, exchange.exchange.id));
            }
            Restored::ClaimKey(..) | Restored::Claim(..) => {}
        }
    }
    let facts = session.begin_alone(&wanted).await.map_err(log_error)?;
    let (plan, keys) = arrange(facts, parts)?;
    if let Some(scope) = session.keep_keys(&keys).await.map_err(log_error)?.first() {
        return Err(LogError::Damaged(format!("{scope} has another claim key")));
    }
    session.write(&plan).await.map_err(log_error)?;
    session.uncover(plan.heads.keys().copied()).await.map_err(log_error)?;
    session.commit().await.map_err(log_error)
}

type Keys = Vec<(OrganizationId, [u8; 32])>;

/// Checks that each part follows what is there, so that no hole is restored.
fn arrange(mut facts: Facts, parts: Vec<Restored>) -> Result<(Plan, Keys), LogError> {
    let mut plan = Plan::default();
    let mut keys = Vec::new();
    let mut trees: BTreeMap<OrganizationId, Regrowing> = BTreeMap::new();
    let mut kept = std::mem::take(&mut facts.trees);
    let mut tree_of = |organization| Regrowing::from(kept.remove(&organization));
    for part in parts {
        match part {
            Restored::ClaimKey(scope, key) => keys.push((scope, key)),
            Restored::Claim(claim, holder) => {
                _ = plan.claims.insert(claim, ClaimOutcome::Held(holder));
            }
            Restored::Record(record) => {
                let head = facts.heads.entry(record.stream.organization).or_default();
                let version = facts.versions.entry(record.stream).or_default();
                if (record.position, record.version) != (head.position + 1, *version + 1) {
                    return Err(LogError::Damaged(format!(
                        "position {} of version {} cannot follow position {} and version {version}",
                        record.position, record.version, head.position
                    )));
                }
                *version = record.version;
                head.position = record.position;
                let organization = record.stream.organization;
                plan.heads.insert(organization, *head);
                let leaf = record_leaf(&record);
                trees.entry(organization).or_insert_with(|| tree_of(organization)).record(leaf);
                plan.record_leaves.push(leaf);
                plan.records.push(record);
            }
            Restored::Exchange(mut exchange) => {
                let organization = exchange.exchange.organization;
                let head = facts.heads.entry(organization).or_default();
                let known = facts.exchanges.contains_key(&(organization, exchange.exchange.id));
                let Some((number, after)) = restored_place(&exchange, *head, known)? else {
                    continue;
                };
                (exchange.number, exchange.after) = (number, after);
                head.exchange_number = number;
                plan.heads.insert(organization, *head);
                let leaf = exchange_leaf(&exchange);
                let tree = trees.entry(organization).or_insert_with(|| tree_of(organization));
                tree.exchange(leaf, after, head.position);
                plan.exchange_leaves.push(leaf);
                plan.last_exchanges.insert(organization, exchange.exchange.id);
                plan.exchanges.push(*exchange);
            }
        }
    }
    let kept = trees.into_iter().filter_map(|(of, tree)| Some((of, tree.kept()?)));
    plan.trees = kept.collect();
    Ok((plan, keys))
}
