//! Putting a backup in place: every line is checked, claims are derived from the events.

use super::backup::Line;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::StreamExt;
use rollcall_contract::Problem;
use rollcall_contract::backup::{BACKUP_FORMAT, BackupLine, OLDEST_BACKUP_FORMAT, RestoredBody};
use rollcall_domain::claim::{Claim, ClearClaim};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{
    DataKey, Head, KeyId, Log, Record, RecordedExchange, Restored, Sealed, Wrapped,
};
use rollcall_door::callers::Operator;
use rollcall_door::{App, Refusal};
use rollcall_engine::claims::{ClaimBook, hash, of_record};
use std::collections::HashMap;
use std::sync::Arc;

/// A line longer than this is no line of ours: a body of 16 MiB in base64 fits.
const LINE_BYTES: usize = 64 * 1024 * 1024;

/// So many parts go into the log at once.
const BATCH: usize = 500;

/// Puts a backup in place. Only a server without organizations takes one.
#[utoipa::path(
    post,
    path = "/api/v1/restore",
    tag = "operation",
    security(("operator" = [])),
    request_body(content = String, content_type = "application/x-ndjson"),
    responses(
        (status = 200, body = RestoredBody),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 409, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub async fn restore(
    _: Operator,
    State(app): State<Arc<App>>,
    body: Body,
) -> Result<Json<RestoredBody>, Refusal> {
    let heads = app.engine.log.heads().await?;
    // Strangers may have called already; what was recorded of them stays. Operators with keys of
    // their own would be in the way of those of the backup.
    let taken = |(id, head): &(OrganizationId, Head)| {
        head.position > 0 || (*id != OrganizationId::NONE && *head != Head::default())
    };
    if heads.iter().any(taken) {
        return Err(Refusal::conflict(
            "there are organizations or operators' keys already: restore into a server with a fresh data folder or database",
        ));
    }
    let mut restorer = Restorer::new(app.engine.log.clone());
    let mut chunks = body.into_data_stream();
    let mut buffer = Vec::new();
    while let Some(chunk) = chunks.next().await {
        buffer.extend_from_slice(&chunk.map_err(|_| Refusal::bad_request("the backup broke off"))?);
        while let Some(end) = buffer.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            restorer.line(&line).await?;
        }
        if buffer.len() > LINE_BYTES {
            return Err(Refusal::bad_request("this is not a backup: a line is too long"));
        }
    }
    let (records, exchanges) = restorer.finish().await?;
    app.engine.folder.sweep().await?;
    app.engine.organizations_changed();
    Ok(Json(RestoredBody { records, exchanges }))
}

fn without_keys() -> Refusal {
    Refusal::bad_request(
        "what is sealed cannot be opened: the keys of this backup are missing, or of another log",
    )
}

/// Takes the lines of a backup one by one.
struct Restorer {
    log: Arc<dyn Log>,
    /// Reads what is sealed of no organization: here too somebody may have called, and there are
    /// keys for that. It is sealed anew.
    strangers: Option<Arc<dyn Sealed>>,
    begun: bool,
    ended: bool,
    records: u64,
    exchanges: u64,
    keys: HashMap<OrganizationId, [u8; 32]>,
    claims: ClaimBook,
    parts: Vec<Restored>,
}

impl Restorer {
    /// A restorer into an empty log.
    fn new(log: Arc<dyn Log>) -> Self {
        Self {
            strangers: log.sealed().map(Sealed::apart),
            log,
            begun: false,
            ended: false,
            records: 0,
            exchanges: 0,
            keys: HashMap::new(),
            claims: ClaimBook::default(),
            parts: Vec::new(),
        }
    }

