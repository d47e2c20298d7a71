//! What server and command line have in common: the bodies of `/api/v1`, and how spans of time are
//! written.

mod problem;
pub mod span;

pub use problem::Problem;
