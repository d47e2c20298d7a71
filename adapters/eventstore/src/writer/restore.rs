//! Putting parts of a backup in place.

use super::bodies::Bodies;
use crate::append::APPEND_BYTES;
use crate::changes::Change;
use crate::core::{Core, size};
use crate::entry::{self, Entry, What};
use crate::index::facts::{self, Moment};
use rollcall_domain::claim::Claim;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::log::*;
use std::collections::{BTreeMap, HashMap};

/// Bytes of one append, before long data is put elsewhere.
const CHUNK: usize = APPEND_BYTES / 3 * 2;
/// Longer data goes into the side stream.
const HEAVY: usize = 64 * 1024;

/// Parts of a backup, by whose stream they go into.
#[derive(Default)]
pub(crate) struct Sorted {
    /// Claim keys.
    pub keys: Vec<(OrganizationId, [u8; 32])>,
    /// Everything else, in order.
    pub parts: BTreeMap<OrganizationId, Vec<Restored>>,
}

/// Sorts parts.
pub(crate) fn sort(parts: Vec<Restored>) -> Sorted {
    let mut sorted = Sorted::default();
    for part in parts {
        let organization = match &part {
            Restored::ClaimKey(scope, key) => {
                sorted.keys.push((*scope, *key));
                continue;
            }
            Restored::Record(record) => record.stream.organization,
            Restored::Exchange(exchange) => exchange.exchange.organization,
            Restored::Claim(claim, _) => claim.scope,
        };
        sorted.parts.entry(organization).or_default().push(part);
    }
    sorted
}

/// What parts become of on top of what is folded.
struct Placing {
    head: Head,
    versions: HashMap<StreamId, Version>,
    claims: Vec<(Claim, StreamId)>,
    records: Vec<(Record, LeafHash)>,
    exchanges: Vec<RecordedExchange>,
}

impl Placing {
    fn place(&mut self, part: Restored, is_known: bool) -> Result<(), LogError> {
        match part {
            Restored::ClaimKey(..) => {}
            Restored::Claim(claim, holder) => self.claims.push((claim, holder)),
            Restored::Record(record) => {
                let version = self.versions.entry(record.stream).or_default();
                if (record.position, record.version) != (self.head.position + 1, *version + 1) {
                    return Err(LogError::Damaged(format!(
                        "position {} of version {} cannot follow position {} and version {version}",
                        record.position, record.version, self.head.position
                    )));
                }
                (self.head.position, *version) = (record.position, record.version);
                let leaf = record_leaf(&record);
                self.records.push((record, leaf));
            }
            Restored::Exchange(mut exchange) => {
                if let Some((number, after)) = restored_place(&exchange, self.head, is_known)? {
                    (exchange.number, self.head.exchange_number) = (number, number);
                    // A stranger's comes after what is there, wherever it stood in the backup.
                    exchange.after = after.min(self.head.position);
                    self.exchanges.push(*exchange);
                }
            }
        }
        Ok(())
    }
}

impl Core {
    async fn placing(
        &self,
        organization: OrganizationId,
        parts: Vec<Restored>,
    ) -> Result<Placing, LogError> {
        let mut wanted = Wanted::default();
        wanted.organizations.insert(organization);
        for part in &parts {
            match part {
                Restored::Record(record) => drop(wanted.streams.insert(record.stream)),
                Restored::Exchange(x) => {
                    _ = wanted.exchanges.insert((organization, x.exchange.id));
                }
                Restored::ClaimKey(..) | Restored::Claim(..) => {}
            }
        }
        self.follow(organization).await?;
        let Moment { mut facts, .. } = self.index.run(move |db| facts::facts(db, &wanted)).await?;
        let head = facts.heads.get(&organization).copied().unwrap_or_default();
        let mut placing = Placing {
            head,
            versions: facts.versions,
            claims: Vec::new(),
            records: Vec::new(),
            exchanges: Vec::new(),
        };
        for part in parts {
            let id = match &part {
                Restored::Exchange(x) => Some((organization, x.exchange.id)),
                _ => None,
            };
            let is_known = id.is_some_and(|id| facts.exchanges.insert(id, (0, None)).is_some());
            placing.place(part, is_known)?;
        }
        Ok(placing)
    }

    /// That these parts follow what is there.
    pub async fn check_restore(
        &self,
        organization: OrganizationId,
        parts: Vec<Restored>,
    ) -> Result<(), LogError> {
        self.placing(organization, parts).await.map(drop)
    }

    /// Puts parts of one organization in place, in appends that every server takes.
    pub async fn restore(
        &self,
        organization: OrganizationId,
        parts: Vec<Restored>,
    ) -> Result<(), LogError> {
        self.enlist(organization).await?;
        let mut bodies = Bodies::default();
        let mut rest = parts;
        for part in &mut rest {
            if let Restored::Exchange(exchange) = part {
                bodies.take(&mut exchange.exchange);
            }
        }
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take_while(|part| {
                bytes += weight(part);
                bytes < CHUNK
            });
            let behind = rest.split_off(fits.count().max(1));
            // A try that lost is planned anew on what won: strangers' numbers move on.
            while !self.restore_chunk(organization, rest.clone(), &mut bodies).await? {
                self.ids.wait_a_little().await;
            }
            rest = behind;
        }
        Ok(())
    }

    async fn restore_chunk(
        &self,
        organization: OrganizationId,
        parts: Vec<Restored>,
        bodies: &mut Bodies,
    ) -> Result<bool, LogError> {
        let folded = self.follow(organization).await?;
        let placing = self.placing(organization, parts).await?;
        bodies.write(self, organization, &placing.exchanges).await?;
        let unreadable = |e: serde_json::Error| LogError::Unavailable(e.to_string());
        let mut entries: Vec<Entry> = Vec::new();
        if !placing.claims.is_empty() {
            let changes: Vec<Change> = placing
                .claims
                .iter()
                .map(|(c, holder)| Change::new(c, ClaimOutcome::Held(*holder)))
                .collect();
            entries.push(Entry::new(
                organization,
                What::Claims,
                serde_json::to_vec(&changes).map_err(unreadable)?,
            ));
        }
        entries.extend(placing.records.into_iter().map(entry::of_record));
        for exchange in &placing.exchanges {
            entries.push(
                entry::of_exchange(
                    (exchange, exchange_leaf(exchange)),
                    bodies.of(exchange.exchange.id),
                )
                .map_err(unreadable)?,
            );
        }
        entries.iter_mut().for_each(|entry| entry.meta.restored = true);
        if entries.is_empty() {
            return Ok(true);
        }
        self.lighten(organization, &mut entries, HEAVY).await?;
        if size(&entries) > APPEND_BYTES {
            self.lighten(organization, &mut entries, 1024).await?;
        }
        self.place(folded, &mut entries);
        self.append(organization, folded, &entries).await
    }
}

/// What a part takes in an append, about.
fn weight(part: &Restored) -> usize {
    const ENVELOPE: usize = 1_000;
    match part {
        Restored::ClaimKey(..) => 0,
        Restored::Claim(..) => ENVELOPE / 3,
        Restored::Record(record) => ENVELOPE + record.payload.len().min(HEAVY),
        Restored::Exchange(_) => 3 * ENVELOPE,
    }
}
