//! Reading a backup: every line is checked, claims are derived from the events.

use crate::admin::Line;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rollcall_contract::backup::{BACKUP_FORMAT, BackupLine};
use rollcall_domain::claim::{Claim, ClearClaim};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Log, Record, RecordedExchange, Restored};
use rollcall_door::Refusal;
use rollcall_engine::claims::{ClaimBook, hash, of_record};
use std::collections::HashMap;
use std::sync::Arc;

/// So many parts go into the log at once.
const BATCH: usize = 500;

/// Takes the lines of a backup one by one.
pub struct Restorer {
    log: Arc<dyn Log>,
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
    pub fn new(log: Arc<dyn Log>) -> Self {
        Self {
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
    pub async fn line(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let bad = |what: &str| Refusal::bad_request(format!("this is not a backup that can be restored: {what}"));
        let line: Line = serde_json::from_slice(line).map_err(|e| bad(&format!("line cannot be read at column {}", e.column())))?;
        if self.ended {
            return Err(bad("there is more after its last line"));
        }
        match line {
            BackupLine::Begin { format: BACKUP_FORMAT, .. } if !self.begun => self.begun = true,
            BackupLine::Begin { format, .. } => return Err(bad(&format!("format {format}; this version reads {BACKUP_FORMAT}"))),
            _ if !self.begun => return Err(bad("its first line is missing")),
            BackupLine::ClaimKey { scope, key } => {
                let key =
                    BASE64.decode(key).ok().and_then(|k| <[u8; 32]>::try_from(k).ok()).ok_or_else(|| bad("a claim key is damaged"))?;
                let scope = OrganizationId(scope);
                self.keys.insert(scope, key);
                self.parts.push(Restored::ClaimKey(scope, key));
            }
            BackupLine::Record { record } => {
                self.records += 1;
                self.claims_of(&record)?;
                self.parts.push(Restored::Record(*record));
            }
            BackupLine::Exchange { number, positions, after, mut exchange, request, answer } => {
                self.exchanges += 1;
                exchange.request_body = BASE64.decode(request).map_err(|_| bad("a body is damaged"))?;
                exchange.answer_body = BASE64.decode(answer).map_err(|_| bad("a body is damaged"))?;
                self.parts.push(Restored::Exchange(Box::new(RecordedExchange { number, positions, after, exchange: *exchange })));
            }
            BackupLine::End { records, exchanges } if (records, exchanges) == (self.records, self.exchanges) => self.ended = true,
            BackupLine::End { .. } => return Err(bad("its last line counts other than what came")),
        }
        if self.parts.len() >= BATCH { self.flush().await } else { Ok(()) }
    }

    /// Ends the restore; gives the numbers of records and exchanges.
    pub async fn finish(mut self) -> Result<(u64, u64), Refusal> {
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
        let key = self.keys.get(&scope).ok_or_else(|| Refusal::bad_request("the backup lacks a claim key"))?;
        Ok(hash(scope, key, claim))
    }
}
