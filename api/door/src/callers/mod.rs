//! Who calls `/api/v1`. The extractor is the guard: a handler that can name one of these has one.
//!
//! | | may |
//! |---|---|
//! | [`Operator`] | everything |
//! | [`Admin`] | change one organization, and nothing else; operators are admins of each |
//! | [`Auditor`] | read everything about one organization, and change nothing; admins are auditors of theirs |

mod admin;
mod auditor;
mod command;
mod holder;
mod operator;
mod organization;

pub use admin::Admin;
pub use auditor::Auditor;
pub use operator::Operator;
pub use organization::find;
