//! Claims held against the records that they follow from.

use crate::Engine;
use crate::claims::ClaimBook;
use crate::repair::NotRepaired;
use rollcall_domain::actor::Actor;
use rollcall_domain::claim::{Claim, ClaimChanges, ClaimKind};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{
    Append, AppendError, LogError, Position, StreamId, Version, Write, sound,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Records, or claims, read at once.
const PAGE: usize = 1_000;

/// A claim that is not as the records say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimDifference {
    /// What is claimed, as a keyed hash.
    pub claim: Claim,
    /// Who holds it; none if nobody does.
    pub held: Option<StreamId>,
    /// Who should; none if nobody.
    pub expected: Option<StreamId>,
}

/// What a comparison of claims found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsCompared {
    /// Claims compared.
    pub claims: u64,
    /// Those that differ.
    pub different: Vec<ClaimDifference>,
    /// The position up to which records were read.
    pub through: Position,
    /// How far each stream goes.
    ends: HashMap<StreamId, Version>,
}

impl Engine {
    /// Compares the claims of an organization with what its records say. Which names are contested,
    /// and how names are folded, is not in the records and not compared.
    ///
    /// # Errors
    /// If the log cannot be read; [`LogError::Damaged`] if a record is lost.
    pub async fn compare_claims(
        &self,
        organization: OrganizationId,
    ) -> Result<ClaimsCompared, LogError> {
        // Claims move on while records are read: what is found is asked again until nothing moved.
        const TRIES: u32 = 5;
        let mut compared = self.compare_claims_once(organization).await?;
        for _ in 1..TRIES {
            if compared.different.is_empty()
                || self.log.head(organization).await?.position == compared.through
            {
                break;
            }
            let before =
                std::mem::replace(&mut compared, self.compare_claims_once(organization).await?);
            // What moved is not what is wrong.
            compared.different.retain(|found| before.different.contains(found));
        }
        Ok(compared)
    }

    async fn compare_claims_once(
        &self,
        organization: OrganizationId,
    ) -> Result<ClaimsCompared, LogError> {
        let through = self.log.head(organization).await?.position;
        let mut compared = ClaimsCompared { through, ..ClaimsCompared::default() };
        let mut book = ClaimBook::default();
        let mut after = 0;
        while after < through {
            let limit = usize::try_from(through - after).unwrap_or(PAGE).min(PAGE);
            let records = sound(&*self.log, organization, after, limit).await?;
            let records = records.map_err(|damage| {
                LogError::Damaged(format!("position {} of {organization}: {damage}", after + 1))
            })?;
            for record in records {
                let changes = self.claims_of(&record).await?;
                changes.release.iter().for_each(|claim| book.release(claim, record.stream));
                changes.take.into_iter().for_each(|claim| book.take(claim, record.stream));
                compared.ends.insert(record.stream, record.version);
                after = record.position;
            }
        }
        let contested = book.contested();
        let mut expected: BTreeMap<Claim, StreamId> = book.into_holders().collect();
        // Domains are claimed of all organizations at once: each is asked for by itself.
        let others: Vec<Claim> =
            expected.keys().filter(|claim| claim.scope != organization).copied().collect();
        for claim in others {
            let wanted = expected.remove(&claim);
            let held = self.log.holder(&claim).await?;
            compared.claims += 1;
            if held != wanted {
                compared.different.push(ClaimDifference { claim, held, expected: wanted });
            }
        }
        // The scope of no organization is that of what all of them share: looked at with each.
        let (mut last, mut more) = (None, organization != OrganizationId::NONE);
        while more {
            let page = self.log.claims(organization, last, PAGE).await?;
            more = !page.is_empty();
            last = page.last().map(|(end, _)| *end).or(last);
            for (claim, held) in page {
                let wanted = expected.remove(&claim);
                if claim.kind == ClaimKind::NameFold || contested.contains(&claim) {
                    continue;
                }
                compared.claims += 1;
                if wanted != Some(held) {
                    let held = Some(held);
                    compared.different.push(ClaimDifference { claim, held, expected: wanted });
                }
            }
        }
        for (claim, wanted) in expected.into_iter().filter(|(c, _)| !contested.contains(c)) {
            if claim.kind != ClaimKind::NameFold {
                let expected = Some(wanted);
                compared.different.push(ClaimDifference { claim, held: None, expected });
            }
        }
        Ok(compared)
    }

    /// Gives up what these streams claim and nothing of their records says any more.
    pub(crate) async fn give_up_claims(
        &self,
        organization: OrganizationId,
        streams: &BTreeSet<StreamId>,
    ) -> Result<(), NotRepaired> {
        let compared = self.compare_claims(organization).await?;
        let mut by_stream: BTreeMap<StreamId, Vec<Claim>> = BTreeMap::new();
        for ClaimDifference { claim, held, .. } in compared.different {
            // Of a record of which nothing tells whose it was, nothing tells what it claimed.
            if let Some(held) = held
                && (streams.contains(&held) || !compared.ends.contains_key(&held))
            {
                by_stream.entry(held).or_default().push(claim);
            }
        }
        for (stream, release) in by_stream {
            let expected = compared.ends.get(&stream).copied().unwrap_or_default();
            let claims = ClaimChanges { release, ..ClaimChanges::default() };
            let (recorded_at, actor) = (self.clock.now(), Actor::System);
            let events = Vec::new();
            let write = Write { stream, expected, events, claims, recorded_at, actor, cause: None };
            match self.log.append(Append { organization, write: Some(write), exchange: None }).await
            {
                Ok(_) => {}
                // It goes on already: whatever it does, it does knowing what it holds.
                Err(AppendError::LostRace { .. }) => {}
                Err(error) => return Err(LogError::Unavailable(error.to_string()).into()),
            }
        }
        Ok(())
    }
}
