//! What is kept of one of Entra's cycles, and how an import of several is cut into events.

use super::digest::CycleDigest;
use super::entry::ImportedChange;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many changes are kept in one event.
pub const CHANGES_IN_EVENT: usize = 1_000;

/// What Entra says of one cycle, or of one run on demand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedCycle {
    /// Entra's id of it.
    pub cycle: String,
    /// Names its content, so that importing it again changes nothing.
    pub digest: CycleDigest,
    /// What it did, by time. A long cycle goes on in the next event.
    pub changes: Vec<ImportedChange>,
}

/// Cycles that are not `known` with this very content, cut into parts of at most
/// [`CHANGES_IN_EVENT`] changes, one for each event. Changes are put into order, and one that is
/// there twice is kept once.
pub fn into_parts(
    changes: Vec<(String, ImportedChange)>,
    known: &BTreeMap<String, CycleDigest>,
) -> Vec<Vec<ImportedCycle>> {
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
