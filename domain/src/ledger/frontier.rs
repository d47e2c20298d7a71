//! The right edge of a tree: all that is needed to append to it and to know its root.

use super::hash::{HASH_BYTES, LeafHash, NodeHash, node};
use super::place::under_one_root;
use super::{MAX_LEAVES, Span};

/// First byte of [`Frontier::to_bytes`].
const FORM: u8 = 1;
/// Form and size.
const HEADER: usize = 1 + size_of::<u64>();

/// The complete subtrees of a tree, from the largest to the smallest: one for each bit of its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<NodeHash>,
}

/// Why bytes are no frontier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrontierError {
    /// Too short to say what it is, or written by a version that is not known.
    #[error("these bytes are in no form of a frontier that is known")]
    Form,
    /// More leaves than [`MAX_LEAVES`].
    #[error("a tree of {0} leaves is too large")]
    Size(u64),
    /// Another number of hashes than the size needs.
    #[error("the frontier of {size} leaves does not have {bytes} bytes")]
    Length {
        /// How many leaves it says it has.
        size: u64,
        /// How many bytes there were.
        bytes: usize,
    },
}

impl Frontier {
    /// Appends a leaf. Hashes once on the average, and as often as the tree has levels at most.
    pub fn append(&mut self, leaf: LeafHash) {
        let mut grown = NodeHash::from(leaf);
        // As in the addition of one: each bit that is carried is a subtree that is complete now.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                grown = node(left, grown);
            }
        }
        self.peaks.push(grown);
        self.size += 1;
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The tree's root (RFC 6962 section 2.1); [`super::EMPTY_ROOT`] if it has no leaf.
    pub fn root(&self) -> NodeHash {
        under_one_root(&self.peaks)
    }

    /// The frontier of a tree of so many leaves, from a function that gives its nodes. An error is
    /// that function's.
    pub fn of_tree<E>(
        size: u64,
        nodes: impl FnMut(super::Place) -> Result<NodeHash, E>,
    ) -> Result<Self, E> {
        let peaks = Span::of_tree(size).places().map(nodes).collect::<Result<_, E>>()?;
        Ok(Self { size, peaks })
    }

    /// The first of its complete subtrees that the same leaves of another tree of its size do not
    /// have; none if both are one tree, or have not as many leaves.
    pub fn first_difference(&self, other: &Self) -> Option<Span> {
        let places = Span::of_tree(self.size).places();
        let mut pairs = places.zip(self.peaks.iter().zip(&other.peaks));
        let (place, _) = pairs.find(|(_, (ours, theirs))| ours != theirs)?;
        (self.size == other.size).then_some(place.span())
    }

    /// For a store: a byte that names this form, the size in 8 bytes (big-endian), and 32 bytes for
    /// each complete subtree. A million leaves take 233 bytes, no tree more than 2,025.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.peaks.len() * HASH_BYTES);
        bytes.push(FORM);
        bytes.extend(self.size.to_be_bytes());
        bytes.extend(self.peaks.iter().flat_map(|peak| peak.0));
        bytes
    }

    /// Reads [`Self::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let (header, hashes) = bytes.split_first_chunk::<HEADER>().ok_or(FrontierError::Form)?;
        let [FORM, size @ ..] = *header else { return Err(FrontierError::Form) };
        let size = u64::from_be_bytes(size);
        if size > MAX_LEAVES {
            return Err(FrontierError::Size(size));
        }
        let (hashes, rest) = hashes.as_chunks::<HASH_BYTES>();
        if !rest.is_empty() || hashes.len() != size.count_ones() as usize {
            return Err(FrontierError::Length { size, bytes: bytes.len() });
        }
        Ok(Self { size, peaks: hashes.iter().copied().map(NodeHash).collect() })
    }
}

impl Extend<LeafHash> for Frontier {
    fn extend<I: IntoIterator<Item = LeafHash>>(&mut self, leaves: I) {
        leaves.into_iter().for_each(|leaf| self.append(leaf));
    }
}

impl FromIterator<LeafHash> for Frontier {
    fn from_iter<I: IntoIterator<Item = LeafHash>>(leaves: I) -> Self {
        let mut frontier = Self::default();
        frontier.extend(leaves);
        frontier
    }
}
