//! Randomness that depends on what it is for, never on the order in which it is drawn.

use fastrand::Rng;
use uuid::{Builder, Uuid};

/// Where all randomness of a simulation comes from. Two draws for the same purpose and number are
/// equal, however many requests were under way in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// A simulation's seed.
    pub fn new(seed: u64) -> Self {
        Self(mix(seed ^ 0x526F_6C6C_6361_6C6C))
    }

    /// The seed of a part: `purpose` names it, `number` tells its siblings apart.
    pub fn part(self, purpose: &str, number: u64) -> Self {
        let name = purpose.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, b| {
            (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3)
        });
        Self(mix(mix(self.0 ^ name) ^ number))
    }

    /// A generator for one purpose.
    pub fn rng(self, purpose: &str, number: u64) -> Rng {
        Rng::with_seed(self.part(purpose, number).0)
    }

    /// An id for one purpose, in the shape of a random UUID.
    pub fn uuid(self, purpose: &str, number: u64) -> Uuid {
        let mut bytes = [0; 16];
        self.rng(purpose, number).fill(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// True with the given probability.
    pub fn chance(self, purpose: &str, number: u64, probability: f64) -> bool {
        probability > 0.0 && self.rng(purpose, number).f64() < probability
    }
}

/// SplitMix64's finalizer: every bit of the input reaches every bit of the output.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::Seed;

    #[test]
    fn a_draw_depends_on_its_purpose_alone() {
        let seed = Seed::new(7);
        assert_eq!(seed.uuid("user", 1), Seed::new(7).uuid("user", 1));
        assert_ne!(seed.uuid("user", 1), seed.uuid("user", 2));
        assert_ne!(seed.uuid("user", 1), seed.uuid("group", 1));
        assert_ne!(seed.uuid("user", 1), Seed::new(8).uuid("user", 1));
    }
}
