//! Warm copies of aggregates, one lock each: commands on one aggregate run one after another.

use crate::streamed::Streamed;
use chrono::{DateTime, Utc};
use lru::LruCache;
use rollcall_domain::event::{DecodeError, decode};
use rollcall_domain::log::{AggregateSnapshot, Log, LogError, Record, StreamId, Version};
use rollcall_domain::lost::RecordLost;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// When an aggregate came to be, and when it last changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// Time of its first event.
    pub created: DateTime<Utc>,
    /// Time of its last event.
    pub modified: DateTime<Utc>,
}

/// One aggregate at some version.
#[derive(Clone, Debug)]
pub struct Slot<A> {
    /// The state.
    pub(super) state: A,
    /// How many events made it.
    pub(super) version: Version,
    /// The version at which clients last saw it change.
    pub(super) revision: Version,
    /// The version of its last snapshot.
    pub(super) snapshot: Version,
    /// First and last change.
    pub(super) times: Times,
}

impl<A: Streamed> Slot<A> {
    pub(super) fn empty() -> Self {
        Self { state: A::default(), version: 0, revision: 0, snapshot: 0, times: Times::default() }
    }

    pub(super) fn passed(&mut self, event: &A::Event, at: DateTime<Utc>) {
        if self.version == 0 {
            self.times.created = at;
        }
        self.version += 1;
        if A::modifies(event) {
            self.revision = self.version;
            self.times.modified = at;
        }
    }

    /// Whether so much has happened since the last snapshot that another one pays. The larger the
    /// state, the more events pass between two, so that keeping them costs the same per event.
    pub(super) fn wants_snapshot(&self) -> bool {
        self.version - self.snapshot >= 512 + (self.state.weight() / 16) as u64
    }

    /// The snapshot to keep.
    pub(super) fn to_snapshot(
        &self,
        stream: StreamId,
    ) -> Result<AggregateSnapshot, serde_json::Error> {
        let state = serde_json::to_string(&Kept {
            times: self.times,
            revision: Some(self.revision),
            state: &self.state,
        })?;
        Ok(AggregateSnapshot { stream, version: self.version, schema: A::SCHEMA.to_owned(), state })
    }
}

#[derive(Serialize, Deserialize)]
struct Kept<A> {
    times: Times,
    /// Absent in those that were kept when every event was a change.
    #[serde(default)]
    revision: Option<Version>,
    state: A,
}

/// Why an aggregate could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A record of the stream cannot be understood.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

type Entry<A> = Arc<AsyncMutex<Option<Slot<A>>>>;

/// The warm copies of one kind of aggregate, the least recently used given up first.
pub struct Warm<A> {
    entries: Mutex<Entries<A>>,
    capacity: usize,
}

struct Entries<A> {
    by_stream: LruCache<StreamId, (Entry<A>, usize)>,
    weight: usize,
}

impl<A: Streamed> Warm<A> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: Mutex::new(Entries { by_stream: LruCache::unbounded(), weight: 0 }),
            capacity,
        }
    }

    /// Takes the lock of one aggregate. The slot is empty if there is no warm copy.
    pub(super) async fn lock(&self, stream: StreamId) -> OwnedMutexGuard<Option<Slot<A>>> {
        let entry = {
            let mut entries = self.entries.lock().unwrap_or_else(|e| e.into_inner());
            match entries.by_stream.get(&stream) {
                Some((entry, _)) => entry.clone(),
                None => {
                    let entry: Entry<A> = Arc::default();
                    entries.by_stream.put(stream, (entry.clone(), 1));
                    entries.weight += 1;
                    entries.shrink(self.capacity);
                    entry
                }
            }
        };
        entry.lock_owned().await
    }

    /// Gives a warm copy up, because the log was written beside the engine.
    pub(super) fn forget(&self, stream: &StreamId) {
        let mut entries = self.entries.lock().unwrap_or_else(|e| e.into_inner());
        if let Some((_, weight)) = entries.by_stream.pop(stream) {
            entries.weight -= weight;
        }
    }

    /// Gives all warm copies up. Whoever holds one appends to a log that refuses it.
    pub(super) fn clear(&self) {
        let mut entries = self.entries.lock().unwrap_or_else(|e| e.into_inner());
        entries.by_stream.clear();
        entries.weight = 0;
    }

    /// Says how much a warm copy weighs now, and makes room if all weigh too much.
    pub(super) fn weigh(&self, stream: &StreamId, weight: usize) {
        let mut entries = self.entries.lock().unwrap_or_else(|e| e.into_inner());
        if let Some((_, old)) = entries.by_stream.get_mut(stream) {
            let old = std::mem::replace(old, weight);
            entries.weight = entries.weight + weight - old;
        }
        entries.shrink(self.capacity);
    }
}

impl<A> Entries<A> {
    fn shrink(&mut self, capacity: usize) {
        while self.weight > capacity {
            // One that is in use stays: its lock must remain the only one for its stream.
            let Some((oldest, (entry, weight))) = self.by_stream.pop_lru() else { break };
            if Arc::strong_count(&entry) > 1 {
                self.by_stream.put(oldest, (entry, weight));
                break;
            }
            self.weight -= weight;
        }
    }
}

/// Brings a slot up to the end of its stream: from nothing, from a snapshot, or from where it is.
pub(super) async fn catch_up<A: Streamed>(
    log: &dyn Log,
    stream: &StreamId,
    warm: Option<Slot<A>>,
) -> Result<Slot<A>, LoadError> {
    let mut slot = match warm {
        Some(slot) => slot,
        None if A::LONG => match log.snapshot(stream).await? {
            Some(snapshot) if snapshot.schema == A::SCHEMA => thaw(snapshot),
            _ => Slot::empty(),
        },
        None => Slot::empty(),
    };
    let records = log.load(stream, slot.version).await?;
    apply(&mut slot, &records)?;
    Ok(slot)
}

fn thaw<A: Streamed>(snapshot: AggregateSnapshot) -> Slot<A> {
    match serde_json::from_str::<Kept<A>>(&snapshot.state) {
        Ok(kept) => {
            let version = snapshot.version;
            Slot {
                state: kept.state,
                version,
                revision: kept.revision.unwrap_or(version),
                snapshot: version,
                times: kept.times,
            }
        }
        Err(error) => {
            tracing::warn!(stream = %snapshot.stream, error = ?error.classify(), "snapshot cannot be read, loading all events");
            Slot::empty()
        }
    }
}

fn apply<A: Streamed>(slot: &mut Slot<A>, records: &[Record]) -> Result<(), LoadError> {
    for record in records {
        if record.version != slot.version + 1 {
            let what =
                format!("{} has version {} after {}", record.stream, record.version, slot.version);
            return Err(LogError::Damaged(what).into());
        }
        if RecordLost::of(record)?.is_some() {
            slot.version += 1;
            slot.revision = slot.version;
            continue;
        }
        let event = decode(record)?;
        slot.passed(&event, record.recorded_at);
        slot.state.apply(event);
    }
    Ok(())
}
