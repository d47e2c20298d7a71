//! Names the content of a cycle.

use super::entry::ImportedChange;
use serde::{Deserialize, Serialize};

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
        for ImportedChange { at, change, took_ms, action, status, error, target, initiator } in
            changes
        {
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
