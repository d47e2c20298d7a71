//! What can have happened to a user. Published payloads are frozen: a change is a new version.

use crate::diff::Change;
use crate::event_macro::events;
use crate::ids::{ExchangeId, SessionId};
use crate::login::{Attempt, Drift, MatchedBy, ObjectId, RefusedLogin};
use crate::personal::Personal;
use crate::scim::Attributes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Why a session ended before its time. That SCIM switched the user off or removed them needs no
/// event of its own: it ends all sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionEnd {
    /// The person signed out here.
    SignedOut,
    /// The identity provider said that the person signed out.
    SignedOutAtIdentityProvider,
    /// The operator ended it.
    Operator,
    /// Nobody asked for it for longer than the organization allows.
    Idle,
    /// Single sign-on was switched off.
    SingleSignOnDisabled,
    /// The organization trusts another identity provider now.
    IdentityProviderReplaced,
}

impl SessionEnd {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            SessionEnd::SignedOut => "signed-out",
            SessionEnd::SignedOutAtIdentityProvider => "signed-out-at-identity-provider",
            SessionEnd::Operator => "operator",
            SessionEnd::Idle => "idle",
            SessionEnd::SingleSignOnDisabled => "single-sign-on-disabled",
            SessionEnd::IdentityProviderReplaced => "identity-provider-replaced",
        }
    }
}

/// A session that began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// Names the session.
    pub session: SessionId,
    /// SHA-256 of the session's token, in lower-case hex. The token is in the browser only.
    pub token_sha256: String,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// When it is over at the latest.
    pub expires_at: DateTime<Utc>,
    /// What the user was recognized by.
    pub matched_by: MatchedBy,
    /// The attempt.
    pub attempt: Attempt,
    /// Where the assertion said something else than SCIM.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Drift>,
}

events! {
    /// An event of a user.
    UserEvent, UserEventKind {
        /// The user came to be, with these attributes (canonical; `userName` and `active` among
        /// them).
        "UserCreated" "1" Created {
            /// All attributes.
            attributes: Personal<Attributes>,
        },
        /// `userName` changed.
        "UserRenamed" "1" Renamed {
            /// The old `userName`.
            before: Personal<String>,
            /// The new `userName`.
            after: Personal<String>,
        },
        /// `active` became true.
        "UserActivated" "1" Activated {},
        /// `active` became false.
        "UserDeactivated" "1" Deactivated {},
        /// Attributes other than `userName` and `active` changed.
        "UserChanged" "1" Changed {
            /// What changed, ordered by attribute.
            changes: Vec<Change>,
        },
        /// The user is gone; the `userName` is free.
        "UserDeleted" "1" Deleted {
            /// The last `userName`.
            user_name: Personal<String>,
        },
        /// Who the user was is erased: the keys are destroyed that what is personal was sealed with.
        "UserErased" "1" Erased {
            /// Why, in the operator's words.
            because: String,
        },
        /// Who the user is or was may not be erased until they are released.
        "UserHeld" "1" Held {
            /// Why, in the words of whoever holds them.
            because: String,
        },
        /// Who the user is or was may be erased again.
        "UserReleased" "1" Released {
            /// Why, in the words of whoever releases them.
            because: String,
        },
        /// A login was accepted and a session began.
        "UserSignedIn" "1" SignedIn(Box<SignedIn>),
        /// A login as this user was refused.
        "UserLoginRefused" "1" LoginRefused(Box<RefusedLogin>),
        /// A session ended before its time.
        "UserSessionEnded" "1" SessionEnded {
            /// Which.
            session: SessionId,
            /// Why.
            end: SessionEnd,
        },
        /// A session that SCIM had ended was asked for and refused, for the first time.
        "UserSessionRefused" "1" SessionRefused {
            /// Which.
            session: SessionId,
            /// From the first byte of the SCIM request to the refusal.
            milliseconds: u64,
            /// The SCIM request.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            ended_by: Option<ExchangeId>,
        },
        /// The user's person is known by this object id from now on: since their first login, or
        /// because an admin says so.
        "UserObjectIdPinned" "1" ObjectIdPinned {
            /// The object id.
            known: ObjectId,
            /// Why, in the words of the admin who pinned it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            reason: Option<String>,
        },
        /// The user's person is not known by this object id any more: the next login pins its own.
        "UserObjectIdReleased" "1" ObjectIdReleased {
            /// The object id.
            known: ObjectId,
            /// Why, in the words of the admin who released it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            reason: Option<String>,
        },
    }
}

impl UserEvent {
    /// Whether it changes the SCIM resource.
    pub fn changes_resource(&self) -> bool {
        self.kind().changes_resource()
    }
}

/// Whether a stored event of a user may change the SCIM resource; one that is not known may.
pub fn changes_resource(event_type: &str) -> bool {
    UserEventKind::named(event_type).is_none_or(UserEventKind::changes_resource)
}

impl UserEventKind {
    /// Whether it changes the SCIM resource. A login does not: `meta` and the ETag stay as they
    /// are.
    pub fn changes_resource(self) -> bool {
        match self {
            Self::Created
            | Self::Renamed
            | Self::Activated
            | Self::Deactivated
            | Self::Changed
            | Self::Deleted => true,
            Self::Erased
            | Self::Held
            | Self::Released
            | Self::SignedIn
            | Self::LoginRefused
            | Self::SessionEnded
            | Self::SessionRefused
            | Self::ObjectIdPinned
            | Self::ObjectIdReleased => false,
        }
    }

    /// Whether all of a user's sessions end with it.
    pub fn ends_sessions(self) -> bool {
        matches!(self, Self::Deactivated | Self::Deleted)
    }
}
