//! Why something could not be sealed or opened. Never says what.

use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AppendError, LogError};

/// Why something could not be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealingError {
    /// It was changed after it was sealed, or is not where it was sealed.
    #[error("what was sealed is not what is there, or not there where it was sealed")]
    Changed,
    /// It cannot be read at all.
    #[error("what was sealed has a shape that is not known")]
    Shape,
    /// The key is not there.
    #[error("the key that it was sealed with was never made: keys and log do not belong together")]
    NoKey,
    /// The keys are older than the log, or of another one.
    #[error(
        "the keys of {0} are not those that its log was sealed with: put back the side store (side.db, or the schema rollcall_side) that belongs to this log, or restore a backup into a fresh one"
    )]
    OtherKeys(OrganizationId),
    /// Wrapped by another deployment's key.
    #[error(
        "the organization's key was wrapped with the deployment key {wrapped_with}, and this process has {ours}: give it that one with --deployment-key-file"
    )]
    OtherDeployment {
        /// Names the key that was used.
        wrapped_with: String,
        /// Names the key that is here.
        ours: String,
    },
    /// Whom it is about was erased.
    #[error("whom this is about was erased: nothing more is written of them")]
    Erased,
    /// The cryptographic library failed.
    #[error("openssl failed")]
    OpenSsl,
    /// The keys could not be read or written.
    #[error(transparent)]
    Keys(#[from] LogError),
}

impl From<openssl::error::ErrorStack> for SealingError {
    fn from(_: openssl::error::ErrorStack) -> Self {
        Self::OpenSsl
    }
}

impl From<SealingError> for LogError {
    fn from(error: SealingError) -> Self {
        match error {
            SealingError::Keys(error) => error,
            SealingError::OpenSsl => LogError::Unavailable(error.to_string()),
            _ => LogError::Damaged(error.to_string()),
        }
    }
}

impl From<SealingError> for AppendError {
    fn from(error: SealingError) -> Self {
        AppendError::Unavailable(error.to_string())
    }
}
