//! The ledger: a Merkle tree over everything that an organization's log holds (RFC 6962 section 2,
//! RFC 9162 section 2.1), and the bytes of its leaves.
//!
//! All of it is pure. [`entry`] says which bytes stand for a record and for an exchange, [`leaf`]
//! hashes them, a [`Frontier`] grows by one leaf at a time and knows the root. Proofs are planned
//! as [`Span`]s of leaves, so that a store can read the nodes it needs in one go, and verified by
//! [`verify_inclusion`] and [`verify_consistency`]. [`first_difference`] names the leaf from which
//! two trees differ.

mod descent;
pub mod entry;
mod frontier;
mod hash;
mod order;
mod place;
mod prove;
mod tree;
mod verify;

pub use descent::first_difference;
pub use frontier::{Frontier, FrontierError};
pub use hash::{EMPTY_ROOT, HASH_BYTES, LeafHash, NodeHash, leaf, node};
pub use order::in_order_of_commit;
pub use place::{Place, Span};
pub use prove::{PlanError, consistency_path, inclusion_path, prove};
pub use tree::Tree;
pub use verify::{ProofError, root_of_inclusion, verify_consistency, verify_inclusion};

/// No tree has more leaves: other implementations count in signed 64 bit, and so does SQL.
pub const MAX_LEAVES: u64 = i64::MAX as u64;

/// No path is longer: a tree of [`MAX_LEAVES`] has 63 levels above its leaves, and a proof of
/// consistency may name one hash more.
pub const MAX_PATH: usize = 64;
