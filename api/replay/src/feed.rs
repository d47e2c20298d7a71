//! Reads a log in the order in which it was committed, records and exchanges merged.

use super::error::ReplayError;
use super::selection::Selection;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Bodies, Head, Log, LogError, Position, Record, RecordedExchange};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Records and exchanges read at once.
const RECORDS: usize = 1_000;
const EXCHANGES: usize = 100;

/// The next thing to do in a fork.
pub enum Step {
    /// Put these records down as they are.
    Copy(Vec<Record>),
    /// Replay this exchange; these are the records it caused.
    Exchange(Box<RecordedExchange>, Vec<Record>),
}

/// Where a fork begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Right before the first exchange that is replayed.
    BeforeFirst,
    /// At the end of the log.
    AtHead,
}

/// What is fed.
pub struct Feed {
    /// The log that is forked.
    pub log: Arc<dyn Log>,
    /// Whose.
    pub organization: OrganizationId,
    /// Its end; what is appended later does not matter.
    pub head: Head,
    /// Which exchanges are replayed.
    pub selection: Selection,
    /// Where the fork begins.
    pub begin: Begin,
}

impl Feed {
    /// Sends all steps. Ends early, without an error, if nobody takes them any more.
    pub async fn run(self, steps: mpsc::Sender<Result<Step, ReplayError>>) {
        if let Err(error) = self.send(&steps).await {
            let _ = steps.send(Err(error.into())).await;
        }
    }

    async fn send(&self, steps: &mpsc::Sender<Result<Step, ReplayError>>) -> Result<(), LogError> {
        let Some((first, last)) =
            self.selection.bounds(&*self.log, self.organization, self.head).await?
        else {
            return Ok(());
        };
        let mut records = Records { feed: self, position: 0, read: VecDeque::new() };
        if self.begin == Begin::AtHead {
            records.copy_to(self.head.position, steps).await?;
        }
        let mut number = first - 1;
        while number < last {
            let page =
                self.log.exchanges(self.organization, number, EXCHANGES, Bodies::Read).await?;
            let Some(end) = page.last() else {
                return Err(LogError::Damaged(format!("exchange {} is missing", number + 1)));
            };
            number = end.number;
            for recorded in page.into_iter().filter(|x| x.number <= last) {
                let chosen = self.selection.takes(&recorded);
                if self.begin == Begin::AtHead {
                    if chosen
                        && steps
                            .send(Ok(Step::Exchange(Box::new(recorded), Vec::new())))
                            .await
                            .is_err()
                    {
                        return Ok(());
                    }
                    continue;
                }
                if !chosen {
                    continue; // Its records are copied on the way to the next one.
                }
                records
                    .copy_to(
                        recorded.positions.map_or(recorded.after, |(first, _)| first - 1),
                        steps,
                    )
                    .await?;
                let caused = match recorded.positions {
                    Some((_, last)) => records.take_to(last).await?,
                    None => Vec::new(),
                };
                if steps.send(Ok(Step::Exchange(Box::new(recorded), caused))).await.is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// A reader of records that never holds more than a page.
struct Records<'a> {
    feed: &'a Feed,
    position: Position,
    read: VecDeque<Record>,
}

impl Records<'_> {
    /// Sends the records up to a position.
    async fn copy_to(
        &mut self,
        to: Position,
        steps: &mpsc::Sender<Result<Step, ReplayError>>,
    ) -> Result<(), LogError> {
        while self.position < to {
            let page = self.page(to).await?;
            if steps.send(Ok(Step::Copy(page))).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The records up to a position, all of them: those of one exchange.
    async fn take_to(&mut self, to: Position) -> Result<Vec<Record>, LogError> {
        let mut taken = Vec::new();
        while self.position < to {
            taken.extend(self.page(to).await?);
        }
        Ok(taken)
    }

    async fn page(&mut self, to: Position) -> Result<Vec<Record>, LogError> {
        if self.read.is_empty() {
            self.read =
                self.feed.log.records(self.feed.organization, self.position, RECORDS).await?.into();
        }
        let mut page = Vec::new();
        while self.read.front().is_some_and(|r| r.position <= to)
            && let Some(record) = self.read.pop_front()
        {
            if record.position != self.position + 1 {
                return Err(LogError::Damaged(format!(
                    "position {} is missing",
                    self.position + 1
                )));
            }
            self.position = record.position;
            page.push(record);
        }
        if page.is_empty() {
            Err(LogError::Damaged(format!("position {} is missing", self.position + 1)))
        } else {
            Ok(page)
        }
    }
}
