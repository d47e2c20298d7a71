//! The deployment aggregate: what holds for all organizations together, so far who operates it. Its
//! stream is that of [`OrganizationId::NONE`](crate::ids::OrganizationId::NONE).

mod aggregate;
mod decide;
mod event;
mod state;

pub use decide::{DeploymentCommand, decide};
pub use event::{DeploymentEvent, DeploymentEventKind};
pub use state::Deployment;
