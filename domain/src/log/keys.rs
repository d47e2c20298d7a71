//! Where keys lie: beside the log, never in it.

use super::error::LogError;
use crate::ids::OrganizationId;
use async_trait::async_trait;
use std::fmt;

/// Names a data key of an organization: 1, 2, 3...
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u64);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A key that is encrypted with another one, as text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wrapped(pub String);

/// What is known of a data key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataKey {
    /// No key was ever made under this id.
    Never,
    /// It opens what it sealed.
    Living(Wrapped),
    /// It was destroyed, for good: nothing that it sealed can be read again.
    Erased,
}

/// Keeps the keys of organizations, each wrapped by the deployment's, and the data keys of each,
/// wrapped by the organization's. What was added is durable when the call returns, so that a key
/// that something in the log was sealed with is there.
#[async_trait]
pub trait KeyRing: Send + Sync + 'static {
    /// The key of an organization. Keeps `fresh` if there is none yet and gives the one that is
    /// kept.
    async fn organization(
        &self,
        organization: OrganizationId,
        fresh: Wrapped,
    ) -> Result<Wrapped, LogError>;

    /// The keys of all organizations.
    async fn organizations(&self) -> Result<Vec<(OrganizationId, Wrapped)>, LogError>;

    /// Keeps the same key of an organization, wrapped otherwise. False if it was not wrapped as
    /// `before`: somebody else was first.
    async fn rewrap(
        &self,
        organization: OrganizationId,
        before: &Wrapped,
        after: Wrapped,
    ) -> Result<bool, LogError>;

    /// Adds data keys; gives the id of the first, the others follow.
    async fn add(
        &self,
        organization: OrganizationId,
        keys: Vec<Wrapped>,
    ) -> Result<KeyId, LogError>;

    /// One data key.
    async fn key(&self, organization: OrganizationId, id: KeyId) -> Result<DataKey, LogError>;

    /// Those of these data keys that were ever made.
    async fn some(
        &self,
        organization: OrganizationId,
        ids: &[KeyId],
    ) -> Result<Vec<(KeyId, DataKey)>, LogError>;

    /// At most `limit` data keys behind an id, in order, erased ones among them.
    async fn keys(
        &self,
        organization: OrganizationId,
        after: KeyId,
        limit: usize,
    ) -> Result<Vec<(KeyId, DataKey)>, LogError>;

    /// Puts data keys of a backup in place. One that was erased here stays erased, and one that is
    /// erased there is so here.
    async fn restore(
        &self,
        organization: OrganizationId,
        keys: Vec<(KeyId, DataKey)>,
    ) -> Result<(), LogError>;

    /// Destroys data keys, for good. Gives how many lived.
    async fn erase(&self, organization: OrganizationId, ids: &[KeyId]) -> Result<u64, LogError>;
}
