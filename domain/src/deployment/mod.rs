//! The deployment aggregate: what holds for all organizations together: who operates it, and
//! which log counts. Its stream is that of [`OrganizationId::NONE`](crate::ids::OrganizationId::NONE).

mod aggregate;
mod clock_corrected;
mod decide;
mod event;
mod log_accepted;
mod state;

pub use clock_corrected::ClockCorrected;
pub use decide::{DeploymentCommand, decide};
pub use event::{DeploymentEvent, DeploymentEventKind};
pub use log_accepted::{BECAUSE_CHARACTERS, LogAccepted, LostTail};
pub use state::Deployment;
