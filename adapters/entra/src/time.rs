//! Time as an argument: real, compressed, or simulated.

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// A source of time that can be waited for.
#[async_trait]
pub trait Time: Send + Sync {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
    /// Waits until an instant; returns at once if it has passed.
    async fn sleep_until(&self, at: DateTime<Utc>);
    /// One more task waits in this time. Simulated time moves only while all of them wait.
    fn enter(&self) {}
    /// One task less.
    fn leave(&self) {}
}

/// Real time from a given instant on, faster by a factor.
#[derive(Debug)]
pub struct Paced {
    start: DateTime<Utc>,
    begun: Instant,
    factor: f64,
}

impl Paced {
    /// It is `start` now; a second lasts `1 / factor` seconds.
    pub fn new(start: DateTime<Utc>, factor: f64) -> Self {
        Self { start, begun: Instant::now(), factor }
    }
}

#[async_trait]
impl Time for Paced {
    fn now(&self) -> DateTime<Utc> {
        self.start + scaled(self.begun.elapsed().as_secs_f64() * self.factor)
    }

    async fn sleep_until(&self, at: DateTime<Utc>) {
        let wait = (at - self.now()).as_seconds_f64() / self.factor;
        if wait > 0.0 {
            tokio::time::sleep(std::time::Duration::from_secs_f64(wait)).await;
        }
    }
}

fn scaled(seconds: f64) -> Duration {
    Duration::milliseconds((seconds * 1_000.0) as i64)
}

/// Time that jumps to the next instant somebody waits for, as soon as all tasks wait.
///
/// Exactly one task goes on at each jump, the earliest, and among equals the one that began to wait
/// first: so a simulation with many requests under way is the same each time. It begins with one
/// task, its creator's.
#[derive(Debug)]
pub struct Simulated {
    state: Mutex<State>,
    flows: bool,
}

#[derive(Debug)]
struct State {
    now: DateTime<Utc>,
    set: Instant,
    tasks: usize,
    waited: u64,
    sleepers: BTreeMap<(DateTime<Utc>, u64), Waker>,
}

impl Simulated {
    /// Time that stands still between jumps: the same run gives the same instants.
    pub fn new(start: DateTime<Utc>) -> Self {
        Self::with(start, false)
    }

    /// Time that jumps over waits and flows otherwise, so that what a server needs is measured.
    pub fn flowing(start: DateTime<Utc>) -> Self {
        Self::with(start, true)
    }

    fn with(start: DateTime<Utc>, flows: bool) -> Self {
        let state = State {
            now: start,
            set: Instant::now(),
            tasks: 1,
            waited: 0,
            sleepers: BTreeMap::new(),
        };
        Self { state: Mutex::new(state), flows }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn present(&self, state: &State) -> DateTime<Utc> {
        if self.flows { state.now + scaled(state.set.elapsed().as_secs_f64()) } else { state.now }
    }

    fn jump(&self, state: &mut State) {
        if state.sleepers.len() < state.tasks {
            return;
        }
        if let Some(((at, _), waker)) = state.sleepers.pop_first() {
            state.now = self.present(state).max(at);
            state.set = Instant::now();
            waker.wake();
        }
    }
}

#[async_trait]
impl Time for Simulated {
    fn now(&self) -> DateTime<Utc> {
        self.present(&self.lock())
    }

    async fn sleep_until(&self, at: DateTime<Utc>) {
        Sleep { time: self, at, waiting: None }.await;
    }

    fn enter(&self) {
        self.lock().tasks += 1;
    }

    fn leave(&self) {
        let mut state = self.lock();
        state.tasks = state.tasks.saturating_sub(1);
        self.jump(&mut state);
    }
}

struct Sleep<'a> {
    time: &'a Simulated,
    at: DateTime<Utc>,
    waiting: Option<(DateTime<Utc>, u64)>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.time.lock();
        let key = match self.waiting {
            None if self.at <= self.time.present(&state) => return Poll::Ready(()),
            None => {
                state.waited += 1;
                (self.at, state.waited)
            }
            // Whoever is no longer waited for has been woken by a jump.
            Some(key) if !state.sleepers.contains_key(&key) => return Poll::Ready(()),
            Some(key) => key,
        };
        let new = self.waiting.is_none();
        state.sleepers.insert(key, context.waker().clone());
        if new {
            self.time.jump(&mut state);
        }
        drop(state);
        self.waiting = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.waiting {
            self.time.lock().sleepers.remove(&key);
        }
    }
}

/// Works on items over several lanes, one item at a time on each; in simulated time always in the
/// same order.
pub async fn lanes<T, F>(
    time: &dyn Time,
    width: usize,
    items: impl Iterator<Item = T> + Send,
    work: impl Fn(T) -> F + Sync,
) where
    T: Send,
    F: Future<Output = ()> + Send,
{
    let width = width.max(1);
    let items = Mutex::new(items);
    let running = Mutex::new(width);
    // The caller's own place in the time serves the first lane, and the last one to end returns it.
    for _ in 1..width {
        time.enter();
    }
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let lane = async || {
        while let Some(item) = next() {
            work(item).await;
        }
        let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
        *running -= 1;
        if *running > 0 {
            time.leave();
        }
    };
    futures::future::join_all((0..width).map(|_| lane())).await;
}

/// Two activities at the same time.
pub async fn both<A, B>(
    time: &dyn Time,
    first: impl Future<Output = A> + Send,
    second: impl Future<Output = B> + Send,
) -> (A, B) {
    time.enter();
    let running = Mutex::new(2_u8);
    let end = || {
        let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
        *running -= 1;
        if *running > 0 {
            time.leave();
        }
    };
    let first = async {
        let result = first.await;
        end();
        result
    };
    let second = async {
        let result = second.await;
        end();
        result
    };
    futures::future::join(first, second).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn simulated_lanes_always_interleave_alike() {
        async fn run(width: usize) -> Vec<(i64, u32)> {
            let start = DateTime::from_timestamp(1_000, 0).unwrap();
            let time = Simulated::new(start);
            let seen = Mutex::new(Vec::new());
            lanes(&time, width, 0..20_u32, |n| {
                let (time, seen) = (&time, &seen);
                async move {
                    for step in 0..3 {
                        time.sleep_until(
                            time.now() + Duration::seconds(i64::from(n * 7 % 5 + step)),
                        )
                        .await;
                        seen.lock().unwrap().push(((time.now() - start).num_seconds(), n));
                    }
                }
            })
            .await;
            seen.into_inner().unwrap()
        }
        let (one, four) = (run(1).await, run(4).await);
        assert_eq!(four, run(4).await);
        assert!(four.is_sorted_by_key(|(at, _)| *at));
        assert!(four.last().unwrap().0 < one.last().unwrap().0);
        assert_eq!(four.len(), 60);
    }
}
