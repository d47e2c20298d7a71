//! What of an organization's log was lost, and what is done about it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// What of an organization's log was lost, and what can be done.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RepairPlanBody {
    /// Whose log.
    pub organization_id: Uuid,
    /// Which log: a backup of this one has the records.
    pub epoch: Uuid,
    /// Records that are missing or cannot be read, the first 10,000.
    pub lost: Vec<LostRecordBody>,
    /// Whether the log can be made to count without them. False if nothing is lost, or if what
    /// brought the organization into being is among them.
    pub can_be_accepted: bool,
    /// What is to be done once the log counts without them: `restart-provisioning`, so that Entra
    /// says anew what users and groups are; `review-credentials`, because a revocation, or a change
    /// of single sign-on, may be among what was lost.
    pub then: Vec<String>,
}

/// A record that was lost.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LostRecordBody {
    /// Where it was.
    pub position: u64,
    /// What has become of it: `missing`, `unreadable`, or `left-behind`: it can be read, and means
    /// nothing without another one.
    pub was: String,
    /// What it was about: `User`, `Group`, `Organization`, `Consumer`; absent if nothing tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<String>,
    /// Which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Uuid>,
}

/// What is to be done. One of both.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RepairLog {
    /// Records of a backup, to be put back if they are those that were lost: `record` of its lines.
    #[schema(value_type = Vec<Object>)]
    pub records: Vec<Value>,
    /// Lets the log count without what was lost, and says why: at most 1,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// What was done.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RepairedBody {
    /// Positions at which the records are again that were lost.
    pub put_back: Vec<u64>,
    /// Positions that the log counts without.
    pub passed_over: Vec<LostRecordBody>,
    /// What is still lost.
    pub lost: Vec<LostRecordBody>,
    /// What is to be done now, as the plan has it.
    pub then: Vec<String>,
}
