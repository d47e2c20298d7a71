//! Entra's own log: what its provisioning service says it did, cycle by cycle.
//!
//! An export of it is digested to [`ImportedCycle`]s: ids, times and outcomes, no names and no
//! values. These go into the log as events of the organization, so that what they correct can be
//! derived anew. [`correct`] puts them over the runs that were inferred from the traffic.

mod correct;
mod cycle;
mod digest;
mod entry;

pub use correct::{Correction, CycleMatch, Mismatch, Seen, correct, own_run};
pub use cycle::{CHANGES_IN_EVENT, ImportedCycle, into_parts};
pub use digest::CycleDigest;
pub use entry::{ImportedAction, ImportedChange, ImportedStatus, Initiator};

/// So many changes are taken at once.
pub const CHANGES_AT_ONCE: usize = 50_000;
