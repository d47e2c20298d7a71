//! Runs: which exchanges belong together, and what they were.
//!
//! Nothing on the wire names a sync cycle. [`Inference`] is a fold over [`Fact`]s, one exchange
//! after another, that opens a run at a lookup for a GUID that nobody has, gathers what follows,
//! and decides what it was once there was silence. Its state is small and serialisable, so that a
//! view can go on from where it stood; the same facts always give the same runs.

mod classify;
mod distinct;
mod evidence;
mod fact;
mod inference;
mod kind;
mod lane;
mod open;
mod rhythm;
mod tally;

pub use distinct::Distinct;
pub use evidence::Evidence;
pub use fact::{Action, Fact, Key, Lookup, Shape, subject};
pub use inference::{Inference, Observed};
pub use kind::{Confidence, RunKind};
pub use open::Run;
pub use rhythm::{Noticed, Place, Pulse, Rhythm};
pub use tally::Tally;

use crate::ids::{ExchangeId, OrganizationId, RunId};
use chrono::Duration;

/// So long a run may be silent; then it is over.
pub const SILENCE: Duration = Duration::minutes(5);

/// The id of the run that an exchange began: the same whenever the log is read.
pub fn run_id(organization: OrganizationId, first: ExchangeId) -> RunId {
    RunId(uuid::Uuid::new_v5(&organization.0, first.0.as_bytes()))
}
