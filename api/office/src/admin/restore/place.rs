//! The parts of a backup on their way into the log. Claims are derived from the events again. What
//! is there already, of a restore that was broken off, is left as it is.

use super::Line;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rollcall_contract::backup::{BackupLine, NotABackup};
use rollcall_domain::claim::{Claim, ClearClaim};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{
    DataKey, Head, KeyId, Log, Record, RecordedExchange, Restored, Sealed, Wrapped,
};
use rollcall_door::Refusal;
use rollcall_engine::claims::{ClaimBook, hash, of_record};
use std::collections::HashMap;
use std::sync::Arc;

/// What is told of a file that is none.
pub(super) fn refused(why: NotABackup) -> Refusal {
    Refusal::bad_request(format!("this is not a backup that can be restored: {why}"))
}

/// So many parts go into the log at once.
const BATCH: usize = 500;

fn without_keys() -> Refusal {
    Refusal::bad_request(
        "what is sealed cannot be opened: the keys of this backup are missing, or of another log",
    )
}

/// Takes the lines of a backup one by one.
pub(super) struct Placing {
    log: Arc<dyn Log>,
    /// Reads what is sealed of no organization: here too somebody may have called, and there are
    /// keys for that. It is sealed anew.
    strangers: Option<Arc<dyn Sealed>>,
    /// Where each organization's log ended when this began.
    there: HashMap<OrganizationId, Head>,
    keys: HashMap<OrganizationId, [u8; 32]>,
    claims: ClaimBook,
    parts: Vec<Restored>,
}

impl Placing {
    /// Goes on with what is in the log.
    pub async fn into(log: Arc<dyn Log>) -> Result<Self, Refusal> {
        let there = log.heads().await?.into_iter().collect();
        Ok(Self {
            strangers: log.sealed().map(Sealed::apart),
            log,
            there,
            keys: HashMap::new(),
            claims: ClaimBook::default(),
            parts: Vec::new(),
        })
    }

    fn there(&self, organization: OrganizationId) -> Head {
        self.there.get(&organization).copied().unwrap_or_default()
    }

    /// Takes one line, which is not damaged.
    pub async fn take(&mut self, line: Line, number: u64) -> Result<(), Refusal> {
        let bad = |what| refused(NotABackup::Damaged { line: number, what });
        match line {
            BackupLine::Begin { .. } | BackupLine::Section { .. } | BackupLine::End { .. } => {}
            BackupLine::ClaimKey { scope, key } => {
                let key = BASE64.decode(key).ok().and_then(|k| <[u8; 32]>::try_from(k).ok());
                let (scope, key) = (OrganizationId(scope), key.ok_or_else(|| bad("a claim key"))?);
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
                let opened = self.opened(&record).await?;
                self.claims_of(&opened)?;
                if opened.stream.organization == OrganizationId::NONE {
                    *record = opened;
                }
                if record.position > self.there(record.stream.organization).position {
                    self.parts.push(Restored::Record(*record));
                }
            }
            BackupLine::Exchange {
                number: at,
                positions,
                after,
                mut exchange,
                request,
                answer,
            } => {
                let organization = exchange.organization;
                exchange.request_body = BASE64.decode(request).map_err(|_| bad("a body"))?;
                exchange.answer_body = BASE64.decode(answer).map_err(|_| bad("a body"))?;
                if organization == OrganizationId::NONE
                    && let Some(strangers) = &self.strangers
                {
                    let opened = strangers.open_exchange(&mut exchange).await;
                    opened.map_err(|_| without_keys())?;
                }
                // Those of strangers get other numbers, and are left out by the log itself.
                if organization == OrganizationId::NONE
                    || at > self.there(organization).exchange_number
                {
                    let exchange = *exchange;
                    let placed = RecordedExchange { number: at, positions, after, exchange };
                    self.parts.push(Restored::Exchange(Box::new(placed)));
                }
            }
        }
        if self.parts.len() >= BATCH { self.flush().await } else { Ok(()) }
    }

    /// Puts the claims down, when all records are.
    pub async fn finish(mut self) -> Result<(), Refusal> {
        let claims = std::mem::take(&mut self.claims);
        for (claim, holder) in claims.into_holders() {
            self.parts.push(Restored::Claim(claim, holder));
            if self.parts.len() >= BATCH {
                self.flush().await?;
            }
        }
        self.flush().await
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
