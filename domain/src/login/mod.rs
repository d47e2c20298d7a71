//! Logins: who it is that an accepted assertion speaks of, and what is kept of an attempt.
//!
//! Pure: [`crate::saml`] says what a verified assertion holds, this says which user it means, how
//! it differs from what SCIM said, and what a user made of it would be.

mod attempt;
mod drift;
mod matching;
mod person;
mod provision;

pub use attempt::{Asserted, Attempt, Initiator, RefusedLogin};
pub use drift::{Drift, drift};
pub use matching::{Candidate, MatchedBy, Matching, NotAdmitted, choose};
pub use person::Person;
pub use provision::resource;
