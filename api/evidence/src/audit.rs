//! A log held against its own leaves, tree and head, and against earlier checkpoints.

use crate::findings::{Checker, Claimed, Tree};
use crate::statement::Statement;
use crate::walk::{Step, Walk};
use rollcall_contract::ledger::{Finding, FindingKind, FindingPart, Verdict};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::ledger::Frontier;
use rollcall_domain::log::{Head, LedgerHead, Log, LogError};
use uuid::Uuid;

/// Entries of one step: whoever audits lets others come first between two.
const STEP: usize = 256;

/// An audit under way: of the log of an organization as it was when it began.
pub struct Audit<'l> {
    log: &'l dyn Log,
    organization: OrganizationId,
    epoch: Uuid,
    /// None: what the head says is no tree, and there is nothing that anything could be held to.
    ledger: Option<LedgerHead>,
    checker: Checker,
    walk: Walk<'l>,
}

impl<'l> Audit<'l> {
    /// Begins; `earlier` are checkpoints of the same ledger that were made before.
    pub async fn begin(
        log: &'l dyn Log,
        organization: OrganizationId,
        earlier: Vec<Statement>,
    ) -> Result<Self, LogError> {
        let epoch = log.epoch().await?;
        let ledger = match log.ledger_head(organization).await {
            Ok(ledger) => Some(ledger),
            Err(LogError::Damaged(_)) => None,
            Err(error) => return Err(error),
        };
        let end = ledger.as_ref().map(|ledger| ledger.head).unwrap_or_default();
        let walk = Walk::new(log, organization, end);
        Ok(Self { log, organization, epoch, ledger, checker: Checker::new(earlier), walk })
    }

    /// Goes on for a while; false if nothing is left.
    pub async fn step(&mut self) -> Result<bool, LogError> {
        for _ in 0..STEP {
            match self.walk.next().await? {
                Some(Step::Item(item)) => self.checker.push(*item),
                Some(Step::Unreadable(part, number)) => self.checker.unreadable(part, number),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// What it came to.
    pub async fn finish(mut self, also: Vec<Finding>) -> Result<Verdict, LogError> {
        also.into_iter().for_each(|found| self.checker.add(found));
        let Some(ledger) = self.ledger else {
            self.checker.add(finding(FindingKind::HeadChanged, FindingPart::Head, 0));
            let tree = Frontier::default();
            let claimed = Claimed { head: Head::default(), tree: Tree::Frontier(&tree) };
            return Ok(self.checker.finish(&claimed, 0, self.epoch));
        };
        let last = ledger.last_exchange.map(|id| id.0);
        if self.checker.last_exchange() != last {
            let number = ledger.head.exchange_number;
            let found = finding(FindingKind::HeadChanged, FindingPart::Head, number);
            self.checker.add(Finding { id: last, ..found });
        }
        for found in beyond(self.log, self.organization).await? {
            self.checker.add(found);
        }
        let claimed = Claimed { head: ledger.head, tree: Tree::Frontier(&ledger.frontier) };
        Ok(self.checker.finish(&claimed, ledger.uncovered, self.epoch))
    }
}

/// What the store holds besides what its head knows of. The head is read last: whatever was
/// appended meanwhile is below it.
async fn beyond(log: &dyn Log, organization: OrganizationId) -> Result<Vec<Finding>, LogError> {
    let counted = log.counted(organization).await?;
    let head = log.head(organization).await?;
    let mut found = Vec::new();
    if counted.position > head.position {
        let behind = log.record_leaves(organization, head.position, 1).await?;
        let number = behind.first().map_or(0, |(position, _)| *position);
        found.push(finding(FindingKind::Inserted, FindingPart::Record, number));
    }
    if counted.exchange_number > head.exchange_number {
        let behind = log.exchange_leaves(organization, head.exchange_number, 1).await?;
        let number = behind.first().map_or(0, |leaf| leaf.number);
        found.push(finding(FindingKind::Inserted, FindingPart::Exchange, number));
    }
    Ok(found)
}

fn finding(kind: FindingKind, part: FindingPart, number: u64) -> Finding {
    Finding { kind, part, number, through: None, id: None }
}
