//! The parts of a backup on their way into the log. Claims are derived from the events again. What
//! is there already, of a restore that was broken off, is left as it is.

use super::Line;
use super::opening::{Opening, bodies, data_keys, refused};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rollcall_contract::backup::{BackupLine, NotABackup};
use rollcall_domain::claim::{Claim, ClearClaim};
use rollcall_domain::event::DomainEvent;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_domain::log::{AggregateKind, StreamId};
use rollcall_domain::log::{Head, Log, Record, RecordedExchange, Restored, Wrapped, stored};
use rollcall_domain::organization::OrganizationEvent;
use rollcall_domain::user::UserEvent;
use rollcall_door::Refusal;
use rollcall_engine::Erasure;
use rollcall_engine::claims::{ClaimBook, hash, of_record};
use std::collections::HashMap;
use std::sync::Arc;

/// So many parts go into the log at once.
const BATCH: usize = 500;

/// Takes the lines of a backup one by one.
pub(super) struct Placing {
    log: Arc<dyn Log>,
    opening: Opening,
    /// Where each organization's log ended when this began.
    there: HashMap<OrganizationId, Head>,
    keys: HashMap<OrganizationId, [u8; 32]>,
    claims: ClaimBook,
    /// Who was erased when the backup was made.
    erased: Vec<Erasure>,
    /// What is sealed on its way into the log.
    clear: Vec<Restored>,
    /// What is put down as it is: sealed, under keys that came along.
    sealed: Vec<Restored>,
}

impl Placing {
    /// Goes on with what is in the log.
    pub async fn into(log: Arc<dyn Log>) -> Result<Self, Refusal> {
        let there = log.heads().await?.into_iter().collect();
        Ok(Self {
            opening: Opening::of(&*log),
            log,
            there,
            keys: HashMap::new(),
            claims: ClaimBook::default(),
            erased: Vec::new(),
            clear: Vec::new(),
            sealed: Vec::new(),
        })
    }

    fn there(&self, organization: OrganizationId) -> Head {
        self.there.get(&organization).copied().unwrap_or_default()
    }

    /// Whether the parts of an organization stay sealed as they are. Of no organization there are
    /// keys here already, for somebody may have called: those are sealed anew.
    fn stays_sealed(&self, organization: OrganizationId) -> bool {
        self.opening.is_sealed() && organization != OrganizationId::NONE
    }

    fn put(&mut self, organization: OrganizationId, part: Restored) {
        if self.stays_sealed(organization) {
            self.sealed.push(part);
        } else {
            self.clear.push(part);
        }
    }

