//! Logins.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which logins, newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct LoginQuery {
    /// Accepted ones only, or refused ones only.
    pub accepted: Option<bool>,
    /// Only those of this user.
    pub user: Option<Uuid>,
    /// Only those whose assertion said something else than SCIM.
    pub drifted: bool,
    /// Messages that could not be trusted, which are no events and are kept while they last; not
    /// with `accepted`, `user` and `drifted`.
    pub untrusted: bool,
    /// Only those before this position.
    pub before: Option<u64>,
    /// At most so many; 100 if absent, 1000 at most.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// The next page: `next-cursor` of the page before, with its other parameters as they were.
    pub cursor: Option<String>,
}

/// Where an assertion said something else than SCIM. What SCIM said counts.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DriftBody {
    /// The SCIM attribute.
    pub attribute: String,
    /// What SCIM said.
    pub scim: String,
    /// What the assertion said.
    pub asserted: String,
}

/// An attempt to sign in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LoginBody {
    /// Position of its event; of a message that could not be trusted, and so is no event, its
    /// number among those.
    pub position: u64,
    /// The exchange.
    pub exchange: Option<Uuid>,
    /// When.
    #[serde(serialize_with = "crate::time::serialize")]
    pub at: DateTime<Utc>,
    /// `accepted` or `refused`.
    pub outcome: String,
    /// Why it was refused, as a stable code.
    pub reason: Option<String>,
    /// Why it was refused, in words.
    pub detail: Option<String>,
    /// The user, if it was known who it is.
    pub user_id: Option<Uuid>,
    /// What the identity provider calls the person.
    pub name_id: Option<String>,
    /// The object id that it gives the person.
    pub object_id: Option<String>,
    /// `external-id` or `user-name`: what the user was recognized by.
    pub matched_by: Option<String>,
    /// `service-provider` or `identity-provider`: who began.
    pub initiated_by: Option<String>,
    /// Who issued the assertion.
    pub issuer: Option<String>,
    /// The assertion's id.
    pub assertion: Option<String>,
    /// The request that it answers.
    pub request: Option<String>,
    /// SHA-256 of the certificate that verified it.
    pub certificate: Option<String>,
    /// `assertion`, `response` or `both`: what was signed.
    pub signed: Option<String>,
    /// Whether it came encrypted.
    pub encrypted: bool,
    /// When the person proved who they are to the identity provider.
    #[serde(serialize_with = "crate::time::optional")]
    pub authn_instant: Option<DateTime<Utc>>,
    /// The address it came from.
    pub source: Option<String>,
    /// The session that began.
    pub session_id: Option<Uuid>,
    /// SHA-256 of the message.
    pub message_sha256: String,
    /// Where the assertion said something else than SCIM.
    pub drift: Vec<DriftBody>,
}

/// The login in a path.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct LoginPath {
    /// Domain or id of the organization.
    pub organization: String,
    /// Id of the exchange: the reference on the page that refuses a login.
    pub exchange: Uuid,
}
