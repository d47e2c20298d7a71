//! Connections on which nobody has shown a live credential yet. There may be so many of them; one
//! more, and the one that has waited longest is let go, of the source that has most.

use super::Source;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::watch;

/// All of them.
#[derive(Clone)]
pub struct Connections(Arc<Shared>);

struct Shared {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    /// In the order in which they came.
    strangers: BTreeMap<u64, Stranger>,
    sources: HashMap<Source, usize>,
}

struct Stranger {
    source: Source,
    /// Requests of theirs that are being answered.
    busy: usize,
    let_go: watch::Sender<bool>,
}

/// One connection's place among them. Requests carry it, so that whoever finds a live credential in
/// one can say so.
#[derive(Clone)]
pub struct Place(Arc<Held>);

struct Held {
    number: u64,
    shared: Arc<Shared>,
    let_go: watch::Receiver<bool>,
    stands: Mutex<Stands>,
}

struct Stands {
    busy: usize,
    known: bool,
    idle_since: Instant,
}

impl Connections {
    /// So many at once.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Shared { most: most.max(1), state: Mutex::default() }))
    }

    /// One more. If there are too many, another one is told to go.
    pub fn enter(&self, source: Source) -> Place {
        let (let_go, told) = watch::channel(false);
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let number = state.next;
        state.next += 1;
        state.strangers.insert(number, Stranger { source, busy: 0, let_go });
        *state.sources.entry(source).or_default() += 1;
        if state.strangers.len() > self.0.most {
            state.let_one_go();
        }
        let stands = Stands { busy: 0, known: false, idle_since: Instant::now() };
        Place(Arc::new(Held {
            number,
            shared: self.0.clone(),
            let_go: told,
            stands: Mutex::new(stands),
        }))
    }

    /// Lets one go, because there is no room at all.
    /// False if there is none.
    pub fn let_one_go(&self) -> bool {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).let_one_go()
    }
}

impl State {
    /// The oldest that asks for nothing, of the source that has most; else the oldest of those. The
    /// newest stays.
    fn let_one_go(&mut self) -> bool {
        let greediest = self.sources.iter().max_by_key(|(source, n)| (**n, **source));
        let Some(source) = greediest.map(|(source, _)| *source) else { return false };
        let newest = self.next.saturating_sub(1);
        let of_source =
            || self.strangers.iter().filter(|(n, s)| **n != newest && s.source == source);
        let oldest = of_source().find(|(_, s)| s.busy == 0).or_else(|| of_source().next());
        let number = oldest.map(|(number, _)| *number);
        let Some(gone) = number.and_then(|number| self.remove(number)) else { return false };
        let _ = gone.let_go.send(true);
        metrics::counter!("rollcall_connections_let_go_total", "reason" => "crowd").increment(1);
        true
    }

    fn remove(&mut self, number: u64) -> Option<Stranger> {
        let gone = self.strangers.remove(&number)?;
        match self.sources.get_mut(&gone.source) {
            Some(left) if *left > 1 => *left -= 1,
            _ => drop(self.sources.remove(&gone.source)),
        }
        Some(gone)
    }
}

impl Place {
    /// Somebody on it has shown a live credential: they are no stranger any more.
    pub fn known(&self) {
        let mut stands = self.0.stands.lock().unwrap_or_else(PoisonError::into_inner);
        if !stands.known {
            stands.known = true;
            self.state().remove(self.0.number);
        }
    }

    /// A request has come.
    pub fn begins(&self) {
        self.counts(1);
    }

    /// A request has been answered.
    pub fn ends(&self) {
        self.counts(-1);
    }

    /// Since when it asks for nothing, and whether somebody on it is known; none while a request is
    /// under way.
    pub fn idle(&self) -> Option<(Instant, bool)> {
        let stands = self.0.stands.lock().unwrap_or_else(PoisonError::into_inner);
        (stands.busy == 0).then_some((stands.idle_since, stands.known))
    }

    /// Waits until it is told to go.
    pub async fn told_to_go(&self) {
        let mut told = self.0.let_go.clone();
        if told.wait_for(|go| *go).await.is_err() {
            // They are known, or have gone: nobody will say so any more.
            std::future::pending().await
        }
    }

    fn counts(&self, change: isize) {
        let mut stands = self.0.stands.lock().unwrap_or_else(PoisonError::into_inner);
        stands.busy = stands.busy.saturating_add_signed(change);
        stands.idle_since = Instant::now();
        let busy = stands.busy;
        if let Some(stranger) = self.state().strangers.get_mut(&self.0.number) {
            stranger.busy = busy;
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn source(n: u8) -> Source {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, n)).into()
    }

    fn goes(place: &Place) -> bool {
        *place.0.let_go.borrow()
    }

    #[test]
    fn the_newest_stay_and_whoever_is_known_is_not_counted() {
        let crowd = Connections::new(3);
        let known = crowd.enter(source(1));
        known.known();
        let other = crowd.enter(source(2));
        let greedy: Vec<Place> = (0..5).map(|_| crowd.enter(source(1))).collect();
        assert_eq!(greedy.iter().map(goes).collect::<Vec<_>>(), [true, true, true, false, false]);
        assert!(!goes(&other) && !goes(&known), "somebody else pays for it");
        drop(greedy);
        assert_eq!(crowd.0.state.lock().unwrap().strangers.len(), 1);
    }

    #[test]
    fn who_asks_for_something_stays_before_who_asks_for_nothing() {
        let crowd = Connections::new(2);
        let (busy, silent) = (crowd.enter(source(1)), crowd.enter(source(1)));
        busy.begins();
        assert_eq!(busy.idle(), None);
        let third = crowd.enter(source(1));
        assert!(goes(&silent) && !goes(&busy) && !goes(&third));
        third.begins();
        let fourth = crowd.enter(source(1));
        assert!(goes(&busy) && !goes(&third) && !goes(&fourth));
        busy.ends();
        assert!(busy.idle().is_some());
    }
}
