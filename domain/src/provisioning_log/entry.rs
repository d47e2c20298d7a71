//! What is kept of an entry of Entra's log.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What Entra says of one object in one cycle. No names, no values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ImportedChange {
    /// When it was done.
    pub at: DateTime<Utc>,
    /// Entra's id of it, unique in its cycle.
    pub change: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What was done.
    pub action: ImportedAction,
    /// How it ended.
    pub status: ImportedStatus,
    /// Entra's name of the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The id of the resource here: what SCIM calls `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Who began it, if the log says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiator: Option<Initiator>,
}

/// What Entra did with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportedAction {
    /// Created it here.
    Create,
    /// Changed it here.
    Update,
    /// Deleted it here.
    Delete,
    /// Would have deleted it, but too many would have been.
    StagedDelete,
    /// Switched it off here.
    Disable,
    /// Anything else.
    Other,
}

impl ImportedAction {
    /// Reads Entra's word, in any case.
    pub fn parse(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "create" => ImportedAction::Create,
            "update" => ImportedAction::Update,
            "delete" => ImportedAction::Delete,
            "stageddelete" => ImportedAction::StagedDelete,
            "disable" => ImportedAction::Disable,
            _ => ImportedAction::Other,
        }
    }

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            ImportedAction::Create => "create",
            ImportedAction::Update => "update",
            ImportedAction::Delete => "delete",
            ImportedAction::StagedDelete => "staged-delete",
            ImportedAction::Disable => "disable",
            ImportedAction::Other => "other",
        }
    }

    /// True if something is sent for it.
    pub fn writes(self) -> bool {
        !matches!(self, ImportedAction::StagedDelete | ImportedAction::Other)
    }
}

/// How it ended, as Entra sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportedStatus {
    /// Well.
    Success,
    /// Badly.
    Failure,
    /// There was nothing to do.
    Skipped,
    /// Well, with something to look at.
    Warning,
}

impl ImportedStatus {
    /// Reads Entra's word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "success" => Some(ImportedStatus::Success),
            "failure" => Some(ImportedStatus::Failure),
            "skipped" => Some(ImportedStatus::Skipped),
            "warning" => Some(ImportedStatus::Warning),
            _ => None,
        }
    }

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            ImportedStatus::Success => "success",
            ImportedStatus::Failure => "failure",
            ImportedStatus::Skipped => "skipped",
            ImportedStatus::Warning => "warning",
        }
    }
}

/// Who began something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initiator {
    /// A person: on demand.
    User,
    /// The service: a cycle.
    Service,
}

impl Initiator {
    /// Reads Entra's word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "user" => Some(Initiator::User),
            "application" | "system" => Some(Initiator::Service),
            _ => None,
        }
    }
}
