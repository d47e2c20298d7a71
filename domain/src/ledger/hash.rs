//! Hashes of leaves and nodes: RFC 6962 section 2.1, with SHA-256.

use sha2::{Digest, Sha256};
use std::fmt;

/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;

/// Root of the tree without leaves: the hash of nothing (RFC 6962 section 2.1).
pub const EMPTY_ROOT: NodeHash = NodeHash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// The hash of one leaf's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafHash(pub [u8; HASH_BYTES]);

/// The hash of a node: of a leaf, of two nodes, or the root of a tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeHash(pub [u8; HASH_BYTES]);

/// Hashes a leaf: `SHA-256(0x00 || bytes)`.
pub fn leaf(bytes: &[u8]) -> LeafHash {
    let hash = Sha256::new().chain_update([0]).chain_update(bytes).finalize();
    LeafHash(hash.into())
}

/// Hashes two nodes: `SHA-256(0x01 || left || right)`.
pub fn node(left: NodeHash, right: NodeHash) -> NodeHash {
    // In one piece: this is called once for each leaf that is ever appended or verified.
    let mut both = [1; 1 + 2 * HASH_BYTES];
    both[1..=HASH_BYTES].copy_from_slice(&left.0);
    both[1 + HASH_BYTES..].copy_from_slice(&right.0);
    NodeHash(Sha256::digest(both).into())
}

impl From<LeafHash> for NodeHash {
    /// A leaf is the node of level 0 above itself.
    fn from(leaf: LeafHash) -> Self {
        Self(leaf.0)
    }
}

macro_rules! written_as_hex {
    ($($hash:ident),*) => {$(
        impl fmt::Display for $hash {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $hash {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($hash), "({})"), self)
            }
        }
    )*};
}

written_as_hex!(LeafHash, NodeHash);
