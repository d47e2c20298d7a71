//! Entries that were appended or read lately: who appended will fold them next, and a read costs
//! a trip to the server.

use crate::entry::Entry;
use rollcall_domain::ids::OrganizationId;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Bytes of all that is kept, about.
const BYTES: usize = 32 * 1024 * 1024;

type Key = (OrganizationId, u64);

/// Entries by their place. What was put in first goes first.
#[derive(Default)]
pub(crate) struct Recent(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    entries: HashMap<Key, Entry>,
    order: VecDeque<Key>,
    bytes: usize,
}

impl Recent {
    /// Keeps entries whose data is in them. What stands in a stream never changes.
    pub fn keep(&self, organization: OrganizationId, entries: &[Entry]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in entries.iter().filter(|entry| entry.meta.data_in.is_none()) {
            let key = (organization, entry.revision);
            if kept.entries.insert(key, entry.clone()).is_none() {
                kept.order.push_back(key);
                kept.bytes += entry.size();
            }
        }
        while kept.bytes > BYTES
            && let Some(key) = kept.order.pop_front()
        {
            let gone = kept.entries.remove(&key);
            kept.bytes -= gone.map_or(0, |entry| entry.size());
        }
    }

    /// Those of these revisions that are kept.
    pub fn of(&self, organization: OrganizationId, revisions: &[u64]) -> HashMap<u64, Entry> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = revisions.iter().filter_map(|revision| {
            Some((*revision, kept.entries.get(&(organization, *revision))?.clone()))
        });
        found.collect()
    }
}
