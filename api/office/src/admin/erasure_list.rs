//! The list of all who were erased, for restores of older backups.

use crate::audit::erased;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, header};
use rollcall_contract::Problem;
use rollcall_contract::backup::erasure_list::{ERASURES_FORMAT, ErasureLine};
use rollcall_contract::backup::{BackupLine, Digests};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::user::UserEventKind;
use rollcall_door::callers::Operator;
use rollcall_door::{App, Refusal};
use std::sync::Arc;

/// All who were erased, of every organization, as lines of JSON; nothing that tells who they were.
#[utoipa::path(
    get,
    path = "/api/v1/erasures",
    tag = "operation",
    security(("operator" = [])),
    responses(
        (status = 200, content_type = "application/x-ndjson", body = String),
        (status = 401, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn list(_: Operator, State(app): State<Arc<App>>) -> Result<Response<Body>, Refusal> {
    // Whoever is erased from now on may be on it as well.
    let created_at = app.engine.clock.now();
    let heads = app.engine.log.heads().await?.into_iter().map(|(organization, _)| organization);
    let organizations: Vec<OrganizationId> =
        heads.filter(|organization| *organization != OrganizationId::NONE).collect();
    let begin = BackupLine::ErasureList {
        format: ERASURES_FORMAT,
        created_at,
        organizations: organizations.iter().map(|organization| organization.0).collect(),
    };
    let mut written = Writing::default();
    written.line(&begin)?;
    let mut count = 0;
    for organization in organizations {
        for event in erased(&app, organization).await? {
            count += 1;
            let (position, at) = (event.position, event.recorded_at);
            let because = event.payload["because"].as_str().unwrap_or_default().to_owned();
            let (user, organization) = (event.subject, organization.0);
            written.line(&match event.event_type == UserEventKind::Erased.as_str() {
                true => BackupLine::ErasedPerson { organization, user, position, at, because },
                false => BackupLine::ErasedOrganization { organization, position, at, because },
            })?;
        }
    }
    let sha256 = written.digests.whole();
    written.line(&BackupLine::ErasureListEnd { erased: count, sha256 })?;
    let mut response = Response::new(Body::from(written.bytes));
    let lines = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, lines);
    Ok(response)
}

#[derive(Default)]
struct Writing {
    bytes: Vec<u8>,
    digests: Digests,
}

impl Writing {
    fn line(&mut self, line: &ErasureLine) -> Result<(), Refusal> {
        let mut bytes = serde_json::to_vec(line).map_err(|e| Refusal::unavailable(&e))?;
        bytes.push(b'\n');
        self.digests.between(&bytes);
        self.bytes.extend(bytes);
        Ok(())
    }
}
