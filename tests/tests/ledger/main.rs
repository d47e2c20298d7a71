//! The ledger: what others say of its tree, what somebody may do to a store, and what an auditor
//! does with it.

mod carried;
mod commands;
mod copies;
mod erasure;
mod files;
mod grove;
mod held;
mod life;
mod load;
mod pymerkle;
mod restored;
mod tampering;
mod whole;
