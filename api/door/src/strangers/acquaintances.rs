//! What was shown lately and was live: whoever shows it again is looked up at once. What is not
//! known waits for its turn, so that a flood of wrong tokens keeps no reader of the views busy that
//! others need.
//!
//! Nothing is decided by it: each credential is looked up all the same.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};

/// So many are remembered; more begin anew.
const KEPT: usize = 20_000;
/// So many look-ups of what is not known are under way at once.
const LOOK_UPS: usize = 2;

/// Hashes of credentials.
pub struct Acquaintances {
    known: Mutex<HashSet<String>>,
    turns: Semaphore,
}

impl Default for Acquaintances {
    fn default() -> Self {
        Self { known: Mutex::default(), turns: Semaphore::new(LOOK_UPS) }
    }
}

impl Acquaintances {
    /// Waits for the turn of a credential with this hash; no wait if it was live lately.
    pub async fn turn(&self, sha256: &str) -> Option<SemaphorePermit<'_>> {
        if self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(sha256) {
            return None;
        }
        self.turns.acquire().await.ok()
    }

    /// A credential with this hash was found to be live, or not to be.
    pub fn found(&self, sha256: &str, live: bool) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !live {
            known.remove(sha256);
        } else if !known.contains(sha256) {
            if known.len() >= KEPT {
                known.clear();
            }
            known.insert(sha256.to_owned());
        }
    }
}