    /// Takes one line, which is not damaged.
    pub async fn take(&mut self, line: Line, number: u64) -> Result<(), Refusal> {
        let bad = |what| refused(NotABackup::Damaged { line: number, what });
        self.opening.learn(&line).await?;
        match line {
            BackupLine::Begin { .. } | BackupLine::Section { .. } | BackupLine::End { .. } => {}
            // Known from the first reading.
            BackupLine::ErasureList { .. }
            | BackupLine::ErasedPerson { .. }
            | BackupLine::ErasedOrganization { .. }
            | BackupLine::ErasureListEnd { .. } => {}
            BackupLine::ClaimKey { scope, key } => {
                let key = BASE64.decode(key).ok().and_then(|k| <[u8; 32]>::try_from(k).ok());
                let (scope, key) = (OrganizationId(scope), key.ok_or_else(|| bad("a claim key"))?);
                self.keys.insert(scope, key);
                self.clear.push(Restored::ClaimKey(scope, key));
            }
            BackupLine::OrganizationKey { organization, wrapped, .. } => {
                self.organization_key(OrganizationId(organization), Wrapped(wrapped)).await?;
            }
            BackupLine::DataKeys { organization, keys, .. } => {
                let organization = OrganizationId(organization);
                if let Some(here) = self.log.sealed().filter(|_| self.stays_sealed(organization)) {
                    here.keys().restore(organization, data_keys(&keys)).await?;
                }
            }
            BackupLine::Record { mut record } => {
                let organization = record.stream.organization;
                let opened = self.opening.record(&record).await?;
                self.claims_of(&opened)?;
                self.erased.extend(erasure(&opened));
                if !self.stays_sealed(organization) {
                    *record = opened;
                }
                if record.position > self.there(organization).position {
                    self.put(organization, Restored::Record(*record));
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
                bodies(&mut exchange, &request, &answer, number)?;
                if !self.stays_sealed(organization) {
                    self.opening.exchange(&mut exchange).await?;
                }
                // Those of strangers get other numbers, and are left out by the log itself.
                if organization == OrganizationId::NONE
                    || at > self.there(organization).exchange_number
                {
                    let exchange = *exchange;
                    let placed = RecordedExchange { number: at, positions, after, exchange };
                    self.put(organization, Restored::Exchange(Box::new(placed)));
                }
            }
        }
        if self.clear.len() + self.sealed.len() >= BATCH { self.flush().await } else { Ok(()) }
    }

    /// Puts the claims down, when all records are. Gives who is to be erased: those of a list, who
    /// claim nothing any more, and those of whom the backup itself says so, whose keys may have come
    /// from an older one.
    pub async fn finish(mut self, listed: &[Erasure]) -> Result<Vec<Erasure>, Refusal> {
        let mut claims = std::mem::take(&mut self.claims);
        claims.forget(&listed.iter().filter_map(stream).collect());
        for (claim, holder) in claims.into_holders() {
            self.clear.push(Restored::Claim(claim, holder));
            if self.clear.len() >= BATCH {
                self.flush().await?;
            }
        }
        self.flush().await?;
        Ok(std::mem::take(&mut self.erased).into_iter().chain(listed.iter().cloned()).collect())
    }

    async fn flush(&mut self) -> Result<(), Refusal> {
        let (clear, sealed) = (std::mem::take(&mut self.clear), std::mem::take(&mut self.sealed));
        self.log.restore(clear).await?;
        stored(&self.log).restore(sealed).await.map_err(Refusal::from)
    }

    /// Keeps the key of an organization, which can be used here.
    async fn organization_key(
        &self,
        organization: OrganizationId,
        key: Wrapped,
    ) -> Result<(), Refusal> {
        let Some(here) = self.log.sealed().filter(|_| self.stays_sealed(organization)) else {
            return Ok(());
        };
        if here.keys().organization(organization, key.clone()).await? != key {
            return Err(Refusal::conflict(
                "an organization of the backup has another key here: restore into a fresh data folder or database",
            ));
        }
        Ok(())
    }

    fn claims_of(&mut self, record: &Record) -> Result<(), Refusal> {
        let changes = of_record(record).map_err(|e| Refusal::bad_request(e.to_string()))?;
        for claim in &changes.release {
            let claim = self.hashed(record, claim)?;
            self.claims.release(&claim, record.stream);
        }
        for claim in &changes.take {
            let claim = self.hashed(record, claim)?;
            self.claims.take(claim, record.stream);
        }
        Ok(())
    }

    fn hashed(&self, record: &Record, claim: &ClearClaim) -> Result<Claim, Refusal> {
        let scope = claim.kind.scope(record.stream.organization);
        let key = self
            .keys
            .get(&scope)
            .ok_or_else(|| Refusal::bad_request("the backup lacks a claim key"))?;
        Ok(hash(scope, key, claim))
    }
}

/// Who is erased, as a record says.
fn erasure(record: &Record) -> Option<Erasure> {
    match DomainEvent::decode(record).ok()? {
        DomainEvent::User(UserEvent::Erased { because }) => {
            let StreamId { organization, id, .. } = record.stream;
            Some(Erasure { organization, user: Some(ResourceId(id)), because })
        }
        DomainEvent::Organization(OrganizationEvent::Erased { because }) => {
            Some(Erasure { organization: record.stream.organization, user: None, because })
        }
        _ => None,
    }
}

fn stream(of: &Erasure) -> Option<StreamId> {
    let (organization, kind) = (of.organization, AggregateKind::User);
    of.user.map(|user| StreamId { organization, kind, id: user.0 })
}
