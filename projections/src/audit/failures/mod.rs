//! What went wrong and is not yet right: failed exchanges grouped by subject and cause, with the
//! exchange that cured them. Table, fold, queries.
//!
//! A member that was not there when it was to be added to a group is a case of its own: no exchange
//! written before there were facts tells which members it added, so whether such a failure is cured
//! is seen in the directory. Where
//! the member was named by what is no id, or the group was not there either, nothing can be seen
//! there, and the next success cures it as it cures everything else.
//!
//! Whether access that was to end has ended is told by the directory alone, after each exchange that
//! touches whom it is about: no later request says so.
//!
//! What a client wanted and does not want any more is over as well: it has read the resource since
//! then and left it as it is, or calls another resource by its name.

mod fold;
mod names;
mod query;
mod row;
mod stakes;
mod standing;

pub(crate) use fold::Failures;
pub use query::{FailureFilter, FailureViews};
pub use row::FailureRow;
