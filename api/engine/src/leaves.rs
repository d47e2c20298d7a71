//! The ledger's tree over what is stored, with records in places where others were lost: that it is
//! the one in the head proves that they are the records that were there.

use rollcall_domain::ids::OrganizationId;
use rollcall_domain::ledger::{Frontier, LeafHash};
use rollcall_domain::log::{Log, LogError, Position};
use std::collections::{BTreeMap, VecDeque};

/// Leaves read at once.
const PAGE: usize = 2_000;

/// The tree over the leaves that are stored and those that are given, in the order of commit; none
/// if one is still missing.
pub(crate) async fn tree_with(
    log: &dyn Log,
    organization: OrganizationId,
    mut given: BTreeMap<Position, LeafHash>,
) -> Result<Option<Frontier>, LogError> {
    let head = log.ledger_head(organization).await?.head;
    let mut tree = Frontier::default();
    let (mut position, mut number, mut place) = (0, 0, 0);
    let (mut records, mut exchanges) = (VecDeque::new(), VecDeque::new());
    while position < head.position || number < head.exchange_number {
        if records.is_empty() && position < head.position {
            records.extend(log.record_leaves(organization, position, PAGE).await?);
        }
        if exchanges.is_empty() && number < head.exchange_number {
            exchanges.extend(log.exchange_leaves(organization, number, PAGE).await?);
        }
        // What was put down later comes later, whatever it says of itself.
        let next = exchanges.front().map(|leaf| place.max(leaf.after));
        if position < head.position && next.is_none_or(|next| position < next) {
            position += 1;
            let stored = records.front().filter(|(at, _)| *at == position).copied();
            if stored.is_some() {
                records.pop_front();
            }
            let stored = stored.and_then(|(_, leaf)| leaf);
            let Some(leaf) = stored.or_else(|| given.remove(&position)) else { return Ok(None) };
            tree.append(leaf);
            continue;
        }
        let Some(exchange) = exchanges.pop_front() else { return Ok(None) };
        number += 1;
        place = place.max(exchange.after);
        let Some(leaf) = exchange.leaf.filter(|_| exchange.number == number) else {
            return Ok(None);
        };
        tree.append(leaf);
    }
    Ok(Some(tree))
}
