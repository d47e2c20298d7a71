//! How the text of a policy is read (tlog-policy, "Policy file syntax and structure").

use super::{Defined, Known, MAX_DEFINED, MAX_POLICY, Name, Policy};
use crate::key::{KeyError, Kind, VerifierKey};
use crate::line::decimal;
use std::collections::{BTreeMap, BTreeSet};

/// Why a text is no policy; lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// More than [`MAX_POLICY`] bytes.
    #[error("the policy is too long")]
    TooLong,
    /// A control character other than tab and newline.
    #[error("a policy has no control characters but tab and newline")]
    Control,
    /// A line that says nothing that is known.
    #[error("line {0} cannot be read")]
    Line(usize),
    /// More than [`MAX_DEFINED`] of a kind.
    #[error("line {0} is one too many of its kind")]
    TooMany(usize),
    /// A key that cannot be read or is not supported.
    #[error("line {0}: {1}")]
    Key(usize, KeyError),
    /// A witness's key that signs no cosignatures.
    #[error("line {0}: the key of a witness is one for cosignatures")]
    NoCosigner(usize),
    /// A log or a witness whose public key stands there already.
    #[error("line {0}: that public key stands there already")]
    SameKey(usize),
    /// A name that is taken, or is `none`.
    #[error("line {0}: that name is taken")]
    NameTaken(usize),
    /// A name that is not defined before.
    #[error("line {0}: a name is not defined before")]
    Undefined(usize),
    /// A member of a second group, or twice of one.
    #[error("line {0}: a name is a member already")]
    MemberTwice(usize),
    /// A threshold of none or of more than there are.
    #[error("line {0}: the threshold is 1 to the number of members")]
    Threshold(usize),
    /// Not one line that says the quorum.
    #[error("a policy says its quorum once")]
    Quorum,
}

impl Policy {
    /// Reads a policy. It is read as bytes: its names need not be text.
    pub fn read(text: &[u8]) -> Result<Self, PolicyError> {
        if text.len() > MAX_POLICY {
            return Err(PolicyError::TooLong);
        }
        if text.iter().any(|byte| !matches!(byte, b'\t' | b'\n' | 0x20..=0x7e | 0x80..)) {
            return Err(PolicyError::Control);
        }
        let mut reader = Reader::default();
        for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let words: Vec<&[u8]> = line
                .split(|byte| matches!(byte, b' ' | b'\t'))
                .filter(|word| !word.is_empty())
                .collect();
            reader.line(at + 1, &words)?;
        }
        let quorum = reader.quorum.ok_or(PolicyError::Quorum)?;
        Ok(Self { logs: reader.logs, witnesses: reader.witnesses, defined: reader.defined, quorum })
    }
}

#[derive(Default)]
struct Reader {
    logs: Vec<Known>,
    witnesses: Vec<(Name, Known)>,
    defined: Vec<(Name, Defined)>,
    places: BTreeMap<Name, usize>,
    members: BTreeSet<usize>,
    /// Whether it was said, and which.
    quorum: Option<Option<usize>>,
}

impl Reader {
    fn line(&mut self, at: usize, words: &[&[u8]]) -> Result<(), PolicyError> {
        match words {
            [] => Ok(()),
            [comment, ..] if comment.starts_with(b"#") => Ok(()),
            [b"log", key] => self.log(at, key, None),
            [b"log", key, url] => self.log(at, key, Some(url)),
            [b"witness", name, key] => self.witness(at, name, key, None),
            [b"witness", name, key, url] => self.witness(at, name, key, Some(url)),
            [b"group", name, threshold, members @ ..] if !members.is_empty() => {
                self.group(at, name, threshold, members)
            }
            [b"quorum", name] => self.say_quorum(at, name),
            _ => Err(PolicyError::Line(at)),
        }
    }

    fn log(&mut self, at: usize, key: &[u8], url: Option<&&[u8]>) -> Result<(), PolicyError> {
        let known = known(at, key, url)?;
        if self.logs.iter().any(|log| log.key.public() == known.key.public()) {
            return Err(PolicyError::SameKey(at));
        }
        self.logs.push(known);
        limit(at, self.logs.len())
    }

    fn witness(
        &mut self,
        at: usize,
        name: &[u8],
        key: &[u8],
        url: Option<&&[u8]>,
    ) -> Result<(), PolicyError> {
        let known = known(at, key, url)?;
        if known.key.kind() != Kind::Cosignature {
            return Err(PolicyError::NoCosigner(at));
        }
        if self.witnesses.iter().any(|(_, witness)| witness.key.public() == known.key.public()) {
            return Err(PolicyError::SameKey(at));
        }
        self.define(at, name, Defined::Witness(self.witnesses.len()))?;
        self.witnesses.push((Name(name.to_vec()), known));
        limit(at, self.witnesses.len())
    }

    fn group(
        &mut self,
        at: usize,
        name: &[u8],
        threshold: &[u8],
        members: &[&[u8]],
    ) -> Result<(), PolicyError> {
        let members = members
            .iter()
            .map(|member| self.place(at, member))
            .collect::<Result<Vec<usize>, _>>()?;
        // Whoever could count twice would make a quorum smaller than it reads.
        if !members.iter().all(|member| self.members.insert(*member)) {
            return Err(PolicyError::MemberTwice(at));
        }
        let threshold = match threshold {
            b"all" => members.len(),
            b"any" => 1,
            number => {
                let number = std::str::from_utf8(number)
                    .ok()
                    .and_then(decimal)
                    .ok_or(PolicyError::Threshold(at))?;
                usize::try_from(number)
                    .ok()
                    .filter(|number| (1..=members.len()).contains(number))
                    .ok_or(PolicyError::Threshold(at))?
            }
        };
        self.define(at, name, Defined::Group { threshold, members })?;
        limit(at, self.defined.len() - self.witnesses.len())
    }

    fn say_quorum(&mut self, at: usize, name: &[u8]) -> Result<(), PolicyError> {
        let quorum = if name == b"none" { None } else { Some(self.place(at, name)?) };
        if self.quorum.replace(quorum).is_some() { Err(PolicyError::Quorum) } else { Ok(()) }
    }

    fn define(&mut self, at: usize, name: &[u8], defined: Defined) -> Result<(), PolicyError> {
        let place = self.defined.len();
        if name == b"none" || self.places.insert(Name(name.to_vec()), place).is_some() {
            return Err(PolicyError::NameTaken(at));
        }
        self.defined.push((Name(name.to_vec()), defined));
        Ok(())
    }

    fn place(&self, at: usize, name: &[u8]) -> Result<usize, PolicyError> {
        self.places.get(&Name(name.to_vec())).copied().ok_or(PolicyError::Undefined(at))
    }
}

fn known(at: usize, key: &[u8], url: Option<&&[u8]>) -> Result<Known, PolicyError> {
    let key = std::str::from_utf8(key).map_err(|_| PolicyError::Key(at, KeyError::Form))?;
    let key: VerifierKey = key.parse().map_err(|e| PolicyError::Key(at, e))?;
    Ok(Known { key, url: url.map(|url| url.to_vec()) })
}

fn limit(at: usize, count: usize) -> Result<(), PolicyError> {
    if count > MAX_DEFINED { Err(PolicyError::TooMany(at)) } else { Ok(()) }
}
