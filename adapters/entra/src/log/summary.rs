//! Microsoft Graph's `provisioningObjectSummary`: what became of one object in one run.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Created in the target.
    Create,
    /// Changed in the target.
    Update,
    /// Deleted in the target.
    Delete,
    /// Would be deleted or disabled, but too many would be.
    StagedDelete,
    /// Switched off in the target.
    Disable,
    /// Anything else.
    Other,
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Result {
    /// Well.
    Success,
    /// Badly.
    Failure,
    /// There was nothing to do.
    Skipped,
    /// Well, with something to look at.
    Warning,
}

/// The kinds of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StepType {
    /// The object was read from the source.
    Import,
    /// It was found in or out of scope.
    Scoping,
    /// It was looked for in the target.
    Matching,
    /// What to do was decided.
    Processing,
    /// Manager or members were resolved.
    ReferenceResolution,
    /// The target was told.
    Export,
}

/// Somebody or something with an id and a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Party {
    /// Id.
    pub id: String,
    /// Name.
    pub display_name: String,
    /// `application` or `user`, where it says who began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiator_type: Option<&'static str>,
}

/// An object in one of the two systems.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Its id there: the object id in Entra, the SCIM `id` in the target.
    pub id: String,
    /// Its name there.
    pub display_name: String,
    /// `User` or `Group`.
    pub identity_type: &'static str,
    /// More about it.
    pub details: Map<String, Value>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProvisioningStep {
    /// Such as `EntryExportAdd`.
    pub name: &'static str,
    /// Kind.
    pub provisioning_step_type: StepType,
    /// Outcome.
    pub status: Result,
    /// What happened.
    pub description: String,
    /// More about it.
    pub details: Map<String, Value>,
}

/// One attribute that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModifiedProperty {
    /// Target attribute.
    pub display_name: String,
    /// Value before, if Entra knew one.
    pub old_value: Option<String>,
    /// Value after.
    pub new_value: Option<String>,
}

/// Why it failed, or why there was nothing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorInformation {
    /// Such as `EntryConflict`.
    pub error_code: String,
    /// What the target said.
    pub reason: String,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_details: Option<String>,
    /// `failure`, `nonServiceFailure` or `success`.
    pub error_category: &'static str,
    /// Where to read on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recommended_action: Option<String>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusInfo {
    /// Outcome.
    pub status: Result,
    /// Why, unless it was a success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_information: Option<ErrorInformation>,
}

/// What became of one object in one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectSummary {
    /// Unique.
    pub id: Uuid,
    /// When it was done.
    pub activity_date_time: DateTime<Utc>,
    /// The tenant.
    pub tenant_id: Uuid,
    /// The job.
    pub job_id: String,
    /// The run.
    pub cycle_id: Uuid,
    /// The change; unique within the run.
    pub change_id: Uuid,
    /// What was done.
    pub provisioning_action: Action,
    /// How long it took.
    pub duration_in_milliseconds: i64,
    /// Who began it.
    pub initiated_by: Party,
    /// The application's service principal.
    pub service_principal: Party,
    /// Where it came from.
    pub source_system: Party,
    /// Where it went.
    pub target_system: Party,
    /// The object in Entra.
    pub source_identity: Identity,
    /// The object in the target; its id is the SCIM `id`.
    pub target_identity: Identity,
    /// What was done in turn.
    pub provisioning_steps: Vec<ProvisioningStep>,
    /// What was changed.
    pub modified_properties: Vec<ModifiedProperty>,
    /// How it ended.
    pub provisioning_status_info: StatusInfo,
}
