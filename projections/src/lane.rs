//! What callers want folded of one organization, and what was handed over to be folded.

use rollcall_domain::log::{ExchangeNumber, Head, Position, Record, RecordedExchange};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

/// More than this is not kept: it is in the log as well.
const HANDED: usize = 10_000;

/// One organization's lane. Who holds `running` folds for all who wait behind it.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    /// Held while folding; true once a stop was retried by this process.
    pub running: tokio::sync::Mutex<bool>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    wanted: Head,
    covered: Head,
    records: BTreeMap<Position, Record>,
    exchanges: BTreeMap<ExchangeNumber, RecordedExchange>,
}

impl Lane {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is complete before the guard goes, so a panic elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Asks for everything up to `head`. True if it is folded already.
    pub fn want(&self, head: Head) -> bool {
        let mut state = self.state();
        state.wanted = highest(state.wanted, head);
        covers(state.covered, head)
    }

    /// True if everything up to `head` is folded.
    pub fn covers(&self, head: Head) -> bool {
        covers(self.state().covered, head)
    }

    /// Everything that anybody asked for.
    pub fn wanted(&self) -> Head {
        self.state().wanted
    }

    /// Notes what is folded.
    pub fn reached(&self, head: Head) {
        let mut state = self.state();
        state.covered = highest(state.covered, head);
        state.records = state.records.split_off(&(head.position + 1));
        state.exchanges = state.exchanges.split_off(&(head.exchange_number + 1));
    }

    /// Takes what an append just made, so that it need not be read from the log.
    pub fn hand_over(&self, records: Vec<Record>, exchanges: Vec<RecordedExchange>) {
        let mut state = self.state();
        if state.records.len() + records.len() > HANDED
            || state.exchanges.len() + exchanges.len() > HANDED
        {
            return;
        }
        let covered = state.covered;
        state.records.extend(
            records.into_iter().filter(|r| r.position > covered.position).map(|r| (r.position, r)),
        );
        for mut recorded in exchanges.into_iter().filter(|x| x.number > covered.exchange_number) {
            recorded.exchange.request_body = Vec::new();
            recorded.exchange.answer_body = Vec::new();
            state.exchanges.insert(recorded.number, recorded);
        }
    }

    /// The records right after a position that were handed over; none if the next is missing.
    pub fn records(&self, after: Position, limit: usize) -> Vec<Record> {
        run(&mut self.state().records, after, limit)
    }

    /// The exchanges right after a number that were handed over; none if the next is missing.
    pub fn exchanges(&self, after: ExchangeNumber, limit: usize) -> Vec<RecordedExchange> {
        run(&mut self.state().exchanges, after, limit)
    }

    /// Forgets what was handed over and what is known to be folded.
    pub fn forget(&self) {
        let mut state = self.state();
        *state = State { wanted: state.wanted, ..State::default() };
    }
}

fn run<T>(handed: &mut BTreeMap<u64, T>, after: u64, limit: usize) -> Vec<T> {
    let mut out = Vec::new();
    while out.len() < limit
        && let Some(next) = handed.remove(&(after + 1 + out.len() as u64))
    {
        out.push(next);
    }
    out
}

fn covers(a: Head, b: Head) -> bool {
    a.position >= b.position && a.exchange_number >= b.exchange_number
}

fn highest(a: Head, b: Head) -> Head {
    Head {
        position: a.position.max(b.position),
        exchange_number: a.exchange_number.max(b.exchange_number),
    }
}
