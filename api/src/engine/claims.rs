//! From claims in clear to claims as stores know them.

use super::Hosted;
use hmac::{Hmac, Mac};
use rollcall_domain::claim::{Claim, ClaimChanges, ClearClaim};
use rollcall_domain::event::{DecodeError, decode};
use rollcall_domain::group::Group;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, Log, LogError, Record};
use rollcall_domain::organization::Organization;
use rollcall_domain::user::User;
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::{Arc, RwLock};

/// The claim keys of the scopes, read once each.
pub(super) struct ClaimKeys {
    log: Arc<dyn Log>,
    known: RwLock<HashMap<OrganizationId, [u8; 32]>>,
}

impl ClaimKeys {
    pub(super) fn new(log: Arc<dyn Log>) -> Self {
        Self { log, known: RwLock::default() }
    }

    /// Hashes an organization's claims, each under the key of the scope in which it holds; `fresh`
    /// becomes that key if it has none yet.
    pub(super) async fn seal(
        &self,
        organization: OrganizationId,
        fresh: &(dyn Fn() -> [u8; 32] + Sync),
        changes: ClaimChanges<ClearClaim>,
    ) -> Result<ClaimChanges<Claim>, LogError> {
        let mut sealed = ClaimChanges::default();
        for (from, into) in
            [(changes.release, &mut sealed.release), (changes.take, &mut sealed.take), (changes.require, &mut sealed.require)]
        {
            for claim in from {
                let scope = claim.kind.scope(organization);
                into.push(hash(scope, &self.key(scope, fresh).await?, &claim));
            }
        }
        Ok(sealed)
    }

    pub(super) async fn key(&self, scope: OrganizationId, fresh: &(dyn Fn() -> [u8; 32] + Sync)) -> Result<[u8; 32], LogError> {
        if let Some(key) = self.known.read().unwrap_or_else(|e| e.into_inner()).get(&scope) {
            return Ok(*key);
        }
        let key = self.log.claim_key(scope, fresh()).await?;
        self.known.write().unwrap_or_else(|e| e.into_inner()).insert(scope, key);
        Ok(key)
    }
}

/// A hash of a text under a key, in lower-case hex: equal texts are seen to be equal, and no more.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub(super) fn keyed(key: &[u8; 32], text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    // No kind of claim begins like this.
    mac.update(b"subject\0");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The claims that go with one record.
pub(crate) fn of_record(record: &Record) -> Result<ClaimChanges<ClearClaim>, DecodeError> {
    match record.stream.kind {
        AggregateKind::User => of::<User>(record),
        AggregateKind::Group => of::<Group>(record),
        AggregateKind::Organization => of::<Organization>(record),
    }
}

fn of<A: Hosted>(record: &Record) -> Result<ClaimChanges<ClearClaim>, DecodeError> {
    let event: A::Event = decode(record)?;
    Ok(A::claims(&record.stream, &[event]))
}

/// A claim as stores know it.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub(crate) fn hash(scope: OrganizationId, key: &[u8; 32], claim: &ClearClaim) -> Claim {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(claim.kind.as_str().as_bytes());
    mac.update(&[0]);
    mac.update(claim.value.as_bytes());
    Claim { scope, kind: claim.kind, key: mac.finalize().into_bytes().into() }
}
