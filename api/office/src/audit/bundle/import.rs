//! From a bundle to an organization of its own.

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use futures::StreamExt;
use rollcall_contract::Problem;
use rollcall_contract::bundles::{BundleImported, ImportQuery};
use rollcall_domain::log::LogError;
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::Operator;
use rollcall_replay::bundle::{self, ImportAs, ImportError};
use std::io::Write;
use std::sync::Arc;
use uuid::Uuid;

/// A packed bundle longer than this is not taken.
const PACKED_BYTES: usize = 2 * 1024 * 1024 * 1024;

/// Makes an organization from a bundle. Its name says where it comes from; its tokens admit nobody.
#[utoipa::path(
    post,
    path = "/api/v1/bundles",
    tag = "replay",
    params(ImportQuery),
    security(("operator" = [])),
    request_body(content = Vec<u8>, content_type = "application/gzip"),
    responses(
        (status = 201, body = BundleImported),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 409, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn import(
    _: Operator,
    State(app): State<Arc<App>>,
    Query(query): Query<ImportQuery>,
    body: Body,
) -> Result<(StatusCode, Json<BundleImported>), Refusal> {
    let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if query.domain.is_empty()
        || query.domain.len() > 63
        || !query.domain.chars().all(slug)
        || query.domain.parse::<Uuid>().is_ok()
    {
        return Err(Refusal::bad_request(
            "the domain must be lower-case letters, digits and hyphens",
        ));
    }
    // Read to its end before anything is used of it.
    let mut file = tempfile::NamedTempFile::new()?;
    let (mut chunks, mut length) = (body.into_data_stream(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Refusal::bad_request("the bundle broke off"))?;
        length += chunk.len();
        if length > PACKED_BYTES {
            return Err(Refusal::bad_request("the bundle is too long"));
        }
        file.write_all(&chunk)?;
    }
    file.flush()?;
    let to = ImportAs { organization: app.engine.ids.organization(), domain: query.domain };
    let whole = bundle::import(&app.engine, file.path(), &to).await.map_err(problem)?;
    app.engine.folder.fold(to.organization).await?;
    app.engine.organizations_changed();
    let (records, exchanges) = (whole.records, whole.exchanges);
    Ok((
        StatusCode::CREATED,
        Json(BundleImported {
            organization_id: to.organization.0,
            domain: to.domain,
            records,
            exchanges,
        }),
    ))
}

fn problem(error: ImportError) -> Refusal {
    match error {
        ImportError::DomainTaken(_) => Refusal::conflict(error.to_string()),
        ImportError::Log(LogError::Unavailable(_)) => Refusal::unavailable(&error),
        other => Refusal::bad_request(other.to_string()),
    }
}
