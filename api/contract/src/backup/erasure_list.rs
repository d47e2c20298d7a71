//! A list of all who were erased, as a file: what a restore needs so that an older backup brings
//! nobody back. Ids, positions, times and reasons; nothing that tells who anybody was.

use super::{BackupLine, Digests};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The version of the lines that are written.
pub const ERASURES_FORMAT: u32 = 1;

/// A line of the list: it stands in a backup on its way into a server, as keys do.
pub type ErasureLine = BackupLine<Value, Value>;

/// Why a file is no list of erasures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAList {
    /// A line is none of a list.
    #[error("line {0} is no line of such a list")]
    Unreadable(u64),
    /// It was written by another version.
    #[error("its format is {0}; this version reads {ERASURES_FORMAT}")]
    Format(u32),
    /// It does not begin, go on or end as a list does.
    #[error("line {0} does not follow those before it")]
    Order(u64),
    /// It is not as it was written.
    #[error("it is not as it was written")]
    Changed,
    /// It broke off.
    #[error("it broke off: its last line is missing")]
    BrokenOff,
    /// Somebody is of an organization that the list does not have.
    #[error("line {0} is of an organization that its first line does not have")]
    Stranger(u64),
}

/// The head of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListHead {
    /// When it was written: it says nothing of who was erased later.
    pub created_at: DateTime<Utc>,
    /// The organizations that there were.
    pub organizations: BTreeSet<Uuid>,
}

/// Somebody on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Whose log.
    pub organization: Uuid,
    /// Who was erased; none if it was the organization as a whole.
    pub user: Option<Uuid>,
    /// Why.
    pub because: String,
}

/// Reads a list line by line.
#[derive(Clone, Default)]
pub struct ListReading {
    line: u64,
    head: Option<ListHead>,
    people: Vec<Listed>,
    ended: bool,
    digests: Digests,
}

impl ListReading {
    /// Takes a line of a file that is a list and nothing else, with its end.
    ///
    /// # Errors
    /// If it is none, or not as it was written.
    pub fn line(&mut self, bytes: &[u8]) -> Result<(), NotAList> {
        let line = serde_json::from_slice::<ErasureLine>(bytes);
        let line = line.map_err(|_| NotAList::Unreadable(self.line + 1))?;
        if !line.is_of_list() {
            return Err(NotAList::Unreadable(self.line + 1));
        }
        self.take(&line, bytes)
    }

    /// Takes a line that was read already; one of something else is none of the list's business.
    ///
    /// # Errors
    /// If it does not belong here, or is not as it was written.
    pub fn take<R, X>(&mut self, line: &BackupLine<R, X>, bytes: &[u8]) -> Result<(), NotAList> {
        match line {
            BackupLine::ErasureList { format, created_at, organizations } => {
                self.line += 1;
                if self.head.is_some() {
                    return Err(NotAList::Order(self.line));
                }
                if *format != ERASURES_FORMAT {
                    return Err(NotAList::Format(*format));
                }
                let organizations = organizations.iter().copied().collect();
                self.head = Some(ListHead { created_at: *created_at, organizations });
                self.digests.between(bytes);
            }
            BackupLine::ErasedPerson { organization, user, because, .. } => {
                self.listed(*organization, Some(*user), because, bytes)?;
            }
            BackupLine::ErasedOrganization { organization, because, .. } => {
                self.listed(*organization, None, because, bytes)?;
            }
            BackupLine::ErasureListEnd { erased, sha256 } => {
                self.line += 1;
                if self.head.is_none() || self.ended {
                    return Err(NotAList::Order(self.line));
                }
                if *erased != self.people.len() as u64 || *sha256 != self.digests.whole() {
                    return Err(NotAList::Changed);
                }
                self.ended = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn listed(
        &mut self,
        organization: Uuid,
        user: Option<Uuid>,
        because: &str,
        bytes: &[u8],
    ) -> Result<(), NotAList> {
        self.line += 1;
        let head = self.head.as_ref().filter(|_| !self.ended);
        let head = head.ok_or(NotAList::Order(self.line))?;
        if !head.organizations.contains(&organization) {
            return Err(NotAList::Stranger(self.line));
        }
        self.people.push(Listed { organization, user, because: because.to_owned() });
        self.digests.between(bytes);
        Ok(())
    }

    /// The list that was read to its end; none if nothing of one came.
    ///
    /// # Errors
    /// If its end did not come.
    pub fn finish(self) -> Result<Option<(ListHead, Vec<Listed>)>, NotAList> {
        match (self.head, self.ended) {
            (None, _) => Ok(None),
            (Some(_), false) => Err(NotAList::BrokenOff),
            (Some(head), true) => Ok(Some((head, self.people))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<Vec<u8>> {
        let organization = Uuid::from_u128(7);
        let mut lines: Vec<ErasureLine> = vec![BackupLine::ErasureList {
            format: ERASURES_FORMAT,
            created_at: DateTime::UNIX_EPOCH,
            organizations: vec![organization, Uuid::from_u128(8)],
        }];
        for user in 1..4_u128 {
            lines.push(BackupLine::ErasedPerson {
                organization,
                user: Uuid::from_u128(user),
                position: 40 + u64::try_from(user).unwrap_or_default(),
                at: DateTime::UNIX_EPOCH,
                because: "article 17".to_owned(),
            });
        }
        lines.push(BackupLine::ErasedOrganization {
            organization: Uuid::from_u128(8),
            position: 4,
            at: DateTime::UNIX_EPOCH,
            because: "the contract ended".to_owned(),
        });
        let mut digests = Digests::default();
        let mut bytes: Vec<Vec<u8>> = lines.iter().map(written).collect();
        bytes.iter().for_each(|line| digests.between(line));
        bytes.push(written(&BackupLine::ErasureListEnd { erased: 4, sha256: digests.whole() }));
        bytes
    }

    fn written(line: &ErasureLine) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(line).unwrap();
        bytes.push(b'\n');
        bytes
    }

    fn read(lines: &[Vec<u8>]) -> Result<Option<(ListHead, Vec<Listed>)>, NotAList> {
        let mut reading = ListReading::default();
        lines.iter().try_for_each(|line| reading.line(line))?;
        reading.finish()
    }

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let (head, people) = read(&lines()).unwrap().unwrap();
        assert_eq!((head.organizations.len(), people.len()), (2, 4));
        assert_eq!(people[1].user, Some(Uuid::from_u128(2)));
        assert_eq!(people[3].user, None);
    }

    /// Every byte of it counts, and every line has its place.
    #[test]
    fn one_that_is_not_whole_is_none() {
        let whole = lines();
        for (at, line) in whole.iter().enumerate() {
            for byte in 0..line.len() {
                for other in [b'0', b'x', b'"', b' ', 0xff] {
                    let mut changed = whole.clone();
                    if changed[at][byte] == other || (other == b' ' && line[byte] == b'\n') {
                        continue;
                    }
                    changed[at][byte] = other;
                    assert!(read(&changed).is_err(), "line {at}, byte {byte}, {other}");
                }
            }
            let mut without = whole.clone();
            without.remove(at);
            assert!(read(&without).is_err(), "without line {at}");
            let mut twice = whole.clone();
            twice.insert(at, line.clone());
            assert!(read(&twice).is_err(), "line {at} twice");
        }
        for end in 1..whole.len() {
            assert!(read(&whole[..end]).is_err(), "{end} lines");
        }
        let swapped: Vec<_> = [0, 2, 1, 3, 4, 5].map(|at| whole[at].clone()).into();
        assert_eq!(read(&swapped), Err(NotAList::Changed));
    }
}
