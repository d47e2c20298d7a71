//! Whether a checkpoint satisfies a policy (tlog-policy, "What is a policy?").

use super::{Defined, Name, Policy};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::key::{Said, VerifierKey};
use crate::note::{Note, NoteError};

/// A witness that has cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnessed {
    /// Its name in the policy.
    pub witness: Name,
    /// When it had seen the checkpoint, in seconds since 1970.
    pub at: u64,
}

/// A checkpoint, and those signatures of it that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The log's key that has signed it.
    pub log: VerifierKey,
    /// All witnesses of the policy that have seen it, in the policy's order.
    pub witnessed: Vec<Witnessed>,
}

/// Why a checkpoint is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The note is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A known key did not make the signature under its name.
    #[error(transparent)]
    Signature(NoteError),
    /// No log that is known has signed it as its own.
    #[error("no known log has signed it")]
    NoLog,
    /// A known log has signed it, but too few have seen it, or not yet.
    #[error("{} witnesses have seen it, which are not enough", .0.witnessed.len())]
    Quorum(Box<Signed>),
}

impl Policy {
    /// Says whether a checkpoint is signed by a log that is known, under that log's origin, and has
    /// been seen by a quorum of witnesses.
    pub fn evaluate(&self, note: &Note) -> Result<Signed, Refused> {
        let checkpoint: Checkpoint = note.text().parse()?;
        let logs =
            self.logs.iter().map(|log| &log.key).filter(|key| key.name() == checkpoint.origin());
        let log = match note.verify(logs) {
            // There is one at least.
            Ok(verified) => {
                verified.first().map(|verified| verified.key.clone()).ok_or(Refused::NoLog)?
            }
            Err(NoteError::Unverified) => return Err(Refused::NoLog),
            Err(e) => return Err(Refused::Signature(e)),
        };
        let mut seen = vec![None; self.witnesses.len()];
        for (seen, (_, witness)) in seen.iter_mut().zip(&self.witnesses) {
            *seen = match note.verify([&witness.key]) {
                Ok(verified) => verified.iter().find_map(|verified| match verified.said {
                    Said::SeenAt(at) => Some(at),
                    Said::Text => None,
                }),
                Err(NoteError::Unverified) => None,
                Err(e) => return Err(Refused::Signature(e)),
            };
        }
        let named =
            self.witnesses.iter().zip(&seen).filter_map(|((name, _), at)| {
                Some(Witnessed { witness: name.clone(), at: (*at)? })
            });
        let signed = Signed { checkpoint, log, witnessed: named.collect() };
        if self.is_quorum(&seen) { Ok(signed) } else { Err(Refused::Quorum(Box::new(signed))) }
    }

    /// Members stand before their groups, so one way from the first to the last is enough.
    fn is_quorum(&self, seen: &[Option<u64>]) -> bool {
        let mut holds: Vec<bool> = Vec::with_capacity(self.defined.len());
        for (_, defined) in &self.defined {
            let held = match defined {
                Defined::Witness(at) => seen[*at].is_some(),
                Defined::Group { threshold, members } => {
                    members.iter().filter(|member| holds[**member]).count() >= *threshold
                }
            };
            holds.push(held);
        }
        self.quorum.is_none_or(|quorum| holds[quorum])
    }
}
