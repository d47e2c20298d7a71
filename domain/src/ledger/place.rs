//! Where nodes are: complete subtrees, and the spans of leaves that they make up.

use super::hash::{EMPTY_ROOT, NodeHash, node};

/// A node over a complete subtree: the `2^level` leaves from `index * 2^level`. These are the nodes
/// that never change once they are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Levels above the leaves; 0 is a leaf.
    pub level: u8,
    /// Place among the nodes of its level, from 0.
    pub index: u64,
}

impl Place {
    /// A leaf, by its index from 0.
    pub fn leaf(index: u64) -> Self {
        Self { level: 0, index }
    }

    /// The leaves under it.
    pub fn span(self) -> Span {
        Span { from: self.index << self.level, to: (self.index + 1) << self.level }
    }

    /// The two nodes under it; none under a leaf.
    pub fn children(self) -> Option<(Place, Place)> {
        let level = self.level.checked_sub(1)?;
        Some((Place { level, index: 2 * self.index }, Place { level, index: 2 * self.index + 1 }))
    }
}

/// The leaves from one index up to, and not including, another, where a tree has a node over just
/// them: `D[from:to]` in the words of RFC 9162 section 2.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// Index of the first leaf.
    pub from: u64,
    /// Index after the last leaf.
    pub to: u64,
}

impl Span {
    /// The whole tree of so many leaves.
    pub fn of_tree(size: u64) -> Self {
        Self { from: 0, to: size }
    }

    /// How many leaves it has.
    pub fn leaves(self) -> u64 {
        self.to.saturating_sub(self.from)
    }

    /// The complete subtrees that make it up, from left to right, each smaller than the one before:
    /// at most one for each bit of its length.
    pub fn places(self) -> impl Iterator<Item = Place> {
        let mut from = self.from;
        std::iter::from_fn(move || {
            let level = self.to.saturating_sub(from).checked_ilog2()?;
            let place = Place { level: level as u8, index: from >> level };
            from += 1 << level;
            Some(place)
        })
    }

    /// Its hash, `MTH(D[from:to])`, from a function that gives the nodes of its [`Self::places`],
    /// which is asked in their order; [`EMPTY_ROOT`] if it has no leaf.
    pub fn hash<E>(
        self,
        nodes: &mut impl FnMut(Place) -> Result<NodeHash, E>,
    ) -> Result<NodeHash, E> {
        let peaks = self.places().map(nodes).collect::<Result<Vec<_>, E>>()?;
        Ok(under_one_root(&peaks))
    }
}

/// The root over complete subtrees, from the largest to the smallest.
pub(super) fn under_one_root(peaks: &[NodeHash]) -> NodeHash {
    peaks.iter().rev().copied().reduce(|right, left| node(left, right)).unwrap_or(EMPTY_ROOT)
}