    /// Takes one line.
    async fn line(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let bad = |what: &str| {
            Refusal::bad_request(format!("this is not a backup that can be restored: {what}"))
        };
        let line: Line = serde_json::from_slice(line)
            .map_err(|e| bad(&format!("line cannot be read at column {}", e.column())))?;
        if self.ended {
            return Err(bad("there is more after its last line"));
        }
        match line {
            BackupLine::Begin { format: OLDEST_BACKUP_FORMAT..=BACKUP_FORMAT, .. }
                if !self.begun =>
            {
                self.begun = true
            }
            BackupLine::Begin { format, .. } => {
                return Err(bad(&format!("format {format}; this version reads {BACKUP_FORMAT}")));
            }
            _ if !self.begun => return Err(bad("its first line is missing")),
            BackupLine::ClaimKey { scope, key } => {
                let key = BASE64
                    .decode(key)
                    .ok()
                    .and_then(|k| <[u8; 32]>::try_from(k).ok())
                    .ok_or_else(|| bad("a claim key is damaged"))?;
                let scope = OrganizationId(scope);
                self.keys.insert(scope, key);
                self.parts.push(Restored::ClaimKey(scope, key));
            }
            BackupLine::OrganizationKey { organization, wrapped } => {
                self.organization_key(OrganizationId(organization), Wrapped(wrapped)).await?;
            }
            BackupLine::DataKeys { organization, keys } => {
                let keys = keys.into_iter().map(|(id, key)| {
                    let key = key.map_or(DataKey::Erased, |key| DataKey::Living(Wrapped(key)));
                    (KeyId(id), key)
                });
                let organization = OrganizationId(organization);
                let sealed = self.sealed_as(organization)?;
                sealed.keys().restore(organization, keys.collect()).await?;
            }
            BackupLine::Record { mut record } => {
                self.records += 1;
                let opened = self.opened(&record).await?;
                self.claims_of(&opened)?;
                if opened.stream.organization == OrganizationId::NONE {
                    *record = opened;
                }
                self.parts.push(Restored::Record(*record));
            }
            BackupLine::Exchange { number, positions, after, mut exchange, request, answer } => {
                self.exchanges += 1;
                exchange.request_body =
                    BASE64.decode(request).map_err(|_| bad("a body is damaged"))?;
                exchange.answer_body =
                    BASE64.decode(answer).map_err(|_| bad("a body is damaged"))?;
                if exchange.organization == OrganizationId::NONE
                    && let Some(strangers) = &self.strangers
                {
                    let opened = strangers.open_exchange(&mut exchange).await;
                    opened.map_err(|_| without_keys())?;
                }
                self.parts.push(Restored::Exchange(Box::new(RecordedExchange {
                    number,
                    positions,
                    after,
                    exchange: *exchange,
                })));
            }
            BackupLine::End { records, exchanges }
                if (records, exchanges) == (self.records, self.exchanges) =>
            {
                self.ended = true
            }
            BackupLine::End { .. } => return Err(bad("its last line counts other than what came")),
        }
        if self.parts.len() >= BATCH { self.flush().await } else { Ok(()) }
    }

    /// Ends the restore; gives the numbers of records and exchanges.
    async fn finish(mut self) -> Result<(u64, u64), Refusal> {
        if !self.ended {
            return Err(Refusal::bad_request(
                "the backup broke off: its last line is missing. Begin again with a fresh data folder or database",
            ));
        }
        let claims = std::mem::take(&mut self.claims);
        for (claim, holder) in claims.into_holders() {
            self.parts.push(Restored::Claim(claim, holder));
            if self.parts.len() >= BATCH {
                self.flush().await?;
            }
        }
        self.flush().await?;
        Ok((self.records, self.exchanges))
    }

    async fn flush(&mut self) -> Result<(), Refusal> {
        let parts = std::mem::take(&mut self.parts);
        self.log.restore(parts).await.map_err(Refusal::from)
    }

    /// What reads what was sealed of an organization.
    fn sealed_as(&self, organization: OrganizationId) -> Result<&dyn Sealed, Refusal> {
        let none = || Refusal::bad_request("this log seals nothing, and the backup has keys");
        let sealed = self.log.sealed().ok_or_else(none)?;
        match &self.strangers {
            Some(strangers) if organization == OrganizationId::NONE => Ok(&**strangers),
            _ => Ok(sealed),
        }
    }

    /// A record as readers see it.
    async fn opened(&self, record: &Record) -> Result<Record, Refusal> {
        match self.log.sealed() {
            None => Ok(record.clone()),
            Some(_) => {
                let sealed = self.sealed_as(record.stream.organization)?;
                sealed.open(record.clone()).await.map_err(|_| without_keys())
            }
        }
    }

    /// Keeps the key of an organization, if it can be used here.
    async fn organization_key(
        &self,
        organization: OrganizationId,
        key: Wrapped,
    ) -> Result<(), Refusal> {
        let sealed = self.sealed_as(organization)?;
        let usable = sealed.check(organization, &key);
        usable.map_err(|e| Refusal::bad_request(e.to_string()))?;
        let kept = sealed.keys().organization(organization, key.clone()).await?;
        if kept != key {
            return Err(Refusal::conflict(
                "an organization of the backup has another key here: restore into a fresh data folder or database",
            ));
        }
        Ok(())
    }

    fn claims_of(&mut self, record: &Record) -> Result<(), Refusal> {
        let changes = of_record(record).map_err(|e| Refusal::bad_request(e.to_string()))?;
        for claim in &changes.release {
            let claim = self.sealed(record, claim)?;
            self.claims.release(&claim, record.stream);
        }
        for claim in &changes.take {
            let claim = self.sealed(record, claim)?;
            self.claims.take(claim, record.stream);
        }
        Ok(())
    }

    fn sealed(&self, record: &Record, claim: &ClearClaim) -> Result<Claim, Refusal> {
        let scope = claim.kind.scope(record.stream.organization);
        let key = self
            .keys
            .get(&scope)
            .ok_or_else(|| Refusal::bad_request("the backup lacks a claim key"))?;
        Ok(hash(scope, key, claim))
    }
}
