//! What can be asked of an organization.

use crate::ids::TokenId;
use chrono::{DateTime, Utc};

/// A command on one organization.
#[derive(Clone, Debug, PartialEq)]
pub enum OrganizationCommand {
    /// Bring the organization into being.
    Create {
        /// Its name for people.
        name: String,
        /// Its slug, unique in the deployment.
        domain: String,
    },
    /// Answer its requests again.
    Enable,
    /// Answer all its requests 503 until it is enabled.
    Disable,
    /// Let its SCIM connection work.
    EnableScim,
    /// Answer its SCIM requests 503 until SCIM is enabled.
    DisableScim,
    /// Let a token in; enables SCIM if it never was.
    IssueToken {
        /// Names the token.
        token: TokenId,
        /// SHA-256 of the token, in lower-case hex.
        sha256: String,
        /// What the operator calls it.
        label: String,
        /// From when on it is refused.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Refuse a token from now on.
    RevokeToken {
        /// Names the token.
        token: TokenId,
    },
}

/// Why a command on an organization was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationError {
    /// There is no such organization.
    #[error("there is no such organization")]
    NotFound,
    /// The id is in use.
    #[error("an organization with this id exists")]
    AlreadyExists,
    /// The name cannot be used.
    #[error("the name must have 1 to 200 characters and no control characters")]
    InvalidName,
    /// The domain cannot be used.
    #[error("the domain must have 1 to 63 characters: lower-case letters, digits and hyphens, no hyphen at either end")]
    InvalidDomain,
    /// The label cannot be used.
    #[error("the label must have at most 200 characters and no control characters")]
    InvalidLabel,
    /// As many tokens are live as may be.
    #[error("two tokens are live already, which is enough for a rotation: revoke one first")]
    TooManyTokens,
    /// The expiry is not in the future.
    #[error("the token would be expired already: give an expiry in the future")]
    ExpiryPassed,
    /// There is no such token.
    #[error("there is no such token")]
    UnknownToken,
}
