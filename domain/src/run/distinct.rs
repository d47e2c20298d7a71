//! How many different things there were, in bounded memory.

use super::fact::Key;
use serde::{Deserialize, Serialize};

/// Up to this many keys are kept as they are, and counted exactly.
const EXACT: usize = 64;
/// Registers of the estimate (HyperLogLog): a standard error of 3.3 %.
const REGISTERS: usize = 1_024;
const BITS: u32 = 10;

/// A set that can only be counted and joined: exact while small, then an estimate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distinct {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    exact: Vec<Key>,
    /// One character for each register, so that the state stays readable and small.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    registers: String,
}

impl Distinct {
    /// Adds a key.
    pub fn add(&mut self, key: Key) {
        if self.registers.is_empty() {
            if self.exact.contains(&key) {
                return;
            }
            self.exact.push(key);
            if self.exact.len() > EXACT {
                let mut ranks = vec![0; REGISTERS];
                self.exact.drain(..).for_each(|key| raise(&mut ranks, key));
                self.registers = write(&ranks);
            }
            return;
        }
        let (index, rank) = place(key);
        if read(&self.registers, index) < rank {
            self.registers.replace_range(index..=index, character(rank).encode_utf8(&mut [0; 4]));
        }
    }

    /// Adds all keys of another.
    pub fn join(&mut self, other: &Distinct) {
        other.exact.iter().for_each(|key| self.add(*key));
        if other.registers.is_empty() {
            return;
        }
        let mut ranks: Vec<u8> = (0..REGISTERS).map(|i| read(&other.registers, i)).collect();
        for (i, rank) in ranks.iter_mut().enumerate() {
            *rank = (*rank).max(read(&self.registers, i));
        }
        self.exact.drain(..).for_each(|key| raise(&mut ranks, key));
        self.registers = write(&ranks);
    }

    /// How many different keys were added.
    pub fn count(&self) -> u64 {
        if self.registers.is_empty() {
            return self.exact.len() as u64;
        }
        let m = REGISTERS as f64;
        let ranks = (0..REGISTERS).map(|i| read(&self.registers, i));
        let empty = ranks.clone().filter(|r| *r == 0).count();
        let raw =
            0.7213 / (1.0 + 1.079 / m) * m * m / ranks.map(|r| (-f64::from(r)).exp2()).sum::<f64>();
        let estimate = if raw <= 2.5 * m && empty > 0 { m * (m / empty as f64).ln() } else { raw };
        estimate.round() as u64
    }

    /// True if nothing was added.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.registers.is_empty()
    }

    /// Whether a key was added, as long as the count is exact.
    pub fn knows(&self, key: Key) -> bool {
        self.exact.contains(&key)
    }
}

fn place(Key(hash): Key) -> (usize, u8) {
    // FNV spreads its low bits well but its high bits badly; one multiplication mends that.
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = mixed ^ (mixed >> 29);
    let index = usize::try_from(mixed >> (64 - BITS)).unwrap_or(0);
    let rank = ((mixed << BITS) | (1 << (BITS - 1))).leading_zeros() + 1;
    (index, u8::try_from(rank).unwrap_or(u8::MAX))
}

fn raise(ranks: &mut [u8], key: Key) {
    let (index, rank) = place(key);
    ranks[index] = ranks[index].max(rank);
}

fn character(rank: u8) -> char {
    char::from(b'0' + rank)
}

fn read(registers: &str, index: usize) -> u8 {
    registers.as_bytes().get(index).map_or(0, |c| c.saturating_sub(b'0'))
}

fn write(ranks: &[u8]) -> String {
    ranks.iter().map(|r| character(*r)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_while_small_and_near_when_large() {
        for n in [0_u64, 1, 64, 65, 500, 5_000, 100_000] {
            let mut set = Distinct::default();
            for _ in 0..2 {
                (0..n).for_each(|i| set.add(Key::of(&format!("subject {i}"))));
            }
            let off = (set.count() as f64 - n as f64).abs();
            assert!(
                if n <= 64 { off == 0.0 } else { off <= n as f64 * 0.1 },
                "{n}: {}",
                set.count()
            );
        }
    }

    #[test]
    fn joined_sets_count_what_either_has() {
        let set = |range: std::ops::Range<u64>| {
            let mut set = Distinct::default();
            range.for_each(|i| set.add(Key::of(&i.to_string())));
            set
        };
        for (a, b, n) in [
            (0..10, 5..20, 20.0),
            (0..10, 5..2_000, 2_000.0),
            (0..2_000, 5..20, 2_000.0),
            (0..2_000, 1_000..3_000, 3_000.0),
        ] {
            let mut joined = set(a);
            joined.join(&set(b));
            assert!((joined.count() as f64 - n).abs() <= n * 0.1, "{} for {n}", joined.count());
        }
    }
}
