//! About whom a consumer is told, by the groups they belong to.

use crate::ids::ResourceId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most groups that one consumer follows.
pub const GROUPS: usize = 100;

/// The groups whose members a consumer follows; none stands for everybody. Groups are named by their
/// ids: names change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupFilter(Vec<ResourceId>);

/// More groups than one consumer follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a consumer follows at most {GROUPS} groups")]
pub struct TooManyGroups;

impl GroupFilter {
    /// A filter by these groups, each once, in order.
    ///
    /// # Errors
    /// If they are too many.
    pub fn new(groups: impl IntoIterator<Item = ResourceId>) -> Result<Self, TooManyGroups> {
        let groups: BTreeSet<ResourceId> = groups.into_iter().collect();
        match groups.len() {
            0..=GROUPS => Ok(Self(groups.into_iter().collect())),
            _ => Err(TooManyGroups),
        }
    }

    /// Whether everybody is followed.
    pub fn is_everybody(&self) -> bool {
        self.0.is_empty()
    }

    /// The groups, in order.
    pub fn groups(&self) -> &[ResourceId] {
        &self.0
    }
}
