//! Events of an organization, straight from the log.

use crate::admin::{Admin, OrganizationPath};
use crate::problem::Problem;
use crate::state::App;
use axum::Json;
use axum::extract::{Path, Query, State};
use chrono::{DateTime, Utc};
use rollcall_domain::log::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which events.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// Only events after this position.
    pub after: u64,
    /// At most so many; 100 if absent, 1000 at most.
    pub limit: Option<usize>,
}

/// An event in its envelope.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EventBody {
    /// Place in the organization's log: 1, 2, 3... without a gap.
    pub position: u64,
    /// Stable name of the event.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Version of the payload.
    pub payload_version: String,
    /// `User`, `Group` or `Organization`.
    pub aggregate: String,
    /// The aggregate's id.
    pub subject: Uuid,
    /// Place in the aggregate's stream.
    pub version: u64,
    /// When it was decided.
    pub recorded_at: DateTime<Utc>,
    /// The exchange that caused it.
    pub exchange: Option<Uuid>,
    /// Who caused it.
    pub actor: Value,
    /// What happened.
    pub payload: Value,
}

impl EventBody {
    pub(super) fn new(record: Record) -> Result<Self, Problem> {
        let payload: Value = serde_json::from_str(&record.payload).map_err(|e| Problem::unavailable(&e))?;
        // The payload is tagged with the event's name, which stands in the envelope already.
        let payload = payload.get(&record.event_type).cloned().unwrap_or(payload);
        Ok(Self {
            position: record.position,
            event_type: record.event_type,
            payload_version: record.event_version,
            aggregate: record.stream.kind.as_str().to_owned(),
            subject: record.stream.id,
            version: record.version,
            recorded_at: record.recorded_at,
            exchange: record.exchange.map(|id| id.0),
            actor: serde_json::to_value(&record.actor).map_err(|e| Problem::unavailable(&e))?,
            payload,
        })
    }
}

/// Events of an organization in the order in which they were committed.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}/events", tag = "audit", params(OrganizationPath, EventQuery), security(("operator" = [])),
    responses((status = 200, body = Vec<EventBody>), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn list(
    _: Admin,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
    Query(query): Query<EventQuery>,
) -> Result<Json<Vec<EventBody>>, Problem> {
    let organization = path.find(&app).await?;
    let limit = query.limit.unwrap_or(100).clamp(1, 1_000);
    let records = app.engine.log.records(organization.id, query.after, limit).await.map_err(|e| Problem::unavailable(&e))?;
    records.into_iter().map(EventBody::new).collect::<Result<_, _>>().map(Json)
}
