//! Backup while running: the log as lines of JSON, the same for every store.
//!
//! The cut is consistent: an organization's head is read first, and only what lies below it is
//! written; later appends do not matter. Claims are not written but derived from the events again.
//! What is sealed stays sealed; the keys are lines of their own behind the first, apart: they
//! may be kept apart.
//! Each section ends with a digest of its lines, and the last line has one of the whole and counts
//! what came before it: a backup that broke off, or in which a byte is another, is refused.

use crate::ledgers;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Response, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rollcall_contract::Problem;
use rollcall_contract::backup::{
    BACKUP_FORMAT, BackupLine, Digests, Sum, digest_of_keys, digest_of_text,
};
use rollcall_contract::ledger::SignedCheckpoint;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{
    Bodies, DataKey, Head, KeyId, KeyRing, Log, LogError, Record, Sealed, Wrapped,
};
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
    // What a ledger says is what is written of its organization.
    let mut heads = Vec::new();
    for (organization, _) in app.engine.log.heads().await? {
        let signed = ledgers::sign(&app, organization).await?;
        heads.push((organization, signed.statement.head, signed.carried()));
    }
    let epoch = app.engine.log.epoch().await?;
    let (lines, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(64);
    let (log, created_at) = (app.engine.log.clone(), app.engine.clock.now());
    tokio::spawn(async move {
        let begin = BackupLine::Begin { format: BACKUP_FORMAT, created_at, epoch: Some(epoch) };
        let mut writing = Writing { lines: lines.clone(), digests: Digests::default() };
        match write(&*log, heads, begin, &mut writing).await {
            Ok(()) => {
                metrics::gauge!("rollcall_backup_seconds").set(created_at.timestamp() as f64);
            }
            Err(error) => {
                tracing::error!(%error, "backup broke off");
                let _ = lines.send(Err(std::io::Error::other(error.to_string()))).await;
            }
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

/// An organization, the end of what is written of it, and its ledger there.
type Part = (OrganizationId, Head, SignedCheckpoint);

/// A backup that is being written.
struct Writing {
    lines: mpsc::Sender<Result<Bytes, std::io::Error>>,
    digests: Digests,
}

impl Writing {
    /// Writes a line of a section.
    async fn line(&mut self, line: &Line) -> Result<(), LogError> {
        let bytes = bytes(line)?;
        self.digests.line(&bytes);
        self.send(bytes).await
    }

    /// Writes a line between sections.
    async fn between(&mut self, line: &Line) -> Result<(), LogError> {
        let bytes = bytes(line)?;
        self.digests.between(&bytes);
        self.send(bytes).await
    }

    /// Ends a section.
    async fn section(&mut self, of: Option<Part>) -> Result<(), LogError> {
        let Sum { lines, sha256 } = self.digests.section();
        let (organization, head, ledger) = match of {
            Some((organization, head, ledger)) => (Some(organization.0), head, Some(ledger)),
            None => (None, Head::default(), None),
        };
        let Head { position, exchange_number } = head;
        let line = Line::Section { organization, position, exchange_number, lines, sha256, ledger };
        self.between(&line).await
    }

    async fn send(&self, bytes: Vec<u8>) -> Result<(), LogError> {
        let gone = |_| LogError::Unavailable("the reader of the backup went away".to_owned());
        self.lines.send(Ok(bytes.into())).await.map_err(gone)
    }
}

fn bytes(line: &Line) -> Result<Vec<u8>, LogError> {
    let mut bytes = serde_json::to_vec(line).map_err(|e| LogError::Damaged(e.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

async fn write(
    log: &dyn Log,
    heads: Vec<Part>,
    begin: Line,
    into: &mut Writing,
) -> Result<(), LogError> {
    into.between(&begin).await?;
    if let Some(sealed) = log.sealed() {
        keys(sealed.keys(), into).await?;
    }
    for (scope, key) in log.claim_keys().await? {
        into.line(&BackupLine::ClaimKey { scope: scope.0, key: BASE64.encode(key) }).await?;
    }
    into.section(None).await?;
    let stored = log.sealed().map(Sealed::stored);
    let log = stored.as_deref().unwrap_or(log);
    let (mut records, mut exchanges) = (0, 0);
    for (organization, head, ledger) in heads {
        records += write_records(log, organization, head, into).await?;
        exchanges += write_exchanges(log, organization, head, into).await?;
        into.section(Some((organization, head, ledger))).await?;
    }
    let sha256 = Some(into.digests.whole());
    into.between(&BackupLine::End { records, exchanges, sha256 }).await
}

async fn write_records(
    log: &dyn Log,
    organization: OrganizationId,
    head: Head,
    into: &mut Writing,
) -> Result<u64, LogError> {
    let mut position = 0;
    while position < head.position {
        let page = log.records(organization, position, 500).await?;
        let before = position;
        for record in page.into_iter().filter(|r| r.position <= head.position) {
            if record.position != position + 1 {
                return Err(gap(organization, "record", position + 1));
            }
            position = record.position;
            into.line(&BackupLine::Record { record: Box::new(record) }).await?;
        }
        if position == before {
            return Err(gap(organization, "record", position + 1));
        }
    }
    Ok(position)
}

/// All keys that anything below the heads was sealed with: a key is kept before it is used.
async fn keys(keys: &dyn KeyRing, into: &Writing) -> Result<(), LogError> {
    for (organization, Wrapped(wrapped)) in keys.organizations().await? {
        let of = organization.0;
        let sha256 = digest_of_text(&format!("{of} {wrapped}"));
        into.send(bytes(&Line::OrganizationKey { organization: of, wrapped, sha256 })?).await?;
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
            let keys: Vec<_> = page.collect();
            let sha256 = digest_of_text(&format!("{of} {}", digest_of_keys(&keys)));
            into.send(bytes(&Line::DataKeys { organization: of, keys, sha256 })?).await?;
        }
    }
    Ok(())
}

async fn write_exchanges(
    log: &dyn Log,
    organization: OrganizationId,
    head: Head,
    into: &mut Writing,
) -> Result<u64, LogError> {
    let mut number = 0;
    while number < head.exchange_number {
        let page = log.exchanges(organization, number, 100, Bodies::Read).await?;
        let before = number;
        for mut recorded in page.into_iter().filter(|x| x.number <= head.exchange_number) {
            if recorded.number != number + 1 {
                return Err(gap(organization, "exchange", number + 1));
            }
            number = recorded.number;
            let request = BASE64.encode(std::mem::take(&mut recorded.exchange.request_body));
            let answer = BASE64.encode(std::mem::take(&mut recorded.exchange.answer_body));
            let (positions, after) = (recorded.positions, recorded.after);
            let exchange = Box::new(recorded.exchange);
            into.line(&BackupLine::Exchange {
                number,
                positions,
                after,
                exchange,
                request,
                answer,
            })
            .await?;
        }
        if number == before {
            return Err(gap(organization, "exchange", number + 1));
        }
    }
    Ok(number)
}

fn gap(organization: OrganizationId, what: &str, number: u64) -> LogError {
    LogError::Damaged(format!("{what} {number} of {organization} is missing"))
}
