//! Whether appends come to their end: what a watchdog has to know, for a writer that is stuck
//! answers nothing and says nothing.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the appends of a process.
#[derive(Debug, Default)]
pub struct Appends {
    begun: AtomicU64,
    ended: AtomicU64,
}

/// How many appends have begun and ended, whatever became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppendCounts {
    /// Begun.
    pub begun: u64,
    /// Ended, well or badly, or given up by whoever asked.
    pub ended: u64,
}

impl AppendCounts {
    /// Whether appends went on since an earlier look: one has ended, or none is under way.
    pub fn goes_on_since(self, earlier: Self) -> bool {
        self.begun == self.ended || self.ended > earlier.ended
    }
}

/// An append under way; dropped at its end.
#[derive(Debug)]
pub struct UnderWay<'a>(&'a Appends);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
    }
}

impl Appends {
    /// One begins.
    pub fn begin(&self) -> UnderWay<'_> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        UnderWay(self)
    }

    /// How many there were.
    pub fn counts(&self) -> AppendCounts {
        // In this order one that begins between the two looks is under way, and none is missed.
        let ended = self.ended.load(Ordering::SeqCst);
        AppendCounts { begun: self.begun.load(Ordering::SeqCst), ended }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appends_go_on_while_one_ends_or_none_is_under_way() {
        let appends = Appends::default();
        let idle = appends.counts();
        assert!(idle.goes_on_since(idle));
        let (stuck, other) = (appends.begin(), appends.begin());
        let before = appends.counts();
        assert!(!before.goes_on_since(before), "two are under way and none has ended");
        drop(other);
        let after = appends.counts();
        assert!(after.goes_on_since(before), "one has ended");
        assert!(!appends.counts().goes_on_since(after), "the other has not");
        drop(stuck);
        assert!(appends.counts().goes_on_since(after));
    }
}
