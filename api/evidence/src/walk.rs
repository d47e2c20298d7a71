//! A log in the order of its commits, up to an end that is fixed before.

use crate::findings::{Content, Item};
use rollcall_contract::ledger::FindingPart;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::ledger::LeafHash;
use rollcall_domain::log::{
    Bodies, ExchangeNumber, Head, Log, LogError, Position, Record, RecordedExchange,
};
use std::collections::{HashMap, VecDeque};

/// Records that are in memory at once.
const RECORDS: usize = 500;
/// Exchanges with their bodies that are in memory at once.
const EXCHANGES: usize = 50;

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// A record or an exchange.
    Item(Box<Item>),
    /// A record or an exchange, at this number or after it, that cannot be read.
    Unreadable(FindingPart, u64),
}

/// Reads a log.
pub struct Walk<'l> {
    log: &'l dyn Log,
    organization: OrganizationId,
    end: Head,
    records: Ahead<Record>,
    exchanges: Ahead<RecordedExchange>,
}

/// Something with the leaf that is kept beside it.
type WithLeaf<T> = (T, Option<LeafHash>);

/// What was read and not yet given.
struct Ahead<T> {
    /// With their numbers; none: it cannot be read.
    items: VecDeque<(u64, Option<WithLeaf<T>>)>,
    /// The number of the last that was read.
    at: u64,
    is_done: bool,
}

impl<T> Ahead<T> {
    fn after(at: u64) -> Self {
        Self { items: VecDeque::new(), at, is_done: false }
    }

    /// Takes in a page that ends before the log's end or at it.
    fn fill(
        &mut self,
        page: Vec<T>,
        leaves: &HashMap<u64, Option<LeafHash>>,
        number: impl Fn(&T) -> u64,
        end: u64,
    ) {
        self.is_done |= page.is_empty();
        for item in page {
            let at = number(&item);
            if at > end {
                self.is_done = true;
                return;
            }
            self.at = at;
            let leaf = leaves.get(&at).copied().flatten();
            self.items.push_back((at, Some((item, leaf))));
        }
        self.is_done |= self.at >= end;
    }

    /// Goes past one that cannot be read.
    fn pass(&mut self, number: u64) {
        self.at = number;
        self.items.push_back((number, None));
    }
}

impl<'l> Walk<'l> {
    /// From the beginning to an end.
    pub fn new(log: &'l dyn Log, organization: OrganizationId, end: Head) -> Self {
        Self::after(log, organization, Head::default(), end)
    }

    /// From behind a position and a number.
    pub fn after(log: &'l dyn Log, organization: OrganizationId, from: Head, end: Head) -> Self {
        Self {
            log,
            organization,
            end,
            records: Ahead::after(from.position),
            exchanges: Ahead::after(from.exchange_number),
        }
    }

    /// The next, in the order of commit; none behind the end.
    pub async fn next(&mut self) -> Result<Option<Step>, LogError> {
        while self.records.items.is_empty() && !self.records.is_done {
            self.read_records().await?;
        }
        while self.exchanges.items.is_empty() && !self.exchanges.is_done {
            self.read_exchanges().await?;
        }
        let after = match self.exchanges.items.front() {
            Some((_, Some((recorded, _)))) => Some(recorded.after),
            // Wherever it stands: it comes before the next that can be read.
            Some((_, None)) => Some(0),
            None => None,
        };
        let is_record = self
            .records
            .items
            .front()
            .is_some_and(|(position, _)| after.is_none_or(|after| *position <= after));
        Ok(if is_record {
            let next = self.records.items.pop_front();
            next.map(|(at, found)| match found {
                Some((record, kept)) => item(Content::Record(record), kept),
                None => Step::Unreadable(FindingPart::Record, at),
            })
        } else {
            let next = self.exchanges.items.pop_front();
            next.map(|(at, found)| match found {
                Some((recorded, kept)) => item(Content::Exchange(Box::new(recorded)), kept),
                None => Step::Unreadable(FindingPart::Exchange, at),
            })
        })
    }

    async fn read_records(&mut self) -> Result<(), LogError> {
        let (log, organization, at) = (self.log, self.organization, self.records.at);
        let mut limit = RECORDS;
        let page = loop {
            match log.records(organization, at, limit).await {
                Err(LogError::Damaged(_)) if limit > 1 => limit = 1,
                Err(LogError::Damaged(_)) => {
                    let leaf = log.record_leaves(organization, at, 1).await?;
                    let position: Position = leaf.first().map_or(at + 1, |(at, _)| *at);
                    self.records.pass(position);
                    self.records.is_done = position >= self.end.position;
                    return Ok(());
                }
                page => break page?,
            }
        };
        let leaves = log.record_leaves(organization, at, limit).await?.into_iter().collect();
        self.records.fill(page, &leaves, |record| record.position, self.end.position);
        Ok(())
    }

    async fn read_exchanges(&mut self) -> Result<(), LogError> {
        let (log, organization, at) = (self.log, self.organization, self.exchanges.at);
        let mut limit = EXCHANGES;
        let page = loop {
            match log.exchanges(organization, at, limit, Bodies::Read).await {
                Err(LogError::Damaged(_)) if limit > 1 => limit = 1,
                Err(LogError::Damaged(_)) => {
                    let leaf = log.exchange_leaves(organization, at, 1).await?;
                    let number: ExchangeNumber = leaf.first().map_or(at + 1, |leaf| leaf.number);
                    self.exchanges.pass(number);
                    self.exchanges.is_done = number >= self.end.exchange_number;
                    return Ok(());
                }
                page => break page?,
            }
        };
        let leaves = log.exchange_leaves(organization, at, limit).await?;
        let leaves = leaves.into_iter().map(|leaf| (leaf.number, leaf.leaf)).collect();
        let end = self.end.exchange_number;
        self.exchanges.fill(page, &leaves, |recorded| recorded.number, end);
        Ok(())
    }
}

fn item(content: Content, kept: Option<LeafHash>) -> Step {
    Step::Item(Box::new(Item { content, kept }))
}
