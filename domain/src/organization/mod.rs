//! The organization aggregate.

mod command;
mod credentials;
mod decide;
mod decide_saml;
mod event;
mod saml;
mod state;

pub use command::{OrganizationCommand, OrganizationError, SamlCommand};
pub use credentials::{credential, rehash};
pub use decide::{claims, decide};
pub use event::{CertificateOwner, OrganizationEvent, OrganizationEventKind};
pub use saml::{IdpEndpoints, LIVE_KEYS, MAX_SESSION_MINUTES, SamlKey, SamlPolicy, SamlSettings, SamlState, SealedKey, SpCertificate};
pub use state::{Organization, Scim, Settings};
