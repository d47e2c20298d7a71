//! Requests of strangers that are under way.

use super::Source;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// So much of all may be of one source while others come, too: an eighth.
const SHARE: usize = 8;
/// So many of one source are always fine, if there is room at all.
const FEW: usize = 16;

/// Counts them.
#[derive(Clone)]
pub struct Guests {
    most: usize,
    there: Arc<Mutex<HashMap<Source, usize>>>,
}

/// One request under way. It leaves when this is dropped.
pub struct Guest {
    source: Source,
    there: Arc<Mutex<HashMap<Source, usize>>>,
}

impl Guests {
    /// So many at once.
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), there: Arc::default() }
    }

    /// How many there are.
    pub fn there(&self) -> usize {
        self.there.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    /// One more; none if there are too many, or too many of this source.
    pub fn enter(&self, source: Source) -> Option<Guest> {
        let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (there.values().sum::<usize>(), there.get(&source).copied());
        let own = own.unwrap_or(0);
        if all >= self.most || own >= (self.most / SHARE).max(FEW) {
            return None;
        }
        there.insert(source, own + 1);
        Some(Guest { source, there: self.there.clone() })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        match there.get_mut(&self.source) {
            Some(left) if *left > 1 => *left -= 1,
            _ => drop(there.remove(&self.source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn source(n: u8) -> Source {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, n)).into()
    }

    #[test]
    fn one_source_leaves_room_for_the_others_and_all_leave() {
        let guests = Guests::new(256);
        let greedy: Vec<Guest> = std::iter::from_fn(|| guests.enter(source(1))).collect();
        assert_eq!(greedy.len(), 32);
        let others: Vec<Guest> =
            (2..=255).filter_map(|n| guests.enter(source(n))).take(256).collect();
        assert_eq!(others.len(), 224);
        assert!(guests.enter(source(3)).is_none());
        drop(greedy);
        assert!(guests.enter(source(1)).is_some());
        drop(others);
        assert!(guests.there.lock().unwrap().is_empty());
    }
}
