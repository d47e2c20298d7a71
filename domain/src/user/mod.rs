//! The user aggregate.

mod aggregate;
mod command;
mod decide;
mod event;
mod session;
mod sign_in;
mod state;

pub use crate::diff::Change;
pub use command::{UserCommand, UserError};
pub use decide::{claims, decide, named};
pub use event::{SessionEnd, SignedIn, UserEvent, UserEventKind, changes_resource};
pub use session::{NewSession, SignIn};
pub use sign_in::refusal;
pub use state::{User, evolve_attributes};
