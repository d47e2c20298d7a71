//! The organization aggregate.

mod aggregate;
mod command;
mod console_group;
mod credentials;
mod decide;
mod decide_access;
mod decide_saml;
mod event;
mod recipients;
mod review;
mod saml;
mod saml_settings;
mod state;

pub use command::{OrganizationCommand, OrganizationError, SamlCommand};
pub use console_group::{CONSOLE_GROUPS, ConsoleGroups, GroupRole};
pub use credentials::{credential, rehash};
pub use decide::{claims, decide};
pub use event::{CertificateOwner, LogoutRequested, OrganizationEvent, OrganizationEventKind};
pub use recipients::MOST_RECIPIENTS;
pub use review::{AccessDecided, REMARK_CHARACTERS, Verdict};
pub use saml::{
    IdpEndpoints, MAX_SESSION_MINUTES, SamlKey, SamlPolicy, SamlState, SealedKey, SpCertificate,
};
pub use saml_settings::{LIVE_KEYS, SamlSettings};
pub use state::{Organization, Scim, Settings};
