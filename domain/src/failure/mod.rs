//! What went wrong, and what puts it right: a pure reading of exchanges.

mod about;
mod cause;

pub use about::{About, CONNECTION, Class, about, is_failure};
pub use cause::{Cause, Place, classify};
