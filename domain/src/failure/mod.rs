//! What went wrong, and what puts it right: a pure reading of exchanges.

mod about;
mod before_facts;
mod cause;
mod wanted;
mod wants;

pub use about::{About, CONNECTION, Class, about, is_failure, leaves_access, needs};
pub use cause::{Cause, Place, cause_of, classify, never_arrived};
pub use wanted::{Wanted, wanted};
pub use wants::{Change, Facts, Wants, settles};
