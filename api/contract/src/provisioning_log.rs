//! Entra's own provisioning log, imported and held against what was recorded.

use crate::runs::RunBody;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// What an import came to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportedBody {
    /// Entries in the file.
    pub entries: u64,
    /// Cycles they belong to.
    pub cycles: u64,
    /// Entries about a user or group that is or was here.
    #[serde(default)]
    pub matched: u64,
    /// Positions of the first and last event that keep what was new; none if everything was known.
    pub positions: Option<(u64, u64)>,
}

/// Which cycles of an imported log are to be taken back.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ForgetImport {
    /// Entra's ids of the cycles.
    pub cycles: BTreeSet<String>,
    /// All that were imported, in place of naming them.
    pub all: bool,
}

/// What was taken back.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ForgottenBody {
    /// Positions of the first and last event that say so; none if nothing was imported.
    pub positions: Option<(u64, u64)>,
}

/// What Entra believes, and what was recorded, for the time that was imported.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReconciliationBody {
    /// Entra's cycles and the runs that stand for them.
    pub cycles: Vec<CycleBody>,
    /// Cycles of which nothing came in.
    pub unseen_cycles: Vec<String>,
    /// Where the two differ in what was done.
    pub differences: Vec<MismatchBody>,
    /// Runs with changes of which Entra's log knows nothing.
    pub unknown_runs: Vec<RunBody>,
}

/// A cycle of Entra's log.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CycleBody {
    /// Entra's id of it.
    pub cycle: String,
    /// The run that stands for it.
    pub run: Uuid,
    /// `user` for a run on demand, `service` for a cycle; absent if the log does not say.
    pub initiator: Option<String>,
    /// Changes that Entra names in it.
    pub changes: u64,
    /// Exchanges that were found for them.
    pub exchanges: u64,
}

/// One difference.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MismatchBody {
    /// `not-seen`, `done-here`, `refused-here` or `not-in-log`.
    pub difference: String,
    /// The same in words.
    pub meaning: String,
    /// Entra's id of the cycle.
    pub cycle: String,
    /// Entra's id of the change.
    pub change: Option<String>,
    /// When: as Entra says, or when the exchange came in.
    #[serde(serialize_with = "crate::time::optional")]
    pub at: Option<DateTime<Utc>>,
    /// What Entra says it did.
    pub action: Option<String>,
    /// How it ended, as Entra says.
    pub status: Option<String>,
    /// Entra's name of the error.
    pub error: Option<String>,
    /// The resource.
    pub subject: Option<String>,
    /// The exchange.
    pub exchange: Option<Uuid>,
    /// What the exchange asked for.
    pub operation: Option<String>,
    /// What it was answered.
    pub answered: Option<u16>,
}
