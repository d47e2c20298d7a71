//! Keys of those who sign assertions: fetched when they are needed, once for all who wait, and kept
//! a while. A host that hangs holds up those alone who need its keys.

use chrono::{DateTime, Duration, Utc};
use rollcall_jose::KeySet;
use rollcall_outbound::{Bounds, Guard, fetch};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How much is fetched, and for how long: an answer of ours takes no longer than 10 s.
const BOUNDS: Bounds = Bounds { bytes: 1024 * 1024, patience: std::time::Duration::from_secs(8) };
/// Keys are fetched anew after that.
const FRESH: Duration = Duration::hours(1);
/// While they cannot be, they are used for so long.
const STALE: Duration = Duration::hours(24);
/// So often may a key that is not known be looked for.
const AGAIN: Duration = Duration::seconds(60);
/// So soon after a failure is tried again.
const AGAIN_AFTER_FAILURE: Duration = Duration::seconds(10);

/// The keys cannot be had now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable(pub String);

/// What is known of the keys at each address.
pub struct KeyCache {
    guard: Guard,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
}

#[derive(Default)]
struct Slot {
    known: Mutex<Known>,
    /// Held while fetching.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct Known {
    keys: Option<(Arc<KeySet>, DateTime<Utc>)>,
    tried: Option<DateTime<Utc>>,
    failed: Option<String>,
}

impl Slot {
    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl KeyCache {
    /// Empty; fetches where the guard lets it.
    pub fn new(guard: Guard) -> Self {
        Self { guard, slots: Mutex::default() }
    }

    /// The keys at an address, among them the one that is named, if it is there at all.
    ///
    /// # Errors
    /// If that cannot be said now.
    pub async fn of(
        &self,
        url: &str,
        key: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Arc<KeySet>, Unreachable> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots.entry(url.to_owned()).or_default().clone()
        };
        let known = slot.known();
        let has_it = |known: &Known| known.usable(now).is_some_and(|keys| keys.has(key));
        if has_it(&known) && known.is_fresh(now) {
            return known.answer(key, now);
        }
        // Who can do with what is there does not wait for who is fetching.
        let turn = match slot.fetching.try_lock() {
            Err(_) if has_it(&known) => return known.answer(key, now),
            Ok(turn) => turn,
            Err(_) => match tokio::time::timeout(BOUNDS.patience, slot.fetching.lock()).await {
                Ok(turn) => turn,
                Err(_) => return Err(Unreachable("waited too long for the keys".to_owned())),
            },
        };
        // Somebody may have fetched them meanwhile.
        let mut known = slot.known();
        if known.may_be_fetched(now) && !(has_it(&known) && known.is_fresh(now)) {
            known = self.fetched(url, known, now).await;
            *slot.known.lock().unwrap_or_else(PoisonError::into_inner) = known.clone();
        }
        drop(turn);
        known.answer(key, now)
    }

    /// The keys at an address, if they were fetched before.
    pub fn at_hand(&self, url: &str, now: DateTime<Utc>) -> Option<Arc<KeySet>> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get(url).and_then(|slot| slot.known().usable(now).cloned())
    }

    async fn fetched(&self, url: &str, known: Known, now: DateTime<Utc>) -> Known {
        let document = fetch(url, &self.guard, BOUNDS).await.map_err(|error| error.to_string());
        let keys = document.and_then(|bytes| KeySet::read(&bytes).map_err(|e| e.to_string()));
        let outcome = if keys.is_ok() { "fetched" } else { "failed" };
        metrics::counter!("rollcall_key_fetches_total", "outcome" => outcome).increment(1);
        let tried = Some(now);
        match keys {
            Ok(keys) => Known { keys: Some((Arc::new(keys), now)), tried, failed: None },
            Err(error) => {
                tracing::warn!(url, error, "keys could not be fetched");
                Known { tried, failed: Some(error), ..known }
            }
        }
    }
}

impl Known {
    fn age(&self, now: DateTime<Utc>) -> Option<Duration> {
        self.keys.as_ref().map(|(_, fetched)| now - *fetched)
    }

    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        self.age(now).is_some_and(|age| age < FRESH)
    }

    fn usable(&self, now: DateTime<Utc>) -> Option<&Arc<KeySet>> {
        self.keys.as_ref().filter(|_| self.age(now).is_some_and(|age| age < STALE)).map(|k| &k.0)
    }

    fn may_be_fetched(&self, now: DateTime<Utc>) -> bool {
        let pause = if self.failed.is_some() { AGAIN_AFTER_FAILURE } else { AGAIN };
        self.tried.is_none_or(|tried| now - tried >= pause)
    }

    /// A key that is not among them may be a new one, as long as nobody could look.
    fn answer(&self, key: Option<&str>, now: DateTime<Utc>) -> Result<Arc<KeySet>, Unreachable> {
        match (self.usable(now), &self.failed) {
            (Some(keys), None) => Ok(keys.clone()),
            (Some(keys), Some(_)) if keys.has(key) => Ok(keys.clone()),
            (_, Some(error)) => Err(Unreachable(error.clone())),
            (None, None) => Err(Unreachable("the keys are too old".to_owned())),
        }
    }
}
