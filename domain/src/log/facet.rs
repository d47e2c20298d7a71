//! What exchanges are looked for by, so that a log can find them without reading all.

use crate::exchange::Exchange;
use sha2::{Digest as _, Sha256};

/// One property of an exchange by which it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Facet<'a> {
    /// The id of the resource it was about.
    Subject(&'a str),
    /// What was asked for, such as `users.patch`.
    Operation(&'a str),
    /// It was answered with an error.
    Failed,
    /// It had a shape that the decoder does not know.
    UnknownShape,
}

impl Facet<'_> {
    /// The key under which stores find it: the first 8 bytes of the SHA-256 of its name, a zero
    /// byte and its value. Stored, so never to be changed. Two facets may share one: whoever finds
    /// by it looks at what was found ([`Self::is_of`]).
    pub fn key(self) -> i64 {
        let (name, value) = match self {
            Facet::Subject(value) => ("subject", value),
            Facet::Operation(value) => ("operation", value),
            Facet::Failed => ("failed", ""),
            Facet::UnknownShape => ("unknown-shape", ""),
        };
        let digest = Sha256::new().chain_update(name).chain_update([0]).chain_update(value);
        let mut first = [0; 8];
        first.copy_from_slice(&digest.finalize()[..8]);
        i64::from_be_bytes(first)
    }

    /// Whether an exchange has it.
    pub fn is_of(self, exchange: &Exchange) -> bool {
        Facet::of(exchange).any(|facet| facet == self)
    }
}

impl<'a> Facet<'a> {
    /// All that an exchange has.
    pub fn of(exchange: &'a Exchange) -> impl Iterator<Item = Facet<'a>> {
        [
            exchange.subject.as_deref().map(Facet::Subject),
            Some(Facet::Operation(&exchange.operation)),
            (exchange.answer.status >= 400).then_some(Facet::Failed),
            exchange.unknown_shape.then_some(Facet::UnknownShape),
        ]
        .into_iter()
        .flatten()
    }
}

/// Where a list of exchanges begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// With the latest, newest first.
    #[default]
    Latest,
    /// Below this number, newest first.
    Before(u64),
    /// Above this number, oldest first.
    After(u64),
}
