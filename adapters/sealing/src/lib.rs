//! A log that keeps nothing personal in the clear.
//!
//! [`SealedLog`] stands before any other log: what is appended is sealed before the log decides on
//! it, so that the ledger is over what is stored; what is read is opened, in this one place, and no
//! reader can forget it. [`OpeningFold`] does the same for views that a log folds itself.
//!
//! A value is sealed with AES-256-GCM by OpenSSL, bound to its place. Data keys are wrapped by a key
//! of their organization, and that by the deployment's ([`DeploymentWrap`]); they lie beside the log
//! ([`rollcall_domain::log::KeyRing`]).

mod about;
mod cipher;
mod error;
mod exchange;
mod inline;
mod log;
mod memory;
mod opener;
mod record;
mod ring;
mod token;
mod wrap;

pub use cipher::draw;
pub use inline::OpeningFold;
pub use log::SealedLog;
pub use memory::MemoryKeys;
pub use wrap::DeploymentWrap;
