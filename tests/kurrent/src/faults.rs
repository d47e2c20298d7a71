//! What goes wrong on purpose.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// How a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another node leads, at this host and port.
    NotLeader(String, u16),
    /// There is too much to do.
    Busy,
    /// The line is cut.
    Cut,
}

/// What happens to one append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is refused and not written.
    Before(Refusal),
    /// It is written, and then answered with a refusal.
    After(Refusal),
    /// It is written and never answered.
    Unanswered,
}

/// The switches of one stand-in.
#[derive(Clone, Default)]
pub struct Faults(Arc<Switches>);

#[derive(Default)]
struct Switches {
    appends: Mutex<VecDeque<Fault>>,
    every: AtomicU64,
    count: AtomicU64,
    repetitions_unanswered: AtomicBool,
    subscriptions_ended: watch::Sender<u64>,
}

impl Faults {
    /// Happens to the next append that no other fault waits for.
    pub fn at_next_append(&self, fault: Fault) {
        self.0.appends.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }

    /// The answer of every `n`th append is lost; of none if it is 0.
    pub fn lose_every(&self, n: u64) {
        self.0.every.store(n, Ordering::Relaxed);
    }

    /// Whether a repetition is dropped without an answer, as if its first delivery were written
    /// and not yet replicated.
    pub fn leave_repetitions_unanswered(&self, yes: bool) {
        self.0.repetitions_unanswered.store(yes, Ordering::Relaxed);
    }

    /// Ends all subscriptions cleanly.
    pub fn end_subscriptions(&self) {
        self.0.subscriptions_ended.send_modify(|n| *n += 1);
    }

    pub(crate) fn of_append(&self) -> Option<Fault> {
        if let Some(fault) =
            self.0.appends.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
        {
            return Some(fault);
        }
        let every = self.0.every.load(Ordering::Relaxed);
        let count = self.0.count.fetch_add(1, Ordering::Relaxed) + 1;
        (every > 0 && count.is_multiple_of(every)).then_some(Fault::After(Refusal::Cut))
    }

    pub(crate) fn answers_repetitions(&self) -> bool {
        !self.0.repetitions_unanswered.load(Ordering::Relaxed)
    }

    pub(crate) fn subscriptions(&self) -> watch::Receiver<u64> {
        self.0.subscriptions_ended.subscribe()
    }
}
