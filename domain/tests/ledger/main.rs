//! The ledger's tree: the vectors of other implementations, another implementation as oracle, and
//! what must never verify.

mod entries;
mod oracle;
mod order;
mod properties;
mod speed;
mod vectors;

use rollcall_domain::ledger::{LeafHash, NodeHash, Place, Tree, leaf};
use std::convert::Infallible;

/// So many leaves, each its own number.
fn leaves(size: u64) -> impl Iterator<Item = LeafHash> {
    (0..size).map(|n| leaf(&n.to_be_bytes()))
}

fn tree(size: u64) -> Tree {
    leaves(size).collect()
}

/// The nodes of a tree that is large enough.
fn nodes(tree: &Tree) -> impl FnMut(Place) -> Result<NodeHash, Infallible> {
    |place| Ok(tree.node(place).expect("a node"))
}
