//! Credentials: what lets a client, an auditor, an admin or an operator in. The secret is shown
//! once; what is kept proves it.

pub mod assertion;
mod command;
mod decide;
mod event;
pub mod federation;
mod notice;
mod proof;
mod ring;
mod token_request;
mod valid;

pub use command::{CredentialCommand, CredentialError};
pub use event::{
    CredentialEnded, CredentialEvent, CredentialExpiring, CredentialFirstUsed, CredentialIssued,
    CredentialProofChanged, CredentialRevoked, CredentialSecretAdded, CredentialSecretRetired,
};
pub use proof::{KeySource, Proof};
pub use ring::{Credential, Credentials, Secret};
pub use token_request::{ClientAuthentication, TokenRequest};

/// What a client secret begins with, so that one that leaks can be told.
pub const CLIENT_SECRET_PREFIX: &str = "rollcall_client_";

/// What an access token begins with.
pub const ACCESS_TOKEN_PREFIX: &str = "rca_";

use serde::{Deserialize, Serialize};

/// What a credential lets its holder do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Provision an organization by SCIM.
    Scim,
    /// Read everything about an organization, and change nothing.
    Audit,
    /// Change one organization.
    Administration,
    /// Change everything.
    Operation,
    /// Follow an organization's log as one of its consumers, and nothing else.
    Feed,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Purpose; 5] =
        [Purpose::Scim, Purpose::Audit, Purpose::Administration, Purpose::Operation, Purpose::Feed];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Scim => "scim",
            Purpose::Audit => "audit",
            Purpose::Administration => "administration",
            Purpose::Operation => "operation",
            Purpose::Feed => "feed",
        }
    }

    /// What a bearer token for it begins with, so that one that leaks can be told.
    pub const fn token_prefix(self) -> &'static str {
        match self {
            Purpose::Scim => "rollcall_scim_",
            Purpose::Audit => "rollcall_audit_",
            Purpose::Administration => "rollcall_admin_",
            Purpose::Operation => "rollcall_operator_",
            Purpose::Feed => "rollcall_feed_",
        }
    }

    /// So many may be live at once in one organization, in the deployment for operators, of one
    /// consumer for following the log.
    pub fn most_live(self) -> usize {
        match self {
            Purpose::Feed => 2,
            Purpose::Scim => 10,
            Purpose::Audit => 100,
            Purpose::Administration | Purpose::Operation => 50,
        }
    }

    /// What people call one, such as `auditor's key`.
    pub fn noun(self) -> &'static str {
        match self {
            Purpose::Scim => "token",
            Purpose::Audit => "auditor's key",
            Purpose::Administration => "admin's key",
            Purpose::Operation => "operator's key",
            Purpose::Feed => "consumer's key",
        }
    }
}
