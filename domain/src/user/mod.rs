//! The user aggregate.

mod command;
mod decide;
mod event;
mod session;
mod state;

pub use command::{UserCommand, UserError};
pub use decide::{claims, decide, named};
pub use event::{Change, SessionEnd, SignedIn, UserEvent, UserEventKind, changes_resource};
pub use session::{NewSession, SignIn};
pub use state::{User, evolve_attributes};
