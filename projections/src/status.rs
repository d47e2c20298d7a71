//! How far all organizations' views of a family are, and catching up with what was left.

use crate::checkpoint::{Checkpoint, Stop};
use crate::fold::{FoldError, Folded, Folder};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Closed, ExchangeNumber, Head, Position};
use rollcall_domain::sql::Family;
use std::collections::HashMap;

/// How far one organization's views are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewStatus {
    /// Whose views.
    pub organization: OrganizationId,
    /// Which views.
    pub family: Family,
    /// The last record folded.
    pub position: Position,
    /// The last record in the log.
    pub head: Position,
    /// The last exchange folded.
    pub exchange_number: ExchangeNumber,
    /// The last exchange in the log.
    pub exchange_head: ExchangeNumber,
    /// Set if a record could not be folded.
    pub stopped: Option<Stop>,
}

impl ViewStatus {
    /// Where the views are, and where the log ends.
    pub fn ends(&self) -> (Head, Head) {
        let views = Head { position: self.position, exchange_number: self.exchange_number };
        (views, Head { position: self.head, exchange_number: self.exchange_head })
    }

    /// True if the views know more than the log.
    pub fn is_ahead(&self) -> bool {
        self.position > self.head || self.exchange_number > self.exchange_head
    }
}

/// What a sweep found and did for one organization.
#[derive(Debug)]
pub struct Lag {
    /// Whose views.
    pub organization: OrganizationId,
    /// Records that were not folded yet.
    pub records: u64,
    /// Exchanges that were not folded yet.
    pub exchanges: u64,
    /// What folding them came to.
    pub outcome: Result<Folded, FoldError>,
}

impl Folder {
    /// Organizations whose views know more than their log, with the position of the views and where
    /// the log ends: the log is an older one, or the disk lost what it said it had kept.
    pub async fn ahead(&self) -> Result<Vec<ViewStatus>, FoldError> {
        let mut status = self.status().await?;
        status.retain(ViewStatus::is_ahead);
        Ok(status)
    }

    /// How far the views are, of every organization that has a log or views.
    pub async fn status(&self) -> Result<Vec<ViewStatus>, FoldError> {
        // Checkpoints first: heads only grow, so a checkpoint above its head is real.
        // Those in tables of another version are not read: they are made anew.
        let known = match self.is_outdated() {
            true => Vec::new(),
            false => Checkpoint::all(&*self.views).await?,
        };
        let mut checkpoints: HashMap<_, _> = known.into_iter().collect();
        let mut heads = self.log.heads().await?;
        let known: std::collections::HashSet<_> = heads.iter().map(|(o, _)| *o).collect();
        heads.extend(
            checkpoints
                .keys()
                .filter(|o| !known.contains(o))
                .map(|o| (*o, Head::default()))
                .collect::<Vec<_>>(),
        );
        heads.sort_by_key(|(organization, _)| *organization);
        let status = heads.into_iter().map(|(organization, head)| {
            let checkpoint = checkpoints.remove(&organization).unwrap_or_default();
            ViewStatus {
                organization,
                family: self.family,
                position: checkpoint.at.position,
                head: head.position,
                exchange_number: checkpoint.at.exchange_number,
                exchange_head: head.exchange_number,
                stopped: checkpoint.stopped,
            }
        });
        Ok(status.collect())
    }

    /// Folds what a crash or another process left, for all organizations that lag. One that
    /// cannot be folded does not keep the others waiting.
    pub async fn sweep(&self) -> Result<Vec<Lag>, FoldError> {
        let mut lags = Vec::new();
        for status in self.status().await? {
            let ahead = status.is_ahead();
            let ViewStatus { organization, position, head, exchange_number, exchange_head, .. } =
                status;
            if ahead {
                let known = Head { position, exchange_number };
                let found = Head { position: head, exchange_number: exchange_head };
                self.log.watch().notice(Closed::WentBack { organization, known, found });
                lags.push(Lag {
                    organization,
                    records: 0,
                    exchanges: 0,
                    outcome: Err(FoldError::Ahead { position, head }),
                });
            } else if position < head || exchange_number < exchange_head {
                let outcome = self
                    .reach(organization, Head { position: head, exchange_number: exchange_head })
                    .await;
                lags.push(Lag {
                    organization,
                    records: head - position,
                    exchanges: exchange_head - exchange_number,
                    outcome,
                });
            }
        }
        Ok(lags)
    }
}
