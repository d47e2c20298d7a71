//! The user aggregate.

mod command;
mod decide;
mod event;
mod state;

pub use command::{UserCommand, UserError};
pub use decide::{claims, decide};
pub use event::{Change, UserEvent};
pub use state::{User, evolve_attributes};
