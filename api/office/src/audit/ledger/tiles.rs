//! The tree as static files (C2SP tlog-tiles), for programs that read logs of any kind.

use super::refused;
use crate::Office;
use crate::entry;
use crate::ledgers::{self, Ledgers};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, header};
use axum::routing::get;
use rollcall_domain::exchange::Protocol;
use rollcall_domain::ledger::Place;
use rollcall_domain::ledger::entry::{ExchangeHashes, exchange_entry, record_entry};
use rollcall_domain::log::{Head, stored};
use rollcall_door::callers::Auditor;
use rollcall_door::{App, Refusal};
use rollcall_evidence::findings::Content;
use rollcall_evidence::tiles::{Level, Tile, bundle};
use rollcall_evidence::walk::{Step, Walk};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

/// Routes of the tiles; they stand beside `/api/v1`, where the specification's own paths can be
/// below a prefix.
pub fn routes() -> OpenApiRouter<Office> {
    let beside = |routes| entry::beside(Protocol::Audit, "audit.ledger.tiles", routes);
    OpenApiRouter::new()
        .route("/ledger/{organization}/checkpoint", beside(get(checkpoint)))
        .route("/ledger/{organization}/tile/{*tile}", beside(get(tile)))
}

async fn checkpoint(
    auditor: Auditor,
    State(app): State<Arc<App>>,
) -> Result<Response<Body>, Refusal> {
    let signed = ledgers::sign(&app, auditor.organization).await?;
    ledgers::keep(&app, &signed.note, &signed.key)?;
    Ok(answer("text/plain; charset=utf-8", signed.note.into()))
}

async fn tile(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    State(ledgers): State<Ledgers>,
    Path((_, path)): Path<(String, String)>,
) -> Result<Response<Body>, Refusal> {
    let none = || Refusal::not_found("there is no such tile");
    let tile: Tile = format!("tile/{path}").parse().map_err(|_| none())?;
    let (log, organization) = (stored(&app.engine.log), auditor.organization);
    let log = &*log;
    let ledger = log.ledger_head(organization).await?;
    let size = ledger.frontier.size();
    let grove = ledgers.grove(organization).await;
    if let Level::Nodes(_) = tile.level() {
        let places: Vec<Place> = tile.places().collect();
        let is_there =
            |place: &Place| place.index < size.checked_shr(place.level.into()).unwrap_or(0);
        if places.len() != usize::from(tile.width()) || !places.iter().all(is_there) {
            return Err(none());
        }
        let nodes = grove.lock().await.nodes(log, organization, &places).await.map_err(refused)?;
        let bytes: Vec<u8> = nodes.into_iter().flat_map(|node| node.0).collect();
        return Ok(answer("application/octet-stream", bytes.into()));
    }
    let from = tile.index().checked_mul(256).ok_or_else(none)?;
    let width = u64::from(tile.width());
    if from.checked_add(width).is_none_or(|end| end > size) {
        return Err(none());
    }
    let begin: Head = grove.lock().await.begin(log, organization, from).await.map_err(refused)?;
    let mut walk = Walk::after(log, organization, begin, ledger.head);
    let mut entries = Vec::new();
    while (entries.len() as u64) < width {
        match walk.next().await? {
            Some(Step::Item(item)) => entries.push(match &item.content {
                Content::Record(record) => record_entry(record),
                Content::Exchange(x) => exchange_entry(x, &ExchangeHashes::of(&x.exchange)),
            }),
            _ => return Err(Refusal::unavailable(&"an entry cannot be read: an audit says more")),
        }
    }
    let bundle = bundle::write(entries.iter().map(Vec::as_slice));
    let bundle = bundle.map_err(|error| Refusal::unavailable(&error))?;
    Ok(answer("application/octet-stream", bundle.into()))
}

fn answer(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
