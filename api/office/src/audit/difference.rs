//! What is different between two moments.

use super::guard::Auditor;
use super::moment::moment;
use super::stream::{Format, Row, StreamError, answer};
use crate::admin::OrganizationPath;
use axum::extract::{Query, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use rollcall_contract::Problem;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_projections::history::{Difference, Next};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Between when and when.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DifferenceQuery {
    /// The earlier moment: an instant (RFC 3339), `position:N` or `run:ID`.
    pub from: String,
    /// The later one; now, if absent.
    pub to: Option<String>,
    /// `json` (if absent), `ndjson` or `csv`.
    #[serde(default)]
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
    pub recorded_at: Option<DateTime<Utc>>,
    /// The exchange that caused that event.
    pub exchange: Option<Uuid>,
}

impl From<Difference> for DifferenceBody {
    fn from(d: Difference) -> Self {
        let (group_id, group) = d.group.map_or((None, None), |(id, name)| (Some(id.0), Some(name)));
        let changes = d.changes.into_iter();
        Self {
            what: d.what.as_str().to_owned(),
            kind: d.kind.name().to_owned(),
            id: d.id.0,
            name: d.name,
            group_id,
            group,
            changes: changes.map(|c| ChangeBody { attribute: c.attribute, before: c.before, after: c.after }).collect(),
            position: d.position,
            recorded_at: d.at,
            exchange: d.exchange.map(|x| x.0),
        }
    }
}

impl DifferenceBody {
    /// The attributes that differ, in one line.
    pub fn changes_line(&self) -> String {
        let value = |v: &Option<Value>| v.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        let line = self.changes.iter().map(|c| format!("{}: {} > {}", c.attribute, value(&c.before), value(&c.after)));
        line.collect::<Vec<_>>().join("; ")
    }
}

impl Row for DifferenceBody {
    const HEAD: &'static [&'static str] =
        &["what", "type", "id", "name", "group_id", "group", "changes", "position", "recorded_at", "exchange"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.what.clone(),
            self.kind.clone(),
            self.id.to_string(),
            self.name.clone(),
            self.group_id.map(|id| id.to_string()).unwrap_or_default(),
            self.group.clone().unwrap_or_default(),
            self.changes_line(),
            self.position.to_string(),
            self.recorded_at.map(|at| at.to_rfc3339()).unwrap_or_default(),
            self.exchange.map(|x| x.to_string()).unwrap_or_default(),
        ]
    }
}

/// What is different between two moments. What came and went in between is not shown.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/diff", tag = "audit", params(OrganizationPath, DifferenceQuery), security(("operator" = []), ("auditor" = [])),
    responses((status = 200, body = Vec<DifferenceBody>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn difference(auditor: Auditor, State(app): State<Arc<App>>, Query(query): Query<DifferenceQuery>) -> Result<Response, Refusal> {
    if query.format == Format::CloudEvents {
        return Err(Refusal::bad_request("a difference is no list of events: choose json, ndjson or csv"));
    }
    let organization = auditor.organization;
    let from = moment(&app, organization, Some(&query.from)).await?.position;
    let to = moment(&app, organization, query.to.as_deref()).await?.position;
    if from > to {
        return Err(Refusal::bad_request(format!("from is position {from}, after to, which is position {to}: swap them")));
    }
    answer::<DifferenceBody, _>(query.format, move |mut rows| async move {
        let mut next = Some(Next::Resources(from));
        while let Some(here) = next {
            let found = app.history.differences(organization, (from, to), here, 500).await.map_err(StreamError::broken)?;
            next = found.1;
            for difference in found.0 {
                rows.push(&DifferenceBody::from(difference)).await?;
            }
        }
        Ok(rows)
    })
}
