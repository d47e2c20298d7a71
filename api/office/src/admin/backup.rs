//! Backup and restore while running: the log as lines of JSON, the same for every store.
//!
//! The cut is consistent: an organization's head is read first, and only what lies below it is
//! written; later appends do not matter. Claims are not written but derived from the events again.
//! What is sealed stays sealed; the keys are lines of their own, which may be kept apart.
//! The last line counts what came before it, so that a backup that broke off is refused.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Response, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use rollcall_contract::Problem;
use rollcall_contract::backup::{BACKUP_FORMAT, BackupLine};
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Bodies, DataKey, Head, KeyId, KeyRing, Log, LogError, Record, Wrapped};
use rollcall_door::App;
use rollcall_door::Refusal;
use rollcall_door::callers::Operator;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Streams the whole log.
#[utoipa::path(
    get,
    path = "/api/v1/backup",
    tag = "operation",
    security(("operator" = [])),
    responses(
        (status = 200, content_type = "application/x-ndjson", body = String),
        (status = 401, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn backup(_: Operator, State(app): State<Arc<App>>) -> Result<Response<Body>, Refusal> {
    let heads = app.engine.log.heads().await?;
    let (lines, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(64);
    let (log, now) = (app.engine.log.clone(), app.engine.clock.now());
    tokio::spawn(async move {
        if let Err(error) = write(&*log, heads, now, &lines).await {
            tracing::error!(%error, "backup broke off");
            let _ = lines.send(Err(std::io::Error::other(error.to_string()))).await;
        }
    });
    let stream = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    });
    let mut response = Response::new(Body::from_stream(stream));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/x-ndjson"));
    Ok(response)
}

/// Data keys in one line.
const KEYS: usize = 500;

/// A line of this server's log.
pub(crate) type Line = BackupLine<Record, Exchange>;

type Lines = mpsc::Sender<Result<Bytes, std::io::Error>>;

async fn write(
    log: &dyn Log,
    heads: Vec<(OrganizationId, Head)>,
    now: DateTime<Utc>,
    lines: &Lines,
) -> Result<(), LogError> {
    send(lines, &BackupLine::Begin { format: BACKUP_FORMAT, created_at: now }).await?;
    for (scope, key) in log.claim_keys().await? {
        send(lines, &BackupLine::ClaimKey { scope: scope.0, key: BASE64.encode(key) }).await?;
    }
    let log = match log.sealed() {
        Some(sealed) => {
            keys(sealed.keys(), lines).await?;
            &*sealed.stored()
        }
        None => log,
    };
    let (mut records, mut exchanges) = (0, 0);
    for (organization, head) in heads {
        let mut position = 0;
        while position < head.position {
            let page = log.records(organization, position, 500).await?;
            let Some(last) = page.last() else { return Err(gap(organization, position)) };
            position = last.position;
            for record in page.into_iter().filter(|r| r.position <= head.position) {
                records += 1;
                send(lines, &BackupLine::Record { record: Box::new(record) }).await?;
            }
        }
        let mut number = 0;
        while number < head.exchange_number {
            let page = log.exchanges(organization, number, 100, Bodies::Read).await?;
            let Some(last) = page.last() else { return Err(gap(organization, number)) };
            number = last.number;
            for mut recorded in page.into_iter().filter(|x| x.number <= head.exchange_number) {
                exchanges += 1;
                let request = BASE64.encode(std::mem::take(&mut recorded.exchange.request_body));
                let answer = BASE64.encode(std::mem::take(&mut recorded.exchange.answer_body));
                let exchange = Box::new(recorded.exchange);
                let (number, positions, after) =
                    (recorded.number, recorded.positions, recorded.after);
                send(
                    lines,
                    &BackupLine::Exchange { number, positions, after, exchange, request, answer },
                )
                .await?;
            }
        }
    }
    send(lines, &BackupLine::End { records, exchanges }).await
}

/// All keys that anything below the heads was sealed with: a key is kept before it is used.
async fn keys(keys: &dyn KeyRing, lines: &Lines) -> Result<(), LogError> {
    for (organization, Wrapped(wrapped)) in keys.organizations().await? {
        let of = organization.0;
        send(lines, &BackupLine::OrganizationKey { organization: of, wrapped }).await?;
        let mut after = KeyId(0);
        loop {
            let page = keys.keys(organization, after, KEYS).await?;
            let Some((last, _)) = page.last() else { break };
            after = *last;
            let page = page.into_iter().filter_map(|(KeyId(id), key)| match key {
                DataKey::Living(Wrapped(key)) => Some((id, Some(key))),
                DataKey::Erased => Some((id, None)),
                DataKey::Never => None,
            });
            let keys = page.collect();
            send(lines, &BackupLine::DataKeys { organization: of, keys }).await?;
        }
    }
    Ok(())
}

fn gap(organization: OrganizationId, after: u64) -> LogError {
    LogError::Damaged(format!("the log of {organization} ends at {after}, before its head"))
}

async fn send(lines: &Lines, line: &Line) -> Result<(), LogError> {
    let mut bytes = serde_json::to_vec(line).map_err(|e| LogError::Damaged(e.to_string()))?;
    bytes.push(b'\n');
    lines
        .send(Ok(bytes.into()))
        .await
        .map_err(|_| LogError::Unavailable("the reader of the backup went away".to_owned()))
}
