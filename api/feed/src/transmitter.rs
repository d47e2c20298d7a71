//! What receivers of security event tokens fetch before they believe any: the keys, and where things
//! are. Both are public.

use crate::security;
use axum::Json;
use axum::extract::{Path, State};
use rollcall_contract::consumers::ConsumerPath;
use rollcall_contract::request_line::Nothing;
use rollcall_contract::security::{KeySet, TransmitterConfiguration};
use rollcall_contract::{Problem, route};
use rollcall_domain::consumer::Way;
use rollcall_domain::ids::{ConsumerId, OrganizationId};
use rollcall_door::{App, Refusal};
use rollcall_projections::consumers::ConsumerRow;
use std::sync::Arc;

/// The keys that a consumer's tokens are signed with: the current one first, then the one that it
/// replaced, until the overlap is over. Needs no key.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/consumers/{consumer}/keys",
    tag = "feed",
    params(ConsumerPath),
    responses(
        (status = 200, body = KeySet),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn keys(
    State(app): State<Arc<App>>,
    Path(path): Path<ConsumerPath>,
) -> Result<Json<KeySet>, Refusal> {
    let row = told(&app, &path).await?;
    let keys = security::keys(&app, &row, app.engine.clock.now()).await;
    let keys = keys.map_err(|e| Refusal::unavailable(&e))?;
    Ok(Json(KeySet { keys: keys.iter().map(rollcall_jose::SigningKey::public).collect() }))
}

/// The transmitter of one consumer, as OpenID Shared Signals 1.0 describes it.
///
/// # Errors
/// 400 if it is not named by an id, 404 if it gets no tokens.
pub async fn configuration(
    State(app): State<Arc<App>>,
    Path(path): Path<ConsumerPath>,
) -> Result<Json<TransmitterConfiguration>, Refusal> {
    let row = told(&app, &path).await?;
    let issuer = security::issuer(&app, row.organization, row.id);
    let issuer = issuer.map_err(|e| Refusal::unavailable(&e))?;
    let keys = route::SHOW_KEYS.line(&security::path(row.organization, row.id), &Nothing);
    let keys = keys.map_err(|e| Refusal::unavailable(&e))?;
    let method = match row.way {
        Way::SetPush { .. } => "urn:ietf:rfc:8935",
        _ => "urn:ietf:rfc:8936",
    };
    Ok(Json(TransmitterConfiguration {
        spec_version: "1_0".to_owned(),
        jwks_uri: format!("{}{}", app.public_url.trim_end_matches('/'), keys.target),
        issuer,
        delivery_methods_supported: vec![method.to_owned()],
        critical_subject_members: Vec::new(),
        default_subjects: "ALL".to_owned(),
    }))
}

/// The consumer by its ids: whoever has no key learns nothing from names.
async fn told(app: &App, path: &ConsumerPath) -> Result<ConsumerRow, Refusal> {
    let none = || Refusal::not_found("no security event tokens come from this address");
    let no_id = |_| Refusal::bad_request("a consumer is named by its id here");
    let consumer: ConsumerId = path.consumer.parse().map_err(no_id)?;
    let organization: OrganizationId = path.organization.parse().map_err(|_| none())?;
    let found = app.consumers.find(organization, &consumer.to_string()).await?;
    found.filter(|row| row.way.audience().is_some()).ok_or_else(none)
}
