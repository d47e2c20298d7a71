//! What can have happened to a user. Published payloads are frozen: a change is a new version.

use crate::ids::{ExchangeId, SessionId};
use crate::login::{Attempt, Drift, MatchedBy, RefusedLogin};
use crate::personal::Personal;
use crate::scim::Attributes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One attribute before and after. The path is canonical: a core attribute's name, or
/// `schema-urn:name` for an attribute of an extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Canonical attribute path, such as `displayName` or `urn:...:User:department`.
    pub attribute: String,
    /// Its value before; absent if it was unassigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Personal<Value>>,
    /// Its value after; absent if it is unassigned now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Personal<Value>>,
}

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
}

impl SessionEnd {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            SessionEnd::SignedOut => "signed-out",
            SessionEnd::SignedOutAtIdentityProvider => "signed-out-at-identity-provider",
            SessionEnd::Operator => "operator",
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

/// An event of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum UserEvent {
    /// The user came to be, with these attributes (canonical; `userName` and `active` among them).
    #[serde(rename = "UserCreated")]
    Created {
        /// All attributes.
        attributes: Personal<Attributes>,
    },
    /// `userName` changed.
    #[serde(rename = "UserRenamed")]
    Renamed {
        /// The old `userName`.
        before: Personal<String>,
        /// The new `userName`.
        after: Personal<String>,
    },
    /// `active` became true.
    #[serde(rename = "UserActivated")]
    Activated {},
    /// `active` became false.
    #[serde(rename = "UserDeactivated")]
    Deactivated {},
    /// Attributes other than `userName` and `active` changed.
    #[serde(rename = "UserChanged")]
    Changed {
        /// What changed, ordered by attribute.
        changes: Vec<Change>,
    },
    /// The user is gone; the `userName` is free.
    #[serde(rename = "UserDeleted")]
    Deleted {
        /// The last `userName`.
        user_name: Personal<String>,
    },
    /// A login was accepted and a session began.
    #[serde(rename = "UserSignedIn")]
    SignedIn(Box<SignedIn>),
    /// A login as this user was refused.
    #[serde(rename = "UserLoginRefused")]
    LoginRefused(Box<RefusedLogin>),
    /// A session ended before its time.
    #[serde(rename = "UserSessionEnded")]
    SessionEnded {
        /// Which.
        session: SessionId,
        /// Why.
        end: SessionEnd,
    },
    /// A session that SCIM had ended was asked for and refused, for the first time.
    #[serde(rename = "UserSessionRefused")]
    SessionRefused {
        /// Which.
        session: SessionId,
        /// From the first byte of the SCIM request to the refusal.
        milliseconds: u64,
        /// The SCIM request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended_by: Option<ExchangeId>,
    },
}

impl UserEvent {
    /// The stable name and payload version of an event.
    pub fn kind(&self) -> (&'static str, &'static str) {
        match self {
            UserEvent::Created { .. } => ("UserCreated", "1"),
            UserEvent::Renamed { .. } => ("UserRenamed", "1"),
            UserEvent::Activated {} => ("UserActivated", "1"),
            UserEvent::Deactivated {} => ("UserDeactivated", "1"),
            UserEvent::Changed { .. } => ("UserChanged", "1"),
            UserEvent::Deleted { .. } => ("UserDeleted", "1"),
            UserEvent::SignedIn(_) => ("UserSignedIn", "1"),
            UserEvent::LoginRefused(_) => ("UserLoginRefused", "1"),
            UserEvent::SessionEnded { .. } => ("UserSessionEnded", "1"),
            UserEvent::SessionRefused { .. } => ("UserSessionRefused", "1"),
        }
    }

    /// Whether it changes the SCIM resource. A login does not: `meta` and the ETag stay as they are.
    pub fn changes_resource(&self) -> bool {
        match self {
            UserEvent::Created { .. }
            | UserEvent::Renamed { .. }
            | UserEvent::Activated {}
            | UserEvent::Deactivated {}
            | UserEvent::Changed { .. }
            | UserEvent::Deleted { .. } => true,
            UserEvent::SignedIn(_) | UserEvent::LoginRefused(_) | UserEvent::SessionEnded { .. } | UserEvent::SessionRefused { .. } => {
                false
            }
        }
    }
}

/// [`UserEvent::changes_resource`], by the stable name of an event.
pub fn changes_resource(event_type: &str) -> bool {
    !matches!(event_type, "UserSignedIn" | "UserLoginRefused" | "UserSessionEnded" | "UserSessionRefused")
}

impl cqrs_es::DomainEvent for UserEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }
    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}
