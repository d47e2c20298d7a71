//! Errors of `/api/v1` (RFC 9457).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The media type of an error.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// The status in words.
    pub title: String,
    /// What happened, and what to do.
    pub detail: String,
    /// A stable word for our own trouble, such as `record-missing`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The parameter that is wrong, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// What there is, where something was named that there is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
    /// The exchange that was kept of the request, as a URN (`urn:uuid:...`), if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}
