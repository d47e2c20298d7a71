//! What can be asked about credentials, and why it is not done.

use super::{CredentialIssued, Purpose};
use crate::ids::CredentialId;
use chrono::{DateTime, Utc};

/// So long may a label be, in characters.
pub(super) const LABEL_CHARS: usize = 200;
/// So many audiences may one trust have.
pub(super) const MOST_AUDIENCES: usize = 10;

/// What can be asked about credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialCommand {
    /// Let one in.
    Issue(CredentialIssued),
    /// Refuse one from now on.
    Revoke {
        /// Which.
        credential: CredentialId,
        /// It must be for this.
        purpose: Purpose,
    },
    /// Take one more secret beside the one that is there.
    AddSecret {
        /// Which.
        credential: CredentialId,
        /// SHA-256 of the secret, in lower-case hex.
        sha256: String,
        /// From when on it is refused.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Refuse the older of two secrets from now on.
    RetireSecret {
        /// Which.
        credential: CredentialId,
    },
    /// Trust assertions for one more audience.
    TrustAudience {
        /// Which.
        credential: CredentialId,
        /// What `aud` may be, exactly.
        audience: String,
    },
    /// Keep that one let somebody in, if that was not said.
    NoteUse {
        /// Which.
        credential: CredentialId,
    },
    /// Keep which come to their end, or have, as far as that was not said.
    NoteEnds,
}

/// Why a command about credentials was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The label cannot be used.
    #[error("the label must say whom or what the {} is for: 1 to {LABEL_CHARS} characters, no control characters", .0.noun())]
    InvalidLabel(Purpose),
    /// The end is not in the future.
    #[error("the {} would be expired already: give an expiry in the future", .0.noun())]
    ExpiryPassed(Purpose),
    /// A client secret must end.
    #[error("a client secret ends after 1 day to 3 years: give an expiry between them")]
    SecretLife,
    /// The values that prove it cannot be used.
    #[error("{0}")]
    InvalidProof(&'static str),
    /// As many tokens are live as may be.
    #[error("two tokens are live already, which is enough for a rotation: revoke one first")]
    TooManyTokens,
    /// As many secrets are live as may be.
    #[error("two secrets are live already, which is enough for a rotation: retire the older first")]
    TooManySecrets,
    /// As many audiences are trusted as may be.
    #[error("{MOST_AUDIENCES} audiences are trusted already")]
    TooManyAudiences,
    /// There is one secret only.
    #[error("this is the only secret: rotate first, or revoke the whole")]
    OnlySecret,
    /// It is proved otherwise.
    #[error("this credential has no secrets, or no audiences, of its own: it is proved otherwise")]
    OtherProof,
    /// As many are live as may be.
    #[error("{} of them are live already: revoke those that nobody needs", .0.most_live())]
    TooMany(Purpose),
    /// There is none.
    #[error("there is no such {}", .0.noun())]
    Unknown(Purpose),
    /// It is refused for good.
    #[error("this credential was revoked, which is for good: add another")]
    Revoked,
    /// The id was given out before.
    #[error("a credential with this id exists")]
    Exists,
}
