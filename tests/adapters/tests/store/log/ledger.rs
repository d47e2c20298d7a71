//! What a log keeps of its ledgers.

use crate::fixture::Logs;
use crate::given::*;
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::ledger::{Frontier, LeafHash, in_order_of_commit};
use rollcall_domain::log::*;
use std::sync::Arc;
use uuid::Uuid;

/// That the leaves and the tree that are kept follow from what is read, from first to last. Gives
/// the tree, and how many of its leaves came later than what is under them.
pub async fn check(
    log: &Arc<dyn Log>,
    organization: OrganizationId,
) -> anyhow::Result<(Frontier, u64)> {
    let log = &stored(log);
    let records = all_records(log, organization).await?;
    let exchanges = log.exchanges(organization, 0, 10_000, Bodies::Read).await?;
    let mut record_leaves = Vec::new();
    while let page = log.record_leaves(organization, record_leaves.len() as u64, 7).await?
        && !page.is_empty()
    {
        record_leaves.extend(page);
    }
    let of_records: Vec<(Position, LeafHash)> =
        records.iter().map(|record| (record.position, record_leaf(record))).collect();
    let kept: Vec<_> = of_records.iter().map(|(at, leaf)| (*at, Some(*leaf))).collect();
    assert_eq!(record_leaves, kept);
    let mut exchange_leaves = Vec::new();
    while let page = log.exchange_leaves(organization, exchange_leaves.len() as u64, 7).await?
        && !page.is_empty()
    {
        exchange_leaves.extend(page);
    }
    let leaf = |x: &RecordedExchange| exchange_leaf(x);
    let of_exchanges: Vec<(Position, LeafHash)> =
        exchanges.iter().map(|x| (x.after, leaf(x))).collect();
    let kept: Vec<ExchangeLeaf> = exchanges
        .iter()
        .map(|x| ExchangeLeaf { number: x.number, after: x.after, leaf: Some(leaf(x)) })
        .collect();
    assert_eq!(exchange_leaves, kept);
    let tree: Frontier = in_order_of_commit(of_records, of_exchanges).collect();
    let said = log.ledger_head(organization).await?;
    let head = Head { position: records.len() as u64, exchange_number: exchanges.len() as u64 };
    let last_exchange = exchanges.last().map(|x| x.exchange.id);
    let uncovered = said.uncovered;
    assert_eq!(said, LedgerHead { head, frontier: tree.clone(), uncovered, last_exchange });
    assert_eq!(log.counted(organization).await?, head);
    Ok((tree, uncovered))
}

/// Appends of all kinds, as chance has it, and refused and repeated ones among them.
pub async fn at_random(log: &Arc<dyn Log>, seed: u64, appends: u128) -> anyhow::Result<()> {
    let mut random = fastrand::Rng::with_seed(seed);
    let organizations = [OrganizationId::NONE, ONE, TWO];
    let mut versions = std::collections::HashMap::new();
    for n in 0..appends {
        let organization = organizations[random.usize(0..3)];
        let stream = user_in(organization, random.u128(1..6));
        let version = versions.entry(stream).or_insert(0);
        let events = random.usize(0..4);
        let id = u128::from(seed) * 100_000 + n;
        let append = match random.u8(0..8) {
            0 | 1 => bare(organization, id),
            2 => write(stream, *version + 1, 1).exchange(id),
            3 => bare(organization, id.saturating_sub(1)),
            4 => write(stream, *version, events),
            _ => write(stream, *version, events).exchange(id),
        };
        let done = log.append(append).await;
        if let Ok(Appended { positions: Some((first, last)), repeated: false, .. }) = done {
            *version += last - first + 1;
        }
    }
    Ok(())
}

pub async fn an_empty_log_has_an_empty_tree(it: Logs) -> anyhow::Result<()> {
    assert_eq!(it.log.ledger_head(ONE).await?, LedgerHead::default());
    assert_eq!(it.log.record_leaves(ONE, 0, 10).await?, []);
    assert_eq!(it.log.exchange_leaves(ONE, 0, 10).await?, []);
    assert_eq!(it.log.epoch().await?, it.log.epoch().await?);
    assert_ne!(it.log.epoch().await?, Uuid::nil());
    // A refused append plants nothing.
    assert!(it.log.append(write(user(1), 1, 1).exchange(1)).await.is_err());
    assert_eq!(it.log.ledger_head(ONE).await?, LedgerHead::default());
    Ok(())
}

pub async fn leaves_and_tree_follow_from_what_is_read(it: Logs) -> anyhow::Result<()> {
    for seed in 1..=3 {
        at_random(&it.log, seed, 40).await?;
        for organization in [OrganizationId::NONE, ONE, TWO] {
            let (tree, uncovered) = check(&it.log, organization).await?;
            assert!(tree.size() > 0 && uncovered == 0, "{organization}: {tree:?}");
        }
    }
    Ok(())
}

pub async fn many_at_once_grow_one_tree(it: Logs) -> anyhow::Result<()> {
    let appends = (0..48).map(|n| match n % 3 {
        0 => it.log.append(bare(ONE, n)),
        1 => it.log.append(write(user(n), 0, 2)),
        _ => it.log.append(write(user(n), 0, 1).exchange(n)),
    });
    futures::future::try_join_all(appends).await?;
    assert_eq!(check(&it.log, ONE).await?.0.size(), 16 + 32 + 32);
    Ok(())
}

/// What was dropped is still what the leaf says, and what was put in its place is not.
pub async fn leaves_stay_when_bodies_are_dropped(it: Logs) -> anyhow::Result<()> {
    at_random(&it.log, 7, 60).await?;
    let (before, _) = check(&it.log, ONE).await?;
    let log = stored(&it.log);
    let whole = log.exchanges(ONE, 0, 10_000, Bodies::Read).await?;
    let half = whole.len() as u64 / 2;
    assert_eq!(it.log.drop_bodies(ONE, 0, half).await?, half);
    assert_eq!(check(&it.log, ONE).await?.0, before);
    let read = log.exchanges(ONE, 0, 10_000, Bodies::Read).await?;
    for (before, after) in whole.iter().zip(&read) {
        let is_dropped = after.number <= half;
        assert_eq!(after.exchange.bodies_dropped, is_dropped);
        let kept = is_dropped.then(|| before.exchange.hashes_of_bodies());
        assert_eq!(after.exchange.body_hashes, kept);
    }
    let mut forged = read[0].clone();
    forged.exchange.request_body = b"something else".to_vec();
    assert_ne!(exchange_leaf(&forged), exchange_leaf(&read[0]));
    // A page without bodies says of those that are there that they are not dropped.
    let skipped = it.log.exchanges(ONE, half, 1, Bodies::Skip).await?;
    assert_eq!(skipped[0].exchange.body_hashes, None);
    let one = log.exchange(ONE, ExchangeId(read[0].exchange.id.0)).await?;
    assert_eq!(one.as_ref(), read.first());
    Ok(())
}
