//! Moments in an organization's log.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// As of when.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct AsOf {
    /// An instant (RFC 3339), `position:N` or `run:ID`; now, if absent.
    #[serde(rename = "asOf")]
    pub as_of: Option<String>,
}

/// The moment that an answer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Moment {
    /// The last record that had been committed; 0 before the first.
    pub position: u64,
    /// When that record was made.
    pub recorded_at: Option<DateTime<Utc>>,
}
