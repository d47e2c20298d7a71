//! What is told of a clock that ran ahead and was set right.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The clock that the server goes by ran ahead for a while, and an operator says that it is right
/// now: time goes back to it. No record up to here was recorded later than this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockCorrected {
    /// Why, in the operator's words.
    pub because: String,
    /// The time that was gone by until then.
    pub was: DateTime<Utc>,
}
