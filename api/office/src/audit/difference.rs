//! What is different between two moments.

use super::moment::{begin_of, moment};
use super::stream::{Row, StreamError, answer};
use super::there;
use axum::extract::{Query, State};
use axum::response::Response;
use rollcall_contract::Problem;
use rollcall_contract::difference::{ChangeBody, DifferenceBody, DifferenceQuery};
use rollcall_contract::format::Format;
use rollcall_contract::moment::Moment;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_contract::time;
use rollcall_domain::ids::RunId;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::Auditor;
use rollcall_projections::history::{Difference, Next};
use std::sync::Arc;

fn body(d: Difference) -> DifferenceBody {
    let (group_id, group) = d.group.map_or((None, None), |(id, name)| (Some(id.0), Some(name)));
    let changes = d.changes.into_iter();
    DifferenceBody {
        what: d.what.as_str().to_owned(),
        kind: d.kind.name().to_owned(),
        id: d.id.0,
        name: d.name,
        group_id,
        group,
        changes: changes
            .map(|c| ChangeBody { attribute: c.attribute, before: c.before, after: c.after })
            .collect(),
        position: d.position,
        recorded_at: d.at,
        exchange: d.exchange.map(|x| x.0),
    }
}

impl Row for DifferenceBody {
    const HEAD: &'static [&'static str] = &[
        "what",
        "type",
        "id",
        "name",
        "group_id",
        "group",
        "changes",
        "position",
        "recorded_at",
        "exchange",
    ];

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
            self.recorded_at.map(time::text).unwrap_or_default(),
            self.exchange.map(|x| x.to_string()).unwrap_or_default(),
        ]
    }
}

/// What is different between two moments. What came and went in between is not shown.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/diff",
    tag = "audit",
    params(OrganizationPath, DifferenceQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, content(
            (Vec<DifferenceBody> = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (String = "text/html"),
        )),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn difference(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    Query(query): Query<DifferenceQuery>,
) -> Result<Response, Refusal> {
    if query.format == Format::CloudEvents {
        return Err(Refusal::not_among("format", "cloudevents", ["json", "ndjson", "csv"]));
    }
    let organization = auditor.organization;
    there::directory(organization)?;
    let (from, to) = match (query.run, query.from, query.to) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
            return Err(Refusal::parameter("run", "say a run, or from one moment to another"));
        }
        (None, None, _) => {
            return Err(Refusal::parameter("from", "say from which moment, or which run"));
        }
        (Some(run), None, None) => (String::new(), Some(format!("run:{run}"))),
        (None, Some(from), to) => (from, to),
    };
    let (Moment { position: to, .. }, views) =
        moment(&app, organization, "to", to.as_deref()).await?;
    let from = match query.run {
        Some(run) => begin_of(&app, &views, organization, RunId(run)).await?,
        None => moment(&app, organization, "from", Some(&from)).await?.0.position,
    };
    if from > to {
        return Err(Refusal::bad_request(format!(
            "from is position {from}, after to, which is position {to}: swap them"
        )));
    }
    answer::<DifferenceBody, _>(query.format, move |mut rows| async move {
        let mut next = Some(Next::Resources(from));
        while let Some(here) = next {
            let found = views
                .history
                .differences(organization, (from, to), here, 500)
                .await
                .map_err(StreamError::broken)?;
            next = found.1;
            for difference in found.0 {
                rows.push(&body(difference)).await?;
            }
        }
        Ok(rows)
    })
}
