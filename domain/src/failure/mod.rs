//! What went wrong, and what puts it right: a pure reading of exchanges.

mod about;
mod before_facts;
mod by_status;
mod class;
mod classify;
mod ends;
mod plain;
mod unread;
mod wanted;

pub use crate::access_end::AccessEnd;
pub use crate::cause::{Cause, Place};
pub use crate::facts::{Change, Facts, Wants, is_unread, settles};
pub use about::{About, CONNECTION, about, is_failure, leaves_access, needs};
pub use class::Class;
pub use classify::{cause_of, classify, never_arrived};
pub use ends::{Wishes, kind_of, takes_back, wishes};
pub use wanted::{Wanted, left_undone, wanted};
