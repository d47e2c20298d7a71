//! From claims in clear to claims as stores know them.

use hmac::{Hmac, Mac};
use rollcall_domain::claim::{Claim, ClaimChanges, ClearClaim};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Log, LogError};
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

    /// Hashes claims under the key of their scope; `fresh` becomes that key if it has none yet.
    pub(super) async fn seal(
        &self,
        scope: OrganizationId,
        fresh: impl FnOnce() -> [u8; 32],
        changes: ClaimChanges<ClearClaim>,
    ) -> Result<ClaimChanges<Claim>, LogError> {
        if changes.is_empty() {
            return Ok(ClaimChanges::default());
        }
        let known = self.known.read().unwrap_or_else(|e| e.into_inner()).get(&scope).copied();
        let key = match known {
            Some(key) => key,
            None => {
                let key = self.log.claim_key(scope, fresh()).await?;
                self.known.write().unwrap_or_else(|e| e.into_inner()).insert(scope, key);
                key
            }
        };
        let seal = |claims: Vec<ClearClaim>| claims.iter().map(|c| hash(scope, &key, c)).collect();
        Ok(ClaimChanges { release: seal(changes.release), take: seal(changes.take), require: seal(changes.require) })
    }
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
