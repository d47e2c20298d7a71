//! Logins: who it is that an accepted assertion speaks of, and what is kept of an attempt.
//!
//! Pure: [`crate::saml`] says what a verified assertion holds, this says which user it means, how
//! it differs from what SCIM said, and what a user made of it would be.

mod attempt;
mod demand;
mod drift;
mod identifier;
mod matching;
mod not_admitted;
mod pin;
mod provision;
mod said;

pub use attempt::{Asserted, Attempt, Initiator, RefusedLogin};
pub use demand::Demand;
pub use drift::{Drift, drift};
pub use identifier::{Identifier, NoIdentifier};
pub use matching::{Candidate, MatchedBy, choose};
pub use not_admitted::NotAdmitted;
pub use pin::{ObjectId, Pin, Pinning};
pub use provision::resource;
pub use said::Said;
