//! Views: how far they are, what a rebuild did, what a comparison found.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// How far one organization's views are.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ViewBody {
    /// The organization; the nil id stands for exchanges that named none.
    pub organization_id: Uuid,
    /// `live`, what answers SCIM, or `audit`, what answers auditors.
    pub family: String,
    /// Position of the last record that is folded.
    pub position: u64,
    /// Position of the last record in the log.
    pub head: u64,
    /// Number of the last exchange that is folded.
    pub exchange_number: u64,
    /// Number of the last exchange in the log.
    pub exchange_head: u64,
    /// Set if a record cannot be folded.
    pub stopped: Option<StoppedBody>,
}

/// Why an organization's views have stopped.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StoppedBody {
    /// The record that cannot be folded.
    pub position: u64,
    /// A stable word: `record-missing`, `record-unreadable` or `record-not-understood`.
    pub reason: String,
    /// The same in words.
    pub error: String,
}

/// What a rebuild did.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RebuiltBody {
    /// Which views.
    pub family: String,
    /// Records folded.
    pub records: u64,
    /// Exchanges folded.
    pub exchanges: u64,
    /// How long it took.
    pub seconds: f64,
    /// Organizations whose views could not be rebuilt to the end.
    pub stopped: Vec<Uuid>,
}

/// What a comparison found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VerifiedBody {
    /// True if every row is as a rebuild makes it.
    pub equal: bool,
    /// Rows compared.
    pub rows: u64,
    /// Rows that differ.
    pub differences: u64,
    /// The first of them.
    pub shown: Vec<RowDifferenceBody>,
    /// How far the views of each family stood when that was done.
    pub families: Vec<ViewBody>,
    /// Organizations of which a family could not be compared, because a record cannot be folded.
    pub not_compared: Vec<NotComparedBody>,
    /// Claims compared with what the records say.
    pub claims: u64,
    /// Claims that differ.
    pub claim_differences: Vec<ClaimDifferenceBody>,
    /// Exchanges looked at.
    pub exchanges: u64,
    /// Exchanges that are missing or cannot be read, the first 100 of each organization.
    pub exchange_holes: Vec<ExchangeHoleBody>,
}

/// Views that could not be compared.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NotComparedBody {
    /// Whose.
    pub organization_id: Uuid,
    /// Which: `live` or `audit`.
    pub family: String,
    /// The record that cannot be folded.
    pub stopped: StoppedBody,
}

/// A claim, such as that of a userName, that is not as the records say.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClaimDifferenceBody {
    /// The organization.
    pub organization_id: Uuid,
    /// What is claimed.
    pub kind: String,
    /// Who holds it; absent if nobody does.
    pub held_by: Option<Uuid>,
    /// Who should; absent if nobody.
    pub expected: Option<Uuid>,
}

/// An exchange that is missing or cannot be read.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExchangeHoleBody {
    /// The organization; the nil id stands for exchanges that named none.
    pub organization_id: Uuid,
    /// Its number.
    pub number: u64,
}

/// One row that differs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RowDifferenceBody {
    /// The table.
    pub table: String,
    /// The row's key.
    pub key: Vec<String>,
    /// The row as it is; absent if there is none.
    pub live: Option<String>,
    /// The row as a rebuild makes it; absent if it makes none.
    pub rebuilt: Option<String>,
}

/// Which views are rebuilt.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct RebuildQuery {
    /// Only this family; both if absent.
    pub family: Option<ViewFamily>,
}

/// A family of views.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViewFamily {
    /// What answers SCIM.
    Live,
    /// What answers auditors.
    Audit,
}
