//! One inbound request with our answer, kept whatever became of it.

use crate::actor::Actor;
use crate::body_hashes::{BodyHashes, Sha256Hash};
use crate::facts::Facts;
use crate::ids::{ExchangeId, OrganizationId};
use crate::interpretation::Interpretation;
use crate::scim::Rule;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What can be asked of the doors whose addresses no description lists: SCIM, SAML, OAuth, and what
/// the console does of itself. `unknown` is
/// what any door calls a request that it has no operation for.
pub const OPERATIONS: [&str; 37] = [
    "bulk",
    "console.open-link",
    "console.sign-in",
    "console.sign-out",
    "console.watch",
    "groups.create",
    "groups.delete",
    "groups.list",
    "groups.patch",
    "groups.read",
    "groups.replace",
    "groups.search",
    "me",
    "oauth.resource-metadata",
    "oauth.server-metadata",
    "oauth.token",
    "resource-types",
    "root.list",
    "root.search",
    "saml.acs",
    "saml.login",
    "saml.logout",
    "saml.metadata",
    "saml.page",
    "saml.signed-in",
    "saml.unknown",
    "saml.wrong-method",
    "schemas",
    "service-provider-config",
    "unknown",
    "users.create",
    "users.delete",
    "users.list",
    "users.patch",
    "users.read",
    "users.replace",
    "users.search",
];

/// The protocol an exchange speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// SCIM 2.0 (RFC 7644).
    Scim,
    /// SAML 2.0.
    Saml,
    /// An auditor reading by `/api/v1`.
    Audit,
    /// Somebody changing something by `/api/v1`, or reading what only operators and admins may.
    Administration,
    /// A client asking for an access token (RFC 6749), or where to ask for one (RFC 8414, RFC 9728).
    Oauth,
    /// An application asking by `/api/v1/session` who holds a session.
    Session,
    /// A consumer following the log.
    Feed,
}

impl Protocol {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Scim => "scim",
            Protocol::Saml => "saml",
            Protocol::Oauth => "oauth",
            Protocol::Audit => "audit",
            Protocol::Administration => "administration",
            Protocol::Session => "session",
            Protocol::Feed => "feed",
        }
    }
}

/// One inbound request as received, secrets removed, with what we answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// Its id; delivering the same exchange again appends nothing.
    pub id: ExchangeId,
    /// The organization the token named; [`OrganizationId::NONE`] if none.
    pub organization: OrganizationId,
    /// The `/Bulk` exchange this one is an operation of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ExchangeId>,
    /// The exchange that was submitted again with this one, by the operator's hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replays: Option<ExchangeId>,
    /// When the first byte was read.
    pub received_at: DateTime<Utc>,
    /// The protocol.
    pub protocol: Protocol,
    /// The HTTP method as received.
    pub method: String,
    /// Path and query as received, secrets removed.
    pub target: String,
    /// Headers as received, secrets removed.
    pub headers: Vec<(String, String)>,
    /// The peer's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Who called.
    pub caller: Actor,
    /// What was asked for, such as `users.patch`.
    pub operation: String,
    /// The id of the resource it was about, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// For a new resource: a keyed hash of the identifier that the client gave it, so that a
    /// creation that failed and one that succeeded later are found together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_key: Option<String>,
    /// Liberties taken to read it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interpretations: Vec<Interpretation>,
    /// True if it had a shape the decoder does not know.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown_shape: bool,
    /// What it was about, as data.
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    pub facts: Facts,
    /// What we answered.
    pub answer: Answer,
    /// From the first byte to the append, in microseconds.
    pub duration_us: u64,
    /// What was taken out of `request_body` before it was kept, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redactions: Vec<String>,
    /// True if the bodies were kept once and dropped later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bodies_dropped: bool,
    /// Hashes of the bodies that were dropped: what the ledger vouches for is still the same.
    /// Absent while the bodies are there, and where they were dropped before there was a ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_hashes: Option<BodyHashes>,
    /// Hash of its particulars, once they were erased ([`erase_exchange`](crate::ledger::entry::erase_exchange)): what the ledger vouches
    /// for is still the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub particulars_hash: Option<Sha256Hash>,
    /// The body as received, secrets removed. Stored beside the document.
    #[serde(skip)]
    pub request_body: Vec<u8>,
    /// The body we answered with; see [`Answer::body_kept`]. Stored beside the document.
    #[serde(skip)]
    pub answer_body: Vec<u8>,
}

impl Exchange {
    /// The hashes of its bodies, also if those are dropped. A hash that is kept stands for no body
    /// that is there: else any body could be put under it.
    pub fn hashes_of_bodies(&self) -> BodyHashes {
        let are_gone = self.request_body.is_empty() && self.answer_body.is_empty();
        let kept = self.body_hashes.filter(|_| are_gone);
        kept.unwrap_or_else(|| BodyHashes::of(&self.request_body, &self.answer_body))
    }

    /// Whether everything of it is gone whose words others chose.
    pub fn is_erased(&self) -> bool {
        self.particulars_hash.is_some()
    }

    /// Leaves nothing of what others chose the words of, beside the bodies.
    pub(crate) fn erase_particulars(&mut self) {
        (self.method, self.target) = (String::new(), String::new());
        (self.headers, self.source) = (Vec::new(), None);
        (self.subject, self.subject_key) = (None, None);
        (self.interpretations, self.facts) = (Vec::new(), Facts::default());
        (self.answer.headers, self.answer.detail) = (Vec::new(), None);
        self.redactions = Vec::new();
    }
}

/// What we answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers that carry meaning (`Location`, `ETag`, `Retry-After`, `WWW-Authenticate`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// RFC 7644 section 3.12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<String>,
    /// The rule that a refusal comes from, where it has a name of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// The error's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How many resources a query found; absent for everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<u64>,
    /// Length of the body in bytes.
    pub body_bytes: u64,
    /// False if the body was too long to keep.
    pub body_kept: bool,
}
