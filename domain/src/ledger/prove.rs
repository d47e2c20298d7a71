//! How proofs are made: RFC 9162 sections 2.1.3.1 and 2.1.4.1.

use super::MAX_LEAVES;
use super::hash::NodeHash;
use super::place::{Place, Span};

/// Why there is no such proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The tree has no such leaf.
    #[error("a tree of {size} leaves has no leaf {index}")]
    NoLeaf {
        /// The leaf that was asked for.
        index: u64,
        /// How many leaves the tree has.
        size: u64,
    },
    /// A tree does not grow backwards.
    #[error("a tree of {new} leaves does not come after one of {old}")]
    Backwards {
        /// Leaves of the earlier tree.
        old: u64,
        /// Leaves of the later one.
        new: u64,
    },
    /// More leaves than [`MAX_LEAVES`].
    #[error("a tree of {0} leaves is too large")]
    TooLarge(u64),
}

/// The spans whose hashes prove that a tree of `size` leaves has the leaf `index` (from 0): from
/// its sibling up to the child of the root (RFC 9162 section 2.1.3.1).
pub fn inclusion_path(index: u64, size: u64) -> Result<Vec<Span>, PlanError> {
    check_size(size)?;
    if index >= size {
        return Err(PlanError::NoLeaf { index, size });
    }
    let mut path = Vec::new();
    let mut tree = Span::of_tree(size);
    while tree.leaves() > 1 {
        let middle = split(tree);
        let (left, right) = (Span { to: middle, ..tree }, Span { from: middle, ..tree });
        let aside = if index < middle { right } else { left };
        tree = if index < middle { left } else { right };
        path.push(aside);
    }
    path.reverse();
    Ok(path)
}

/// The spans whose hashes prove that the tree of `old` leaves is what the tree of `new` leaves
/// began with (RFC 9162 section 2.1.4.1). None are needed if the trees are one, or the old one is
/// empty.
pub fn consistency_path(old: u64, new: u64) -> Result<Vec<Span>, PlanError> {
    check_size(new)?;
    if old > new {
        return Err(PlanError::Backwards { old, new });
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let mut path = Vec::new();
    let mut tree = Span::of_tree(new);
    while old < tree.to {
        let middle = split(tree);
        let (left, right) = (Span { to: middle, ..tree }, Span { from: middle, ..tree });
        path.push(if old <= middle { right } else { left });
        tree = if old <= middle { left } else { right };
    }
    // Whoever verifies knows the old root: it need not be said where it is a node of the new tree.
    if tree.from > 0 {
        path.push(tree);
    }
    path.reverse();
    Ok(path)
}

/// The hashes of a path, from a function that gives nodes. An error is that function's.
pub fn prove<E>(
    path: &[Span],
    mut nodes: impl FnMut(Place) -> Result<NodeHash, E>,
) -> Result<Vec<NodeHash>, E> {
    path.iter().map(|span| span.hash(&mut nodes)).collect()
}

fn check_size(size: u64) -> Result<(), PlanError> {
    if size > MAX_LEAVES { Err(PlanError::TooLarge(size)) } else { Ok(()) }
}

/// Where a tree of two leaves or more is cut: its left part has the largest power of two of leaves
/// that is smaller than the whole (RFC 9162 section 2.1.1).
fn split(tree: Span) -> u64 {
    tree.from + (1 << (tree.leaves() - 1).ilog2())
}
