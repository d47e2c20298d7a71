//! The one budget of strangers: whoever has shown no live credential yet. They share connections,
//! requests under way, look-ups of what they show, and a ring of evidence; none of it is taken from
//! callers who have one.

mod acquaintances;
mod connections;
mod evidence;
mod guests;
pub mod parts;
mod source;
mod wrong_keys;

pub use acquaintances::Acquaintances;
pub use connections::{Connections, Place};
pub use evidence::Evidence;
pub use guests::{Guest, Guests};
pub use source::Source;
pub use wrong_keys::WrongKeys;

use rollcall_projections::strangers::StrangerRing;

/// What strangers may take.
pub struct Strangers {
    /// Requests of theirs under way.
    pub guests: Guests,
    /// What was shown and was live lately.
    pub acquaintances: Acquaintances,
    /// What they sent.
    pub evidence: Evidence,
    /// Wrong keys at the administration.
    pub wrong_keys: WrongKeys,
    /// Connections on which nobody has shown a live credential.
    pub connections: Connections,
}

impl Strangers {
    /// As many requests under way as these, and evidence in this ring.
    pub fn new(most: usize, connections: usize, ring: StrangerRing, limited: bool) -> Self {
        Self {
            guests: Guests::new(most),
            acquaintances: Acquaintances::default(),
            evidence: Evidence::new(ring),
            wrong_keys: WrongKeys::new(limited),
            connections: Connections::new(connections),
        }
    }
}
