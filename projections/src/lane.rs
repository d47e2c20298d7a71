//! What callers want folded of one organization, and what was handed over to be folded.

use rollcall_domain::log::{ExchangeNumber, Head, Position, Record, RecordedExchange};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// Records and exchanges that all lanes of a folder keep between them, at most: more is in the log
/// as well.
const HANDED: usize = 20_000;

/// How many records and exchanges are kept, in all lanes of a folder.
#[derive(Debug, Default)]
pub(crate) struct Kept(AtomicUsize);

impl Kept {
    fn room(&self) -> usize {
        HANDED.saturating_sub(self.0.load(Ordering::Relaxed))
    }

    fn changed(&self, before: usize, after: usize) {
        if after >= before {
            self.0.fetch_add(after - before, Ordering::Relaxed);
        } else {
            self.0.fetch_sub(before - after, Ordering::Relaxed);
        }
    }
}

/// One organization's lane. Who holds `running` folds for all who wait behind it.
#[derive(Debug)]
pub(crate) struct Lane {
    /// Held while folding; true once a stop was retried by this process.
    pub running: tokio::sync::Mutex<bool>,
    state: Mutex<State>,
    kept: Arc<Kept>,
}

#[derive(Debug, Default)]
struct State {
    wanted: Head,
    covered: Head,
    records: BTreeMap<Position, Record>,
    exchanges: BTreeMap<ExchangeNumber, Arc<RecordedExchange>>,
}

impl State {
    fn kept(&self) -> usize {
        self.records.len() + self.exchanges.len()
    }
}

impl Lane {
    /// One of a folder's.
    pub fn new(kept: &Arc<Kept>) -> Self {
        Self { running: Default::default(), state: Mutex::default(), kept: Arc::clone(kept) }
    }

    /// Changes what is kept, and counts that.
    fn keep<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let before = state.kept();
        let done = change(&mut state);
        self.kept.changed(before, state.kept());
        done
    }

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

    /// The last position that is known to be folded.
    pub fn position(&self) -> Position {
        self.state().covered.position
    }

    /// Everything that anybody asked for.
    pub fn wanted(&self) -> Head {
        self.state().wanted
    }

    /// Notes what is folded.
    pub fn reached(&self, head: Head) {
        self.keep(|state| {
            state.covered = highest(state.covered, head);
            state.records = state.records.split_off(&(head.position + 1));
            state.exchanges = state.exchanges.split_off(&(head.exchange_number + 1));
        });
    }

    /// Takes what an append just made, so that it need not be read from the log. Exchanges come
    /// without their bodies.
    pub fn hand_over(&self, records: Vec<Record>, exchanges: Vec<Arc<RecordedExchange>>) {
        if records.len() + exchanges.len() > self.kept.room() {
            return;
        }
        self.keep(|state| {
            let covered = state.covered;
            let records = records.into_iter().filter(|r| r.position > covered.position);
            state.records.extend(records.map(|r| (r.position, r)));
            let exchanges = exchanges.into_iter().filter(|x| x.number > covered.exchange_number);
            state.exchanges.extend(exchanges.map(|x| (x.number, x)));
        });
    }

    /// The records right after a position that were handed over; none if the next is missing.
    pub fn records(&self, after: Position, limit: usize) -> Vec<Record> {
        self.keep(|state| run(&mut state.records, after, limit))
    }

    /// The exchanges right after a number that were handed over; none if the next is missing.
    pub fn exchanges(&self, after: ExchangeNumber, limit: usize) -> Vec<Arc<RecordedExchange>> {
        self.keep(|state| run(&mut state.exchanges, after, limit))
    }

    /// Forgets what was handed over and what is known to be folded.
    pub fn forget(&self) {
        self.keep(|state| *state = State { wanted: state.wanted, ..State::default() });
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

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_domain::actor::Actor;
    use rollcall_domain::ids::OrganizationId;
    use rollcall_domain::log::{AggregateKind, StreamId};
    use uuid::Uuid;

    fn records(positions: std::ops::RangeInclusive<u64>) -> Vec<Record> {
        let stream = StreamId {
            organization: OrganizationId::NONE,
            kind: AggregateKind::User,
            id: Uuid::nil(),
        };
        let record = |position| Record {
            position,
            stream,
            version: position,
            event_type: "UserActivated".into(),
            event_version: "1".into(),
            payload: "{}".into(),
            recorded_at: chrono::DateTime::UNIX_EPOCH,
            exchange: None,
            actor: Actor::System,
        };
        positions.map(record).collect()
    }

    #[test]
    fn lanes_keep_a_bounded_number_between_them_and_give_it_back() {
        let kept = Arc::new(Kept::default());
        let lanes = [Lane::new(&kept), Lane::new(&kept)];
        let half = HANDED as u64 / 2;
        lanes[0].hand_over(records(1..=half), Vec::new());
        lanes[1].hand_over(records(1..=half), Vec::new());
        assert_eq!(kept.room(), 0);
        lanes[1].hand_over(records(half + 1..=half + 1), Vec::new());
        assert_eq!(lanes[1].records(half, 9), [], "there was no room");
        // What was folded, taken or forgotten makes room.
        lanes[0].reached(Head { position: 10, exchange_number: 0 });
        assert_eq!(kept.room(), 10);
        assert_eq!(lanes[1].records(0, 5).len(), 5);
        assert_eq!(kept.room(), 15);
        lanes.iter().for_each(Lane::forget);
        assert_eq!(kept.room(), HANDED);
        // What is handed over twice is kept once.
        lanes[0].hand_over(records(1..=3), Vec::new());
        lanes[0].hand_over(records(2..=3), Vec::new());
        assert_eq!(kept.room(), HANDED - 3);
    }
}
