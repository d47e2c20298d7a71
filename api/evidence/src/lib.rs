//! What proves that an organization's log is whole, and what looks for proof that it is not.
//!
//! | module | what it does |
//! |---|---|
//! | [`statement`] | what a checkpoint says, signed and read |
//! | [`findings`] | entries held against their leaves, and what must have been done to them |
//! | [`walk`] | a log in the order of its commits, with the leaves that were kept |
//! | [`grove`] | nodes of the tree, for proofs and tiles |
//! | [`audit`] | a log held against its own leaves, tree, head and earlier checkpoints |
//! | [`file`] | a ledger in one file |
//! | [`verify`] | that file, or the proof of one entry, verified without a server |
//! | [`signed`] | a log's ledger as it is now, signed |
//! | [`carried`] | checkpoints that went along with answers |
//! | [`seen`] | checkpoints that somebody has seen, kept in a folder |

pub mod audit;
pub mod carried;
pub mod file;
pub mod findings;
pub mod grove;
pub mod seen;
pub mod signed;
pub mod statement;
pub mod verify;
pub mod walk;

/// Names and bytes of tiles, and of bundles of entries (C2SP tlog-tiles).
pub mod tiles {
    pub use rollcall_tlog::bundle;
    pub use rollcall_tlog::tile::{Level, Tile};
}

pub use statement::{Signer, Statement, consistent, policy, read_note};
