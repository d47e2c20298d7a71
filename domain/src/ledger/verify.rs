//! How proofs are verified: RFC 9162 sections 2.1.3.2 and 2.1.4.2.

use super::hash::{EMPTY_ROOT, LeafHash, NodeHash, node};

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The tree has no such leaf.
    #[error("a tree of {size} leaves has no leaf {index}")]
    NoLeaf {
        /// The leaf.
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
    /// More or fewer hashes than trees of these sizes need.
    #[error("the proof does not have as many hashes as it needs")]
    Length,
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
    /// The hashes lead to another root of the earlier tree.
    #[error("the proof leads to another root of the earlier tree")]
    OldRoot,
}

/// Verifies that the tree of `size` leaves with that root has the leaf at `index`, from 0
/// (RFC 9162 section 2.1.3.2).
pub fn verify_inclusion(
    leaf: LeafHash,
    index: u64,
    size: u64,
    path: &[NodeHash],
    root: NodeHash,
) -> Result<(), ProofError> {
    if root_of_inclusion(leaf, index, size, path)? == root { Ok(()) } else { Err(ProofError::Root) }
}

/// The root of the tree of `size` leaves that a proof of inclusion leads to.
pub fn root_of_inclusion(
    leaf: LeafHash,
    index: u64,
    size: u64,
    path: &[NodeHash],
) -> Result<NodeHash, ProofError> {
    if index >= size {
        return Err(ProofError::NoLeaf { index, size });
    }
    let mut at = Climb { here: index, last: size - 1 };
    let mut root = NodeHash::from(leaf);
    for &aside in path {
        root = match at.step()? {
            Side::Left => node(aside, root),
            Side::Right => node(root, aside),
        };
    }
    if at.last == 0 { Ok(root) } else { Err(ProofError::Length) }
}

/// Verifies that the tree of `new` leaves began with the tree of `old` leaves (RFC 9162 section
/// 2.1.4.2). What the section leaves open is decided strictly: trees of one size have one root and
/// need no hash, and the root of the tree without leaves is [`EMPTY_ROOT`].
pub fn verify_consistency(
    old: u64,
    old_root: NodeHash,
    new: u64,
    new_root: NodeHash,
    path: &[NodeHash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Backwards { old, new });
    }
    if old == 0 && old_root != EMPTY_ROOT {
        return Err(ProofError::OldRoot);
    }
    if old == 0 || old == new {
        let same = old != new || old_root == new_root;
        return match (path.is_empty(), same) {
            (true, true) => Ok(()),
            (true, false) => Err(ProofError::Root),
            (false, _) => Err(ProofError::Length),
        };
    }
    // Where the old root is a node of the new tree, the proof begins at it and leaves it out.
    let [begin, after @ ..] = path else { return Err(ProofError::Length) };
    let (first, rest) = if old.is_power_of_two() { (&old_root, path) } else { (begin, after) };
    let complete = (old - 1).trailing_ones();
    let mut at = Climb { here: (old - 1) >> complete, last: (new - 1) >> complete };
    let (mut older, mut newer) = (*first, *first);
    for &aside in rest {
        match at.step()? {
            Side::Left => {
                older = node(aside, older);
                newer = node(aside, newer);
            }
            Side::Right => newer = node(newer, aside),
        }
    }
    if at.last != 0 {
        return Err(ProofError::Length);
    }
    if older != old_root {
        return Err(ProofError::OldRoot);
    }
    if newer != new_root { Err(ProofError::Root) } else { Ok(()) }
}

/// On which side the next hash of a path stands.
enum Side {
    Left,
    Right,
}

/// The way up from a node: its place in its level, and that of the level's last node. The section
/// calls them `fn` and `sn`.
struct Climb {
    here: u64,
    last: u64,
}

impl Climb {
    /// Goes up by one hash of the path.
    fn step(&mut self) -> Result<Side, ProofError> {
        if self.last == 0 {
            return Err(ProofError::Length);
        }
        let side = if self.here & 1 == 1 || self.here == self.last {
            // The last node of a level may have no sibling there: it is its own parent as often as
            // it takes.
            while self.here & 1 == 0 && self.here != 0 {
                self.up();
            }
            Side::Left
        } else {
            Side::Right
        };
        self.up();
        Ok(side)
    }

    fn up(&mut self) {
        self.here >>= 1;
        self.last >>= 1;
    }
}
