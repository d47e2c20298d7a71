//! Use cases: load, decide, append, fold.
//!
//! The engine is the only way to write. It knows the ports of the domain and nothing of HTTP.

mod attempt;
pub mod begin;
mod claim_check;
pub mod claims;
pub mod clock;
mod erase;
mod execute;
mod handed;
mod hosted;
pub mod identity;
pub mod ids;
mod kept_time;
mod leaves;
mod look;
mod losses;
mod names;
mod one_clock;
mod order;
mod refold;
mod repair;
pub mod secrets;
mod streamed;
mod under_way;
mod visible;
mod warm;

pub use claim_check::{ClaimDifference, ClaimsCompared};
pub use erase::{Erasure, Listed, NotErased, OrganizationTraces, Traces};
pub use hosted::Hosted;
pub use losses::Loss;
pub use names::Names;
pub use order::{Done, ExecuteError, Judgement, Led, Order, Precondition, Seal, Sealed};
pub use refold::{RefoldError, Refolded};
pub use repair::{NotRepaired, PassedOver};
pub use streamed::Streamed;
pub use under_way::{AppendCounts, Appends};
pub use visible::{NotVisible, Visible};
pub use warm::Times;

use crate::clock::Clock;
use crate::ids::Ids;
use claims::ClaimKeys;
use rollcall_domain::claim::{Claim, ClaimChanges, ClearClaim};
use rollcall_domain::consumer::Consumer;
use rollcall_domain::deployment::Deployment;
use rollcall_domain::exchange::Exchange;
use rollcall_domain::group::Group;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{
    AggregateKind, Append, AppendError, Appended, Log, LogError, Record, StreamId, Watch,
};
use rollcall_domain::organization::Organization;
use rollcall_domain::sql::SqlStore;
use rollcall_domain::user::User;
use rollcall_projections::fold::Folder;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use warm::Warm;

/// Everything a use case needs.
pub struct Engine {
    /// The log.
    pub log: Arc<dyn Log>,
    /// The tables of the views.
    pub views: Arc<dyn SqlStore>,
    /// Feeds the views.
    pub folder: Arc<Folder>,
    /// Which appends are under way.
    pub appends: Appends,
    /// Time.
    pub clock: Clock,
    /// Ids and secrets.
    pub ids: Ids,
    /// What is known of the log.
    watch: Arc<Watch>,
    /// Feeds the auditors' views, once it is there.
    audit: OnceLock<Arc<Folder>>,
    changes: AtomicU64,
    /// How far clocks are apart.
    measured: one_clock::Measured,
    /// Who was erased last.
    erasures: erase::Erasures,
    /// Records that are damaged, as far as somebody looked.
    seen: look::Seen,
    /// Whether the last answer that waited for the views had to be given up.
    views_failing: AtomicBool,
    keys: ClaimKeys,
    users: Warm<User>,
    groups: Warm<Group>,
    organizations: Warm<Organization>,
    deployments: Warm<Deployment>,
    consumers: Warm<Consumer>,
}

impl Engine {
    /// An engine on a log and its views.
    pub fn new(
        log: Arc<dyn Log>,
        views: Arc<dyn SqlStore>,
        folder: Arc<Folder>,
        clock: Clock,
        ids: Ids,
    ) -> Self {
        Self {
            watch: log.watch(),
            appends: Appends::default(),
            audit: OnceLock::new(),
            changes: AtomicU64::new(0),
            measured: one_clock::Measured::default(),
            erasures: erase::Erasures::default(),
            seen: look::Seen::default(),
            views_failing: AtomicBool::new(false),
            keys: ClaimKeys::new(log.clone()),
            users: Warm::new(8_192),
            // A member weighs one; so some millions of memberships are kept at most.
            groups: Warm::new(1_000_000),
            organizations: Warm::new(4_096),
            // There is one.
            deployments: Warm::new(1),
            consumers: Warm::new(1_024),
            ids,
            log,
            views,
            folder,
            clock,
        }
    }

    /// Counts the changes of organizations and of the state of their views by this process.
    pub fn organizations_state(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// To be called once an organization, or the state of its views, is another in the views.
    pub fn organizations_changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// The key of a scope's claims.
    pub async fn claim_key(&self, scope: OrganizationId) -> Result<[u8; 32], LogError> {
        self.keys.key(scope, &|| self.ids.key()).await
    }

    /// Who holds a claim.
    pub async fn holder(
        &self,
        scope: OrganizationId,
        claim: &ClearClaim,
    ) -> Result<Option<StreamId>, LogError> {
        self.log.holder(&claims::hash(scope, &self.claim_key(scope).await?, claim)).await
    }

    /// The claims that go with a record, as the log takes them.
    pub async fn claims_of(&self, record: &Record) -> Result<ClaimChanges<Claim>, LogError> {
        let changes = claims::of_record(record).map_err(|e| LogError::Damaged(e.to_string()))?;
        self.keys.seal(record.stream.organization, &|| self.ids.key(), changes).await
    }

    /// To be called once records were put into the log beside this engine.
    pub fn forget(&self, stream: &StreamId) {
        match stream.kind {
            AggregateKind::User => self.users.forget(stream),
            AggregateKind::Group => self.groups.forget(stream),
            AggregateKind::Organization => {
                self.organizations.forget(stream);
                self.organizations_changed();
            }
            AggregateKind::Consumer => self.consumers.forget(stream),
            AggregateKind::Deployment => {
                self.deployments.forget(stream);
                self.organizations_changed();
            }
        }
    }

    /// Keeps an exchange that caused no event.
    pub async fn record(&self, exchange: Exchange) -> Result<Appended, AppendError> {
        let started = std::time::Instant::now();
        let organization = exchange.organization;
        let mut exchange = Some(exchange);
        let copy = self.copy(&mut exchange);
        let done = self.log.append(Append { organization, write: None, exchange }).await;
        metrics::histogram!("rollcall_append_seconds").record(started.elapsed());
        if let Ok(appended) = &done {
            self.hand_over(organization, appended, &[], copy);
        }
        done
    }
}
