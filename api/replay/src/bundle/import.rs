//! From a bundle to an organization of its own, clearly marked.

use super::credentials::Renamed;
use super::read::{BundleError, Whole, check, load, read};
use rollcall_domain::claim::ClearClaim;
use rollcall_domain::event::decode;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, LogError, Record, Restored};
use rollcall_domain::organization::{OrganizationEvent, rehash};
use rollcall_engine::Engine;
use rollcall_engine::claims::{ClaimBook, hash, of_record};
use rollcall_engine::secrets::sha256_hex;
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

/// Claims put into the log at once.
const BATCH: usize = 500;

/// What an imported organization is to be.
pub struct ImportAs {
    /// Its id.
    pub organization: OrganizationId,
    /// Its slug.
    pub domain: String,
}

/// Why a bundle was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is not taken.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The log cannot be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Another organization has the domain.
    #[error("another organization ({0}) has this domain")]
    DomainTaken(OrganizationId),
}

/// Makes an organization from a bundle. Its credentials admit nobody: hashes of secrets are not in
/// bundles, and who is trusted by a signature is trusted under an id that nobody was told.
pub async fn import(engine: &Engine, path: &Path, to: &ImportAs) -> Result<Whole, ImportError> {
    let begin = check(path)?.begin;
    let keys = HashMap::from([
        (to.organization, engine.claim_key(to.organization).await?),
        (OrganizationId::NONE, engine.claim_key(OrganizationId::NONE).await?),
    ]);
    // The claims are known before anything is written, so that a taken domain leaves nothing.
    let mut claims = ClaimBook::default();
    let mut credentials = Renamed::default();
    read(File::open(path).map_err(BundleError::from)?, |_, part| {
        let Restored::Record(record) = part else { return Ok(()) };
        credentials.note(&record, to.organization);
        let record = moved(record, begin.organization, to)?;
        let changes = of_record(&record).map_err(|e| BundleError::Damaged(e.to_string()))?;
        let sealed = |claim: &ClearClaim| {
            let scope = claim.kind.scope(to.organization);
            keys.get(&scope).map(|key| hash(scope, key, claim))
        };
        for claim in changes.release.iter().filter_map(sealed) {
            claims.release(&claim, record.stream);
        }
        changes.take.iter().filter_map(sealed).for_each(|claim| claims.take(claim, record.stream));
        Ok(())
    })?;
    for claim in claims.claims().filter(|claim| claim.scope == OrganizationId::NONE) {
        if let Some(holder) = engine.log.holder(claim).await? {
            return Err(ImportError::DomainTaken(holder.organization));
        }
    }
    let whole = load(path, &*engine.log, |part| {
        Ok(match part {
            Restored::Record(record) => {
                let mut record = moved(record, begin.organization, to)?;
                credentials.record(&mut record).map_err(|_| unreadable())?;
                Restored::Record(record)
            }
            Restored::Exchange(mut recorded) => {
                recorded.exchange.organization = to.organization;
                credentials.exchange(&mut recorded.exchange).map_err(|_| unreadable())?;
                Restored::Exchange(recorded)
            }
            other => other,
        })
    })
    .await?;
    let claims: Vec<Restored> =
        claims.into_holders().map(|(claim, holder)| Restored::Claim(claim, holder)).collect();
    for batch in claims.chunks(BATCH) {
        engine.log.restore(batch.to_vec()).await?;
    }
    Ok(whole)
}

fn unreadable() -> BundleError {
    BundleError::Damaged("an event of the organization cannot be read".to_owned())
}

/// A record as one of the new organization.
fn moved(mut record: Record, from: OrganizationId, to: &ImportAs) -> Result<Record, BundleError> {
    record.stream.organization = to.organization;
    if record.stream.kind != AggregateKind::Organization {
        return Ok(record);
    }
    if record.stream.id == from.0 {
        record.stream.id = to.organization.0;
    }
    if record.is_lost() {
        return Ok(record);
    }
    let mut event: OrganizationEvent = decode(&record).map_err(|_| unreadable())?;
    if let OrganizationEvent::Created { name, domain } = &mut event {
        name.push_str(" (from a bundle)");
        domain.clone_from(&to.domain);
    } else if !rehash(&mut event, |credential, sha256| {
        sha256_hex(&format!("bundle {credential} {sha256} {}", to.organization))
    }) {
        // Others in every import, for no two credentials may have the same secret.
        return Ok(record);
    }
    record.event_version = event.kind().version().to_owned();
    record.payload = serde_json::to_string(&event).map_err(|_| unreadable())?;
    Ok(record)
}
