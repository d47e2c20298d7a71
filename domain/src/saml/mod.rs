//! The words of SAML sign-on: what an identity provider is trusted for, what an accepted assertion
//! says, and why a message is refused. Reading and verifying messages is `adapters/saml`.

mod assertion;
mod idp;
mod reason;

pub use assertion::{Assertion, NameId, SignedParts, attribute_names};
pub use idp::{IdpCertificate, IdpSettings};
pub use reason::{Reason, Refusal};
