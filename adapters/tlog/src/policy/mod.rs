//! Policies: which logs are trusted, and which witnesses must have seen a checkpoint before it is
//! believed (tlog-policy).

mod evaluate;
mod read;

pub use evaluate::{Refused, Signed, Witnessed};
pub use read::PolicyError;

use crate::key::VerifierKey;
use std::fmt;

/// Bytes of a policy at most.
pub const MAX_POLICY: usize = 256 * 1024;

/// Logs, witnesses and groups at most, of each; 32 must be read.
pub const MAX_DEFINED: usize = 256;

/// A name of a witness or a group: any bytes but spaces and control characters, which need not be
/// text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Vec<u8>);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

/// A log or a witness that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its key; a log's has the log's origin for its name.
    pub key: VerifierKey,
    /// Where it is reached, as bytes that nobody has looked at.
    pub url: Option<Vec<u8>>,
}

/// What a name of the policy stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Defined {
    /// A witness, by its place among [`Policy::witnesses`].
    Witness(usize),
    /// So many of these, by their places among [`Policy::defined`]: all of them before this one.
    Group { threshold: usize, members: Vec<usize> },
}

/// A policy: logs, witnesses, and which of those are enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Known>,
    witnesses: Vec<(Name, Known)>,
    defined: Vec<(Name, Defined)>,
    /// By its place among `defined`; `None` if no witness is needed.
    quorum: Option<usize>,
}

impl Policy {
    /// The logs that are trusted; there may be none, and then [`Self::trusting`] names them.
    pub fn logs(&self) -> &[Known] {
        &self.logs
    }

    /// The witnesses that are known, by name.
    pub fn witnesses(&self) -> &[(Name, Known)] {
        &self.witnesses
    }

    /// The policy as text, without comments: read again, it is the same policy.
    pub fn write(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut line = |words: &[&[u8]]| {
            text.extend(words.join(&b' '));
            text.push(b'\n');
        };
        let known = |known: &Known| {
            [Some(known.key.to_string().into_bytes()), known.url.clone()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
        };
        for log in &self.logs {
            line(&[b"log", &known(log).join(&b' ')]);
        }
        for (name, defined) in &self.defined {
            match defined {
                Defined::Witness(at) => {
                    line(&[b"witness", &name.0, &known(&self.witnesses[*at].1).join(&b' ')])
                }
                Defined::Group { threshold, members } => {
                    let members: Vec<&[u8]> =
                        members.iter().map(|member| &self.defined[*member].0.0[..]).collect();
                    line(&[
                        b"group",
                        &name.0,
                        threshold.to_string().as_bytes(),
                        &members.join(&b' '),
                    ]);
                }
            }
        }
        line(&[b"quorum", self.quorum.map_or(b"none", |quorum| &self.defined[quorum].0.0)]);
        text
    }

    /// The same which trusts another log.
    pub fn trusting(mut self, log: VerifierKey) -> Self {
        self.logs.push(Known { key: log, url: None });
        self
    }
}
