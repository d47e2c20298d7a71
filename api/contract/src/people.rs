//! One person: whether they are held, and everything that is known of them.

use crate::events::EventBody;
use crate::exchanges::{ExchangeBody, ExchangeSummary};
use crate::logins::LoginBody;
use crate::memberships::MembershipBody;
use crate::moment::Moment;
use crate::sessions::SessionSummary;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// Who is to be held, or released.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldPerson {
    /// The user's id. What they are called is in no request.
    pub user: Uuid,
    /// Why, for those who ask later: at most 1,000 characters, and no name among them.
    pub because: String,
}

/// Somebody whom nobody may erase.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HoldBody {
    /// The user.
    pub user_id: Uuid,
    /// The position at which it is said.
    pub position: u64,
    /// Since when.
    #[serde(serialize_with = "crate::time::serialize")]
    pub since: DateTime<Utc>,
    /// Who said so.
    pub actor: Value,
    /// Why.
    pub because: String,
}

/// A consumer that is told of an organization's people.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RecipientBody {
    /// Names it.
    pub consumer: Uuid,
    /// What it is called.
    pub name: String,
    /// `full` if it is told what people are called, `notice` if it is told ids alone.
    pub payload: String,
    /// Whether it was removed since; it keeps what it has.
    pub removed: bool,
}

/// How long something is kept.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RetentionBody {
    /// What: `events`, `exchanges` or `exchange-bodies`.
    pub what: String,
    /// For so many days; absent where nothing but an erasure ends it.
    pub days: Option<u64>,
}

/// What is known of a person, but for exchanges.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PersonHead {
    /// The organization.
    pub organization_id: Uuid,
    /// The user.
    pub user_id: Uuid,
    /// Everything is as of this moment.
    pub as_of: Moment,
    /// Who told what is known: the distinct actors of the person's events, such as a SCIM token of
    /// the directory.
    pub sources: Vec<Value>,
    /// The user as SCIM shows them; absent if the directory has them no more.
    pub resource: Option<Value>,
    /// Why nobody may erase them, if that holds.
    pub hold: Option<HoldBody>,
    /// The position at which it is said that they are erased.
    pub erased_at: Option<u64>,
    /// Everything that happened to them, with values before and after.
    pub events: Vec<EventBody>,
    /// Every time that they were in a group, directly.
    pub memberships: Vec<MembershipBody>,
    /// Every attempt to sign in as them.
    pub logins: Vec<LoginBody>,
    /// Attempts to sign in that were refused as nobody's, and name them.
    pub logins_of_nobody: Vec<EventBody>,
    /// Their sessions.
    pub sessions: Vec<SessionSummary>,
    /// Who is told of the organization's people outside.
    pub recipients: Vec<RecipientBody>,
    /// How long all of this is kept.
    pub retention: Vec<RetentionBody>,
}

/// Everything that is known of a person.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PersonBody {
    /// All but exchanges.
    #[serde(flatten)]
    pub head: PersonHead,
    /// Requests about them, with bodies.
    pub exchanges: Vec<ExchangeBody>,
    /// Requests about others, or about many, that name them; without bodies, for those tell of
    /// others.
    pub named_in: Vec<ExchangeSummary>,
}
