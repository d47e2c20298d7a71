//! What is different between two moments.

use crate::format::Format;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Between when and when.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct DifferenceQuery {
    /// The earlier moment: a date, an instant (RFC 3339), `position:N`, `run:ID` or
    /// an age such as `-2d`.
    pub from: Option<String>,
    /// The later one; now, if absent.
    pub to: Option<String>,
    /// In place of both: what this run changed.
    pub run: Option<Uuid>,
    /// `json` (if absent), `ndjson` or `csv`.
    pub format: Format,
}

/// One attribute at both moments.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ChangeBody {
    /// Its path.
    pub attribute: String,
    /// Its value at the earlier moment.
    pub before: Option<Value>,
    /// Its value at the later one.
    pub after: Option<Value>,
}

/// One difference.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DifferenceBody {
    /// `created`, `deleted`, `enabled`, `disabled`, `renamed`, `changed`, `joined` or `left`.
    pub what: String,
    /// `User` or `Group`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who.
    pub id: Uuid,
    /// Its name, the last one known.
    pub name: String,
    /// The group joined or left.
    pub group_id: Option<Uuid>,
    /// Its name.
    pub group: Option<String>,
    /// The attributes that differ.
    pub changes: Vec<ChangeBody>,
    /// Position of the last event by which it came to be so.
    pub position: u64,
    /// When that event was recorded.
    #[serde(serialize_with = "crate::time::optional")]
    pub recorded_at: Option<DateTime<Utc>>,
    /// The exchange that caused that event.
    pub exchange: Option<Uuid>,
}

impl DifferenceBody {
    /// The attributes that differ, in one line.
    pub fn changes_line(&self) -> String {
        let value =
            |v: &Option<Value>| v.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        let line = self
            .changes
            .iter()
            .map(|c| format!("{}: {} > {}", c.attribute, value(&c.before), value(&c.after)));
        line.collect::<Vec<_>>().join("; ")
    }
}
