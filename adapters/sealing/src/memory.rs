//! Keys that are kept in memory only.

use async_trait::async_trait;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{DataKey, KeyId, KeyRing, LogError, Wrapped};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keys that go with this. Also what the tests of a ring are written against.
#[derive(Debug, Default)]
pub struct MemoryKeys(Mutex<HashMap<OrganizationId, Of>>);

#[derive(Debug)]
struct Of {
    wrapped: Wrapped,
    keys: BTreeMap<KeyId, Option<Wrapped>>,
    next: u64,
}

fn state(key: Option<&Option<Wrapped>>) -> DataKey {
    match key {
        None => DataKey::Never,
        Some(None) => DataKey::Erased,
        Some(Some(wrapped)) => DataKey::Living(wrapped.clone()),
    }
}

impl MemoryKeys {
    fn all(&self) -> MutexGuard<'_, HashMap<OrganizationId, Of>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        organization: OrganizationId,
        change: impl FnOnce(&mut Of) -> T,
    ) -> Result<T, LogError> {
        let mut all = self.all();
        let none = || LogError::Damaged("the organization has no key".to_owned());
        Ok(change(all.get_mut(&organization).ok_or_else(none)?))
    }
}

#[async_trait]
impl KeyRing for MemoryKeys {
    async fn organization(
        &self,
        organization: OrganizationId,
        fresh: Wrapped,
    ) -> Result<Wrapped, LogError> {
        let new = || Of { wrapped: fresh, keys: BTreeMap::new(), next: 1 };
        Ok(self.all().entry(organization).or_insert_with(new).wrapped.clone())
    }

    async fn organizations(&self) -> Result<Vec<(OrganizationId, Wrapped)>, LogError> {
        Ok(self
            .all()
            .iter()
            .map(|(organization, of)| (*organization, of.wrapped.clone()))
            .collect())
    }

    async fn rewrap(
        &self,
        organization: OrganizationId,
        before: &Wrapped,
        after: Wrapped,
    ) -> Result<bool, LogError> {
        self.with(organization, |of| {
            let same = of.wrapped == *before;
            if same {
                of.wrapped = after;
            }
            same
        })
    }

    async fn add(
        &self,
        organization: OrganizationId,
        keys: Vec<Wrapped>,
    ) -> Result<KeyId, LogError> {
        self.with(organization, |of| {
            let first = of.next;
            of.next += keys.len() as u64;
            of.keys.extend((first..).map(KeyId).zip(keys.into_iter().map(Some)));
            KeyId(first)
        })
    }

    async fn key(&self, organization: OrganizationId, id: KeyId) -> Result<DataKey, LogError> {
        Ok(self.all().get(&organization).map_or(DataKey::Never, |of| state(of.keys.get(&id))))
    }

    async fn some(
        &self,
        organization: OrganizationId,
        ids: &[KeyId],
    ) -> Result<Vec<(KeyId, DataKey)>, LogError> {
        let all = self.all();
        let Some(of) = all.get(&organization) else { return Ok(Vec::new()) };
        let there = ids.iter().filter_map(|id| Some((*id, of.keys.get(id)?)));
        Ok(there.map(|(id, key)| (id, state(Some(key)))).collect())
    }

    async fn keys(
        &self,
        organization: OrganizationId,
        after: KeyId,
        limit: usize,
    ) -> Result<Vec<(KeyId, DataKey)>, LogError> {
        let all = self.all();
        let Some(of) = all.get(&organization) else { return Ok(Vec::new()) };
        let behind = of.keys.range(KeyId(after.0 + 1)..).take(limit);
        Ok(behind.map(|(id, key)| (*id, state(Some(key)))).collect())
    }

    async fn restore(
        &self,
        organization: OrganizationId,
        keys: Vec<(KeyId, DataKey)>,
    ) -> Result<(), LogError> {
        self.with(organization, |of| {
            for (id, key) in keys {
                let here = state(of.keys.get(&id));
                let now = match (here, key) {
                    (DataKey::Erased, _) | (_, DataKey::Erased) => None,
                    (_, DataKey::Living(wrapped)) => Some(wrapped),
                    (_, DataKey::Never) => continue,
                };
                of.keys.insert(id, now);
                of.next = of.next.max(id.0 + 1);
            }
        })
    }

    async fn erase(&self, organization: OrganizationId, ids: &[KeyId]) -> Result<u64, LogError> {
        self.with(organization, |of| {
            let mut erased = 0;
            for id in ids {
                erased += u64::from(of.keys.get_mut(id).is_some_and(|key| key.take().is_some()));
            }
            erased
        })
    }
}
