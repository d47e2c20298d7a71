//! On which position of the log an answer rests.

use axum::http::HeaderName;

/// The header with the position of the organization's log (of the deployment's, for what is about no
/// organization) that an answer rests on: whoever asks later, of any process, sees at least what was
/// answered, and is told a position that is no lower.
pub const POSITION: HeaderName = HeaderName::from_static("rollcall-position");
