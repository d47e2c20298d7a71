//! A whole tree in memory, for proofs and tiles of a log that is at hand.

use super::hash::{LeafHash, NodeHash, node};
use super::place::{Place, Span};
use super::prove::{PlanError, consistency_path, inclusion_path, prove};

/// All complete nodes of a tree, level by level: 64 bytes for each leaf. To know the root alone, a
/// [`super::Frontier`] is enough.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    levels: Vec<Vec<NodeHash>>,
}

impl Tree {
    /// Appends a leaf.
    pub fn append(&mut self, leaf: LeafHash) {
        let mut grown = NodeHash::from(leaf);
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let nodes = &mut self.levels[level];
            nodes.push(grown);
            let [.., left, right] = nodes[..] else { return };
            if nodes.len() % 2 == 1 {
                return;
            }
            grown = node(left, right);
        }
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// A node; none where the tree has no complete subtree (yet).
    pub fn node(&self, place: Place) -> Option<NodeHash> {
        let level = self.levels.get(usize::from(place.level))?;
        level.get(usize::try_from(place.index).ok()?).copied()
    }

    /// Its root.
    pub fn root(&self) -> NodeHash {
        self.root_of(self.size()).unwrap_or(super::EMPTY_ROOT)
    }

    /// The root of the tree that its first `size` leaves were; none if it has fewer.
    pub fn root_of(&self, size: u64) -> Option<NodeHash> {
        self.hashes(&[Span::of_tree(size)]).ok()?.first().copied()
    }

    /// Proves that its first `size` leaves have the leaf `index`.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<NodeHash>, PlanError> {
        let path = inclusion_path(index, size)?;
        self.hashes(&path)
    }

    /// Proves that its first `new` leaves began with its first `old`.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<NodeHash>, PlanError> {
        let path = consistency_path(old, new)?;
        self.hashes(&path)
    }

    fn hashes(&self, path: &[Span]) -> Result<Vec<NodeHash>, PlanError> {
        let missing =
            |place: Place| PlanError::NoLeaf { index: place.span().to - 1, size: self.size() };
        prove(path, |place| self.node(place).ok_or_else(|| missing(place)))
    }
}

impl FromIterator<LeafHash> for Tree {
    fn from_iter<I: IntoIterator<Item = LeafHash>>(leaves: I) -> Self {
        let mut tree = Self::default();
        leaves.into_iter().for_each(|leaf| tree.append(leaf));
        tree
    }
}
