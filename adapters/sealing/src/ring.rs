//! The keys that a process has unwrapped, and which stream is sealed with which.

use crate::cipher::Key;
use crate::error::SealingError;
use crate::wrap::{self, DeploymentWrap};
use chrono::NaiveDate;
use lru::LruCache;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{DataKey, KeyId, KeyRing, Log, StreamId, Wrapped};
use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Keys that are made at once. A key must be durable before anything that it sealed: so a commit is
/// made for that many people, and not for each. What is never used is lost with the process.
const BLOCK: usize = 64;

/// Keys and streams that are remembered, at most.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();

/// A key with its id; none if it was erased.
pub(crate) type Named = (KeyId, Arc<Key>);

/// All keys.
pub(crate) struct Ring {
    pub store: Arc<dyn KeyRing>,
    pub wrap: DeploymentWrap,
    /// What is sealed with them; none if it is told nothing of them. It may hold these: views that
    /// it folds are opened with them.
    log: Option<Weak<dyn Log>>,
    organizations: Mutex<HashMap<OrganizationId, Arc<OfOrganization>>>,
    keys: Mutex<LruCache<(OrganizationId, KeyId), Arc<Key>>>,
    streams: Mutex<LruCache<StreamId, KeyId>>,
}

/// What an organization seals with.
struct OfOrganization {
    key: Arc<Key>,
    /// Made and not used.
    ready: Mutex<Vec<Named>>,
    /// What exchanges of a day are sealed with that are nobody's in particular.
    daily: Mutex<Option<(NaiveDate, KeyId)>>,
    /// Held while keys are made.
    making: tokio::sync::Mutex<()>,
}

