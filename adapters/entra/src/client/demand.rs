//! Provision on demand, and test connection: what an admin starts by hand.

use super::Client;
use super::run::Running;
use crate::directory::{GroupKey, UserKey};
use crate::log::{Run, RunKind};

/// Members one on-demand run may take along.
pub const MEMBERS_ON_DEMAND: usize = 5;

impl Client {
    /// Test connection: nothing but lookups for nobody.
    pub async fn test_connection(&self) -> Run {
        let run = Running::begin(self, RunKind::ConnectionTest);
        if let Err(failure) = run.probe(self, true).await {
            run.break_off(failure);
        }
        run.end(self)
    }

    /// One user, whatever the cycle is doing meanwhile.
    pub async fn provision_user_on_demand(&self, key: UserKey) -> Run {
        let run = Running::begin(self, RunKind::OnDemand);
        match run.probe(self, false).await {
            Err(failure) => run.break_off(failure),
            // Who is switched off or deleted in Entra cannot be processed; the portal says so.
            Ok(()) if self.blocked(key) => {}
            Ok(()) => _ = self.provision_user(&run, key).await,
        }
        run.end(self)
    }

    /// One group with up to five of its members; the others are not touched.
    pub async fn provision_group_on_demand(&self, key: GroupKey, members: &[UserKey]) -> Run {
        let run = Running::begin(self, RunKind::OnDemand);
        match run.probe(self, false).await {
            Err(failure) => run.break_off(failure),
            Ok(()) => {
                let fresh = self.provision_group(&run, key).await;
                let members = &members[..members.len().min(MEMBERS_ON_DEMAND)];
                if !members.is_empty() && run.broken().is_none() {
                    self.provision_members(&run, key, members, fresh).await;
                }
            }
        }
        run.end(self)
    }

    fn blocked(&self, key: UserKey) -> bool {
        self.directory()
            .user(key)
            .is_none_or(|user| !user.account_enabled || user.deleted_at.is_some())
    }
}
