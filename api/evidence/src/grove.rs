//! Nodes of an organization's tree, for proofs and tiles: kept from the eighth level up, made below
//! that from the 256 leaves that a store gives in one go.

use rollcall_domain::ids::OrganizationId;
use rollcall_domain::ledger::{
    LeafHash, NodeHash, Place, PlanError, Span, Tree, consistency_path, in_order_of_commit,
    inclusion_path,
};
use rollcall_domain::log::{Head, Log, LogError};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Leaves under a node that is kept.
const WIDTH: u64 = 256;
/// Its level.
const LEVEL: u8 = 8;

/// Why there are no such nodes.
#[derive(Debug, thiserror::Error)]
pub enum GroveError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// There is no such proof.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The store does not hold the leaves it should: an audit says which.
    #[error("the store lacks leaf {0}")]
    Missing(u64),
}

/// The upper part of one tree. 64 bytes for every 256 leaves.
#[derive(Debug, Default)]
pub struct Grove {
    upper: Tree,
    /// Where each run of 256 leaves begins in the log; the last is the one that is not full.
    begins: Vec<Head>,
}

impl Grove {
    /// Grows up to a size that the log has reached.
    async fn grow(
        &mut self,
        log: &dyn Log,
        organization: OrganizationId,
        size: u64,
    ) -> Result<(), GroveError> {
        if self.begins.is_empty() {
            self.begins.push(Head::default());
        }
        while (self.upper.size() + 1) * WIDTH <= size {
            let begin = *self.begins.last().unwrap_or(&Head::default());
            let (run, end) = leaves(log, organization, begin, WIDTH).await?;
            let tree: Tree = run.into_iter().collect();
            if tree.size() < WIDTH {
                return Err(GroveError::Missing(self.upper.size() * WIDTH + tree.size()));
            }
            self.upper.append(LeafHash(tree.root().0));
            self.begins.push(end);
        }
        Ok(())
    }

    /// Where in the log a leaf's run begins.
    pub async fn begin(
        &mut self,
        log: &dyn Log,
        organization: OrganizationId,
        index: u64,
    ) -> Result<Head, GroveError> {
        self.grow(log, organization, index / WIDTH * WIDTH).await?;
        let at = usize::try_from(index / WIDTH).unwrap_or(usize::MAX);
        self.begins.get(at).copied().ok_or(GroveError::Missing(index))
    }

    /// These nodes of a tree of `size` leaves.
    pub async fn nodes(
        &mut self,
        log: &dyn Log,
        organization: OrganizationId,
        places: &[Place],
    ) -> Result<Vec<NodeHash>, GroveError> {
        let mut runs: HashMap<u64, Tree> = HashMap::new();
        let mut found = Vec::with_capacity(places.len());
        for place in places {
            let span = place.span();
            let missing = GroveError::Missing(span.to - 1);
            if place.level >= LEVEL {
                self.grow(log, organization, span.to).await?;
                let above = Place { level: place.level - LEVEL, index: place.index };
                found.push(self.upper.node(above).ok_or(missing)?);
                continue;
            }
            let of = span.from / WIDTH;
            let run = match runs.entry(of) {
                Entry::Occupied(run) => run.into_mut(),
                Entry::Vacant(run) => {
                    let begin = self.begin(log, organization, span.from).await?;
                    let (leaves, _) = leaves(log, organization, begin, WIDTH).await?;
                    run.insert(leaves.into_iter().collect())
                }
            };
            let first = (of * WIDTH) >> place.level;
            let node = run.node(Place { level: place.level, index: place.index - first });
            found.push(node.ok_or(missing)?);
        }
        Ok(found)
    }

    /// Proves that a tree of `size` leaves has the leaf `index`.
    pub async fn inclusion(
        &mut self,
        log: &dyn Log,
        organization: OrganizationId,
        index: u64,
        size: u64,
    ) -> Result<Vec<NodeHash>, GroveError> {
        let path = inclusion_path(index, size)?;
        self.hashes(log, organization, &path).await
    }

    /// Proves that a tree of `new` leaves began with one of `old`.
    pub async fn consistency(
        &mut self,
        log: &dyn Log,
        organization: OrganizationId,
        old: u64,
        new: u64,
    ) -> Result<Vec<NodeHash>, GroveError> {
        let path = consistency_path(old, new)?;
        self.hashes(log, organization, &path).await
    }

    async fn hashes(
        &mut self,
        log: &dyn Log,
        organization: OrganizationId,
        path: &[Span],
    ) -> Result<Vec<NodeHash>, GroveError> {
        let places: Vec<Place> = path.iter().flat_map(|span| span.places()).collect();
        let mut nodes = self.nodes(log, organization, &places).await?.into_iter();
        let mut next = |_: Place| nodes.next().ok_or(GroveError::Missing(0));
        path.iter().map(|span| span.hash(&mut next)).collect()
    }
}

/// At most so many leaves behind a place in the log, in the order of commit, and where they end.
async fn leaves(
    log: &dyn Log,
    organization: OrganizationId,
    from: Head,
    count: u64,
) -> Result<(Vec<LeafHash>, Head), LogError> {
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    let exchanges = log.exchange_leaves(organization, from.exchange_number, limit).await?;
    // Read last: what the exchanges stand after is there.
    let records = log.record_leaves(organization, from.position, limit).await?;
    let records = records.into_iter().map(|(position, leaf)| (position, (true, leaf)));
    let exchanges = exchanges.into_iter().map(|found| (found.after, (false, found.leaf)));
    let (mut leaves, mut end) = (Vec::new(), from);
    for (is_record, leaf) in in_order_of_commit(records, exchanges).take(limit) {
        let Some(leaf) = leaf else { break };
        leaves.push(leaf);
        *match is_record {
            true => &mut end.position,
            false => &mut end.exchange_number,
        } += 1;
    }
    Ok((leaves, end))
}

/// The place of an entry among the leaves, from 0.
pub async fn index_of_record(
    log: &dyn Log,
    organization: OrganizationId,
    position: u64,
    head: Head,
) -> Result<u64, LogError> {
    // The exchanges before it are those that stand after an earlier position; they rise.
    let (mut low, mut high) = (0, head.exchange_number);
    while low < high {
        let middle = low + (high - low) / 2;
        let found = log.exchange_leaves(organization, middle, 1).await?;
        match found.first() {
            Some(leaf) if leaf.after < position => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(position - 1 + low)
}

/// The place of an exchange among the leaves, from 0.
pub fn index_of_exchange(number: u64, after: u64) -> u64 {
    after + number - 1
}
