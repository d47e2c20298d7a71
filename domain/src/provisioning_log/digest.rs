//! Names the content of a cycle, and cuts an import into events.

use super::entry::{ImportedChange, ImportedCycle};
use super::{CHANGES_IN_EVENT, entry};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Names the content of one imported cycle: the number of changes, and a hash over them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CycleDigest(String);

impl CycleDigest {
    /// The digest of changes that are in order.
    pub fn of(changes: &[ImportedChange]) -> Self {
        // FNV-1a: equal content has to be known again, nobody has to be kept from forging it.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut take = |bytes: &[u8]| {
            for byte in bytes.iter().chain(&[0xff]) {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for entry::ImportedChange { at, change, took_ms, action, status, error, target, initiator } in changes {
            take(&at.timestamp_micros().to_be_bytes());
            take(change.as_bytes());
            take(&took_ms.to_be_bytes());
            take(action.as_str().as_bytes());
            take(status.as_str().as_bytes());
            take(error.as_deref().unwrap_or_default().as_bytes());
            take(target.as_deref().unwrap_or_default().as_bytes());
            take(format!("{initiator:?}").as_bytes());
        }
        Self(format!("{}-{hash:016x}", changes.len()))
    }
}

/// Cycles that are not `known` with this very content, cut into parts of at most
/// [`CHANGES_IN_EVENT`] changes, one for each event. Changes are put into order, and one that is there
/// twice is kept once.
pub fn into_parts(changes: Vec<(String, ImportedChange)>, known: &BTreeMap<String, CycleDigest>) -> Vec<Vec<ImportedCycle>> {
    let mut cycles: BTreeMap<String, Vec<ImportedChange>> = BTreeMap::new();
    for (cycle, change) in changes {
        cycles.entry(cycle).or_default().push(change);
    }
    let (mut parts, mut part, mut room) = (Vec::new(), Vec::new(), CHANGES_IN_EVENT);
    for (cycle, mut changes) in cycles {
        changes.sort();
        changes.dedup();
        let digest = CycleDigest::of(&changes);
        if known.get(&cycle) == Some(&digest) {
            continue;
        }
        while !changes.is_empty() {
            let rest = changes.split_off(changes.len().min(room));
            room -= changes.len();
            part.push(ImportedCycle { cycle: cycle.clone(), digest: digest.clone(), changes });
            changes = rest;
            if room == 0 {
                parts.push(std::mem::take(&mut part));
                room = CHANGES_IN_EVENT;
            }
        }
    }
    parts.extend(Some(part).filter(|part| !part.is_empty()));
    parts
}
