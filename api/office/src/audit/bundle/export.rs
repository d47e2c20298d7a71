//! Exchanges and the state they need, in one file.

use crate::audit::replay::request::selection;
use crate::ledgers;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, header};
use rollcall_contract::Problem;
use rollcall_contract::bundles::BundleRequest;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_door::App;
use rollcall_door::callers::Operator;
use rollcall_door::{Given, Refusal};
use rollcall_replay::bundle::{self, BUNDLE_FORMAT, BundleBegin, ExportOptions};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Streams a bundle.
#[utoipa::path(
    post,
    path = "/api/v1/organizations/{organization}/bundle",
    tag = "replay",
    params(OrganizationPath),
    request_body = BundleRequest,
    security(("operator" = [])),
    responses(
        (status = 200, content_type = "application/gzip", body = Vec<u8>),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn export(
    operator: Operator,
    State(app): State<Arc<App>>,
    Path(path): Path<OrganizationPath>,
    Given(request): Given<BundleRequest>,
) -> Result<Response<Body>, Refusal> {
    let organization = operator.organization(&app, &path.organization).await?;
    let begin = BundleBegin {
        format: BUNDLE_FORMAT,
        rollcall: env!("CARGO_PKG_VERSION").to_owned(),
        created_at: app.engine.clock.now(),
        organization: organization.id,
        domain: organization.domain,
        name: organization.name,
        scim_base: app.scim_base.to_string(),
        pseudonymised: request.pseudonymise,
        ledger: Some(ledgers::carried(&app, organization.id).await?),
    };
    let options = ExportOptions {
        begin,
        selection: selection(&app, organization.id, &request.choice).await?,
        head: app.engine.log.head(organization.id).await?,
        pseudonyms: request.pseudonymise.then(|| app.engine.ids.key()),
    };
    let (chunks, receiver) = mpsc::channel(16);
    tokio::spawn(bundle::export(app.engine.log.clone(), options, chunks));
    let stream = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    });
    let mut response = Response::new(Body::from_stream(stream));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/gzip"));
    Ok(response)
}
