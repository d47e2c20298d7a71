//! The formats in which transparency logs speak to each other, their witnesses and whoever verifies
//! them, as the Community Cryptography Specification Project (C2SP) has written them down. Text and
//! bytes in, values out: no clock, no file, no socket.
//!
//! | module | specification |
//! |---|---|
//! | [`note`], [`key`] | signed-note: a text with signatures, and the keys that made them |
//! | [`checkpoint`] | tlog-checkpoint: origin, size and root of a log |
//! | [`cosignature`] | tlog-cosignature: who has seen that checkpoint, and when |
//! | [`tile`], [`bundle`] | tlog-tiles: the tree and its entries as static files |
//! | [`proof`] | tlog-proof: one file that proves one entry offline |
//! | [`witness`] | tlog-witness: a checkpoint's way to a witness |
//! | [`policy`] | tlog-policy: whose signatures are enough |
//!
//! Signatures are Ed25519 (RFC 8032) by OpenSSL. ML-DSA-44, which the specifications prefer for new
//! cosigners, needs OpenSSL 3.5 and is not here: such signatures are kept as unknown, and such keys
//! refused by name.
//!
//! Everything that is read comes from outside and has limits; the tree itself, and its proofs, are
//! [`rollcall_domain::ledger`].

pub mod bundle;
pub mod checkpoint;
pub mod cosignature;
mod cosigned;
pub mod key;
mod key_id;
mod line;
pub mod note;
pub mod policy;
pub mod proof;
mod signature;
pub mod tile;
pub mod witness;

pub use checkpoint::Checkpoint;
pub use cosignature::CosigningKey;
pub use key::{SigningKey, VerifierKey};
pub use note::{Note, Signature};
pub use policy::Policy;
pub use proof::Proof;
pub use tile::Tile;
