//! What this process knows of the organizations: which there are, and how far each is folded.

use crate::index::folded::Folded;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::LogError;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

/// What was read of the stream.
#[derive(Default)]
pub(crate) struct List(pub tokio::sync::Mutex<Read>);

/// How far it was read, and what stood there.
#[derive(Default)]
pub(crate) struct Read {
    /// Revision of the next one.
    pub next: u64,
    /// All that are listed before it.
    pub organizations: BTreeSet<OrganizationId>,
}

/// Those who fold, one for each organization that was asked for.
/// Who folds one organization.
#[derive(Default)]
pub(crate) struct Followers(Mutex<HashMap<OrganizationId, Arc<Follower>>>);

/// Who folds one organization.
#[derive(Default)]
pub(crate) struct Follower {
    /// Rounds that were begun.
    pub begun: AtomicU64,
    /// Where it stands.
    pub at: tokio::sync::Mutex<At>,
}

/// Where a follower stands.
#[derive(Default)]
pub(crate) struct At {
    /// Where the index is; none before the stream was checked.
    pub folded: Option<Folded>,
    /// The last round that ended, and how.
    pub ended: Option<(u64, Result<Folded, LogError>)>,
}

impl Followers {
    /// The one of an organization.
    pub fn of(&self, organization: OrganizationId) -> Arc<Follower> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(organization)
            .or_default()
            .clone()
    }
}
