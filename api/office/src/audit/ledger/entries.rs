//! The entries of a ledger, as they are stored: what a file of it is made of.

use super::refused;
use crate::ledgers::Ledgers;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderValue, Response, header};
use rollcall_contract::Problem;
use rollcall_contract::ledger::EntriesQuery;
use rollcall_contract::organizations::OrganizationPath;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Head, LogError, stored};
use rollcall_door::callers::Auditor;
use rollcall_door::{App, Refusal};
use rollcall_evidence::file::{Line, LineError};
use rollcall_evidence::walk::{Step, Walk};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Bytes that go off together.
const CHUNK: usize = 64 * 1024;

/// Why the entries end early.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Line(#[from] LineError),
    #[error("{0:?} {1} cannot be read: an audit says more")]
    Unreadable(rollcall_contract::ledger::FindingPart, u64),
    #[error("the reader went away")]
    Gone,
}

/// Streams entries in the order of their commit, a line for each. What a later request finds behind
/// the same end is the same: whoever is cut off asks again from where they are.
#[utoipa::path(
    get,
    path = "/api/v1/organizations/{organization}/ledger/entries",
    tag = "ledger",
    params(OrganizationPath, EntriesQuery),
    security(("operator" = []), ("admin" = []), ("auditor" = [])),
    responses(
        (status = 200, content_type = "application/x-ndjson", body = String),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn entries(
    auditor: Auditor,
    State(app): State<Arc<App>>,
    State(ledgers): State<Ledgers>,
    Query(query): Query<EntriesQuery>,
) -> Result<Response<Body>, Refusal> {
    let organization = auditor.organization;
    let end = Head { position: query.records, exchange_number: query.exchanges };
    let head = app.engine.log.head(organization).await?;
    if end.position > head.position || end.exchange_number > head.exchange_number {
        return Err(Refusal::bad_request(format!(
            "the log ends at position {} and exchange {}",
            head.position, head.exchange_number
        )));
    }
    let size = end.position + end.exchange_number;
    if query.from > size {
        return Err(Refusal::bad_request(format!("there are {size} entries up to there")));
    }
    let grove = ledgers.grove(organization).await;
    let log = stored(&app.engine.log);
    let begin = grove.lock().await.begin(&*log, organization, query.from).await;
    let begin = begin.map_err(refused)?;
    let skip = query.from - begin.position - begin.exchange_number;
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        if let Err(error) = send(&app, organization, (begin, skip), end, &sender).await {
            tracing::warn!(%organization, %error, "the entries of a ledger broke off");
            let _ = sender.send(Err(std::io::Error::other(error.to_string()))).await;
        }
    });
    let stream = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    });
    let mut response = Response::new(Body::from_stream(stream));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(response)
}

async fn send(
    app: &App,
    organization: OrganizationId,
    (begin, mut skip): (Head, u64),
    end: Head,
    lines: &mpsc::Sender<Result<Bytes, std::io::Error>>,
) -> Result<(), Broken> {
    let log = stored(&app.engine.log);
    let mut walk = Walk::after(&*log, organization, begin, end);
    let mut chunk = Vec::new();
    while let Some(step) = walk.next().await? {
        let item = match step {
            Step::Item(item) => item,
            Step::Unreadable(part, number) => return Err(Broken::Unreadable(part, number)),
        };
        if skip > 0 {
            skip -= 1;
            continue;
        }
        chunk.extend(Line::of(*item).write()?);
        if chunk.len() >= CHUNK {
            let full = std::mem::take(&mut chunk).into();
            lines.send(Ok(full)).await.map_err(|_| Broken::Gone)?;
        }
    }
    lines.send(Ok(chunk.into())).await.map_err(|_| Broken::Gone)
}
