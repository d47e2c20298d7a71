//! What went wrong, and what puts it right: a pure reading of exchanges.

mod about;
mod before_facts;
mod by_status;
mod class;
mod classify;
mod wanted;

pub use crate::cause::{Cause, Place};
pub use crate::facts::{Change, Facts, Wants, settles};
pub use about::{About, CONNECTION, about, is_failure, leaves_access, needs};
pub use class::Class;
pub use classify::{cause_of, classify, never_arrived};
pub use wanted::{Wanted, wanted};