/// The name of the note beside a log that says which data key of an organization was made last.
fn last_key(of: OrganizationId) -> String {
    format!("last-data-key/{of}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ring {
    pub fn new(store: Arc<dyn KeyRing>, wrap: DeploymentWrap, log: Option<&Arc<dyn Log>>) -> Self {
        Self {
            store,
            wrap,
            log: log.map(Arc::downgrade),
            organizations: Mutex::default(),
            keys: Mutex::new(LruCache::new(REMEMBERED)),
            streams: Mutex::new(LruCache::new(REMEMBERED)),
        }
    }

    fn log(&self) -> Option<Arc<dyn Log>> {
        self.log.as_ref().and_then(Weak::upgrade)
    }

    /// Drops all that is at hand: where the store went back, ids are given out anew.
    pub fn forget(&self) {
        lock(&self.organizations).clear();
        lock(&self.keys).clear();
        lock(&self.streams).clear();
    }

    /// Whether an organization's wrapped key can be used here.
    pub fn check(&self, of: OrganizationId, wrapped: &Wrapped) -> Result<(), SealingError> {
        self.wrap.unwrap(of, wrapped).map(drop)
    }

    /// Whether these are the keys of the log: those of each organization that has one are here, up
    /// to the last that it knows of. Keys of before a crash, or of another log, would be given out
    /// again under the same ids.
    pub async fn belongs(&self) -> Result<(), SealingError> {
        let Some(log) = self.log() else { return Ok(()) };
        let kept: BTreeSet<OrganizationId> =
            self.store.organizations().await?.into_iter().map(|(of, _)| of).collect();
        for (of, head) in log.heads().await? {
            let noted = log.note(&last_key(of)).await?.and_then(|last| last.parse().ok());
            let is_there = match noted {
                Some(last) => self.store.key(of, KeyId(last)).await? != DataKey::Never,
                None => head.exchange_number == 0 || kept.contains(&of),
            };
            if !is_there {
                return Err(SealingError::OtherKeys(of));
            }
        }
        Ok(())
    }

    /// Wraps the keys of all organizations anew that the former key of the deployment wrapped. Gives
    /// how many that were.
    pub async fn rewrap(&self) -> Result<usize, SealingError> {
        let mut done = 0;
        for (organization, before) in self.store.organizations().await? {
            if self.wrap.has_wrapped(&before) {
                continue;
            }
            let key = self.wrap.unwrap(organization, &before)?;
            let after = self.wrap.wrap(organization, &key)?;
            done += usize::from(self.store.rewrap(organization, &before, after).await?);
        }
        Ok(done)
    }

    async fn organization(&self, of: OrganizationId) -> Result<Arc<OfOrganization>, SealingError> {
        let known = lock(&self.organizations).get(&of).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let fresh = self.wrap.wrap(of, &Key::draw()?)?;
        let kept = self.store.organization(of, fresh).await?;
        let found = Arc::new(OfOrganization {
            key: Arc::new(self.wrap.unwrap(of, &kept)?),
            ready: Mutex::default(),
            daily: Mutex::default(),
            making: tokio::sync::Mutex::default(),
        });
        Ok(lock(&self.organizations).entry(of).or_insert(found).clone())
    }

    /// The organization's own key.
    pub async fn own(&self, of: OrganizationId) -> Result<Arc<Key>, SealingError> {
        Ok(self.organization(of).await?.key.clone())
    }

    /// A key that seals nothing yet.
    pub async fn fresh(&self, of: OrganizationId) -> Result<Named, SealingError> {
        let organization = self.organization(of).await?;
        loop {
            if let Some((id, key)) = lock(&organization.ready).pop() {
                lock(&self.keys).put((of, id), key.clone());
                return Ok((id, key));
            }
            let _making = organization.making.lock().await;
            if !lock(&organization.ready).is_empty() {
                continue;
            }
            let keys =
                (0..BLOCK).map(|_| Key::draw().map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
            let wrapped = keys.iter().map(|key| wrap::wrap(&organization.key, of, key));
            let first = self.store.add(of, wrapped.collect::<Result<_, _>>()?).await?;
            if let Some(log) = self.log() {
                let last = first.0 + BLOCK as u64 - 1;
                log.keep_note(&last_key(of), Some(&last.to_string())).await?;
            }
            let named = (first.0..).map(KeyId).zip(keys);
            // The last is taken first: ids are given out in order.
            lock(&organization.ready).extend(named.collect::<Vec<_>>().into_iter().rev());
        }
    }

    /// The key for what is nobody's in particular, on a day.
    pub async fn daily(&self, of: OrganizationId, day: NaiveDate) -> Result<Named, SealingError> {
        let organization = self.organization(of).await?;
        let known = *lock(&organization.daily);
        if let Some((_, id)) = known.filter(|(of_day, _)| *of_day == day)
            && let Some(key) = self.key(of, id).await?
        {
            return Ok((id, key));
        }
        let (id, key) = self.fresh(of).await?;
        *lock(&organization.daily) = Some((day, id));
        Ok((id, key))
    }

    /// A key by its id; none if it was erased.
    pub async fn key(
        &self,
        of: OrganizationId,
        id: KeyId,
    ) -> Result<Option<Arc<Key>>, SealingError> {
        if let Some(known) = self.known(of, id) {
            return Ok(Some(known));
        }
        let organization = self.organization(of).await?;
        match self.store.key(of, id).await? {
            DataKey::Never => Err(SealingError::NoKey),
            DataKey::Erased => Ok(None),
            DataKey::Living(wrapped) => {
                let key = Arc::new(wrap::unwrap(&organization.key, of, &wrapped)?);
                lock(&self.keys).put((of, id), key.clone());
                Ok(Some(key))
            }
        }
    }

    /// Has these keys at hand, as far as they live and there is room: read together.
    pub async fn fetch(
        &self,
        of: OrganizationId,
        ids: &BTreeSet<KeyId>,
    ) -> Result<(), SealingError> {
        let unknown = |id: &&KeyId| self.known(of, **id).is_none();
        let missing: Vec<KeyId> = ids.iter().filter(unknown).copied().collect();
        if missing.len() < 2 {
            return Ok(());
        }
        let organization = self.organization(of).await?;
        for (id, key) in self.store.some(of, &missing).await? {
            if let DataKey::Living(wrapped) = key {
                let key = Arc::new(wrap::unwrap(&organization.key, of, &wrapped)?);
                lock(&self.keys).put((of, id), key);
            }
        }
        Ok(())
    }

    /// A key that is at hand.
    pub fn known(&self, of: OrganizationId, id: KeyId) -> Option<Arc<Key>> {
        lock(&self.keys).get(&(of, id)).cloned()
    }

    /// What a stream is sealed with, as far as that is remembered.
    pub fn of_stream(&self, stream: &StreamId) -> Option<KeyId> {
        lock(&self.streams).get(stream).copied()
    }

    /// Remembers what a stream is sealed with.
    pub fn learn(&self, stream: StreamId, id: KeyId) {
        lock(&self.streams).get_or_insert(stream, || id);
    }
}
