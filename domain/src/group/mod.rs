//! The group aggregate.

mod aggregate;
mod command;
mod decide;
mod event;
mod state;

pub use command::{GroupCommand, GroupError};
pub use decide::{claims, decide, required};
pub use event::{GroupEvent, GroupEventKind, changes_attributes};
pub use state::{Group, Members, evolve_attributes};
