//! From claims in clear to claims as stores know them.

use crate::streamed::Streamed;
use hmac::{Hmac, Mac};
use rollcall_domain::claim::{Claim, ClaimChanges, ClaimKind, ClearClaim};
use rollcall_domain::consumer::Consumer;
use rollcall_domain::deployment::Deployment;
use rollcall_domain::event::{DecodeError, decode};
use rollcall_domain::group::Group;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{AggregateKind, Log, LogError, Record, StreamId};
use rollcall_domain::lost::RecordLost;
use rollcall_domain::organization::Organization;
use rollcall_domain::user::User;
use sha2::Sha256;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, RwLock};

/// The claim keys of the scopes, read once each.
pub(crate) struct ClaimKeys {
    log: Arc<dyn Log>,
    known: RwLock<HashMap<OrganizationId, [u8; 32]>>,
}

impl ClaimKeys {
    pub(crate) fn new(log: Arc<dyn Log>) -> Self {
        Self { log, known: RwLock::default() }
    }

    /// Forgets the keys: those of another log are others.
    pub(crate) fn forget(&self) {
        self.known.write().unwrap_or_else(|e| e.into_inner()).clear();
    }

    /// Hashes an organization's claims, each under the key of the scope in which it holds; `fresh`
    /// becomes that key if it has none yet.
    pub(crate) async fn seal(
        &self,
        organization: OrganizationId,
        fresh: &(dyn Fn() -> [u8; 32] + Sync),
        changes: ClaimChanges<ClearClaim>,
    ) -> Result<ClaimChanges<Claim>, LogError> {
        let mut sealed = ClaimChanges::default();
        for (from, into) in [
            (changes.release, &mut sealed.release),
            (changes.take, &mut sealed.take),
            (changes.require, &mut sealed.require),
        ] {
            for claim in from {
                let scope = claim.kind.scope(organization);
                into.push(hash(scope, &self.key(scope, fresh).await?, &claim));
            }
        }
        Ok(sealed)
    }

    pub(crate) async fn key(
        &self,
        scope: OrganizationId,
        fresh: &(dyn Fn() -> [u8; 32] + Sync),
    ) -> Result<[u8; 32], LogError> {
        if let Some(key) = self.known.read().unwrap_or_else(|e| e.into_inner()).get(&scope) {
            return Ok(*key);
        }
        let key = self.log.claim_key(scope, fresh()).await?;
        self.known.write().unwrap_or_else(|e| e.into_inner()).insert(scope, key);
        Ok(key)
    }
}

/// Who claims what after records that are put in place without being decided. Of those who claim
/// the same, the first holds it for as long as it does: an older version may have taken two names
/// for two that are one now.
#[derive(Default)]
pub struct ClaimBook(BTreeMap<Claim, (StreamId, Vec<StreamId>)>);

impl ClaimBook {
    /// A stream claims it.
    pub fn take(&mut self, claim: Claim, stream: StreamId) {
        match self.0.entry(claim) {
            Entry::Vacant(free) => drop(free.insert((stream, Vec::new()))),
            Entry::Occupied(mut held) => {
                let (holder, waiting) = held.get_mut();
                if *holder != stream && !waiting.contains(&stream) {
                    waiting.push(stream);
                }
            }
        }
    }

    /// A stream claims it no more.
    pub fn release(&mut self, claim: &Claim, stream: StreamId) {
        let Some((holder, waiting)) = self.0.get_mut(claim) else { return };
        waiting.retain(|other| *other != stream);
        if *holder != stream {
            return;
        }
        if waiting.is_empty() {
            self.0.remove(claim);
        } else {
            *holder = waiting.remove(0);
        }
    }

    /// Streams claim nothing any more but what they took for good.
    pub fn forget(&mut self, streams: &BTreeSet<StreamId>) {
        let claims: Vec<Claim> = self.0.keys().filter(|c| !c.kind.is_once()).copied().collect();
        for claim in claims {
            for stream in streams {
                self.release(&claim, *stream);
            }
        }
    }

    /// Claims that more than one would hold.
    pub fn contested(&self) -> BTreeSet<Claim> {
        self.0.iter().filter(|(_, (_, waiting))| !waiting.is_empty()).map(|(c, _)| *c).collect()
    }

    /// The claims.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.0.keys()
    }

    /// Each with its holder. An organization in which a name is contested does not hold that all of
    /// its names are claimed as they are folded now.
    pub fn into_holders(self) -> impl Iterator<Item = (Claim, StreamId)> {
        let contested: BTreeSet<OrganizationId> =
            self.0.iter().filter(|(_, (_, w))| !w.is_empty()).map(|(c, _)| c.scope).collect();
        let unsettled = move |claim: &Claim| {
            claim.kind == ClaimKind::NameFold && contested.contains(&claim.scope)
        };
        self.0
            .into_iter()
            .map(|(claim, (holder, _))| (claim, holder))
            .filter(move |(claim, _)| !unsettled(claim))
    }
}

/// A hash of a text under a key, in lower-case hex: equal texts are seen to be equal, and no more.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub fn keyed(key: &[u8; 32], text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    // No kind of claim begins like this.
    mac.update(b"subject\0");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The claims that go with one record.
pub fn of_record(record: &Record) -> Result<ClaimChanges<ClearClaim>, DecodeError> {
    match record.stream.kind {
        AggregateKind::User => of::<User>(record),
        AggregateKind::Group => of::<Group>(record),
        AggregateKind::Organization => of::<Organization>(record),
        AggregateKind::Deployment => of::<Deployment>(record),
        AggregateKind::Consumer => of::<Consumer>(record),
    }
}

fn of<A: Streamed>(record: &Record) -> Result<ClaimChanges<ClearClaim>, DecodeError> {
    if RecordLost::of(record)?.is_some() {
        return Ok(ClaimChanges::default());
    }
    let event: A::Event = decode(record)?;
    Ok(A::claims(&record.stream, &[event]))
}

/// A claim as stores know it.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub fn hash(scope: OrganizationId, key: &[u8; 32], claim: &ClearClaim) -> Claim {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(claim.kind.as_str().as_bytes());
    mac.update(&[0]);
    mac.update(claim.value.as_bytes());
    Claim { scope, kind: claim.kind, key: mac.finalize().into_bytes().into() }
}
