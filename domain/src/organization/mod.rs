//! The organization aggregate.

mod command;
mod decide;
mod event;
mod state;

pub use command::{OrganizationCommand, OrganizationError};
pub use decide::{claims, decide};
pub use event::OrganizationEvent;
pub use state::{LIVE_TOKENS, Organization, Scim, Settings, Token};
