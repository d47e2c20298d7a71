//! Records that should be there and are not, or cannot be read. Which it is decides what can be
//! done about it, so it is told as data, with the place.

use super::error::LogError;
use super::port::{Bodies, Log};
use crate::ids::OrganizationId;
use crate::record::{ExchangeNumber, Position, Record};
use std::collections::BTreeSet;

/// What is wrong with a record of which the log says that it was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// There is none at its position.
    #[error("the record is missing")]
    Missing,
    /// What is there cannot be read.
    #[error("the record cannot be read")]
    Unreadable,
}

impl Damage {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Missing, Self::Unreadable];

    /// A stable word, for metrics and programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
        }
    }
}

/// The name of the note in which a store keeps what stood where a record was put.
pub fn mended(organization: OrganizationId, position: Position) -> String {
    format!("mended/{organization}/{position}")
}

/// Records after a position, at most `limit`, of which the log says that at least one is there: as
/// many as follow without a gap and can be read; else what is wrong with the first.
///
/// # Errors
/// If the log cannot be asked now.
pub async fn sound(
    log: &dyn Log,
    organization: OrganizationId,
    after: Position,
    mut limit: usize,
) -> Result<Result<Vec<Record>, Damage>, LogError> {
    loop {
        match log.records(organization, after, limit).await {
            Ok(page) => {
                let sound: Vec<Record> = page
                    .into_iter()
                    .zip(after + 1..)
                    .take_while(|(record, position)| record.position == *position)
                    .map(|(record, _)| record)
                    .collect();
                return Ok(if sound.is_empty() { Err(Damage::Missing) } else { Ok(sound) });
            }
            Err(LogError::Damaged(_)) if limit > 1 => limit /= 2,
            Err(LogError::Damaged(_)) => {
                // The first that is there, and that cannot be read, may stand further on.
                let next = match log.record_leaves(organization, after, 1).await {
                    Ok(leaves) => leaves.first().map(|(position, _)| *position),
                    Err(LogError::Damaged(_)) => Some(after + 1),
                    Err(error) => return Err(error),
                };
                let is_there = next == Some(after + 1);
                return Ok(Err(if is_there { Damage::Unreadable } else { Damage::Missing }));
            }
            Err(error) => return Err(error),
        }
    }
}

/// All positions up to one of which the record is missing or cannot be read, the first `at_most`.
///
/// # Errors
/// If the log cannot be asked now.
pub async fn damaged(
    log: &dyn Log,
    organization: OrganizationId,
    through: Position,
    at_most: usize,
) -> Result<Vec<(Position, Damage)>, LogError> {
    /// Records read at once.
    const PAGE: u64 = 1_000;
    let (mut after, mut found) = (0, Vec::new());
    while after < through && found.len() < at_most {
        let limit = usize::try_from(PAGE.min(through - after)).unwrap_or(1);
        match sound(log, organization, after, limit).await? {
            Ok(records) => after += records.len() as u64,
            Err(damage) => {
                after += 1;
                found.push((after, damage));
            }
        }
    }
    Ok(found)
}

/// All numbers of exchanges up to one of which the exchange is missing or cannot be read, the first
/// `at_most`.
///
/// # Errors
/// If the log cannot be asked now.
pub async fn exchange_holes(
    log: &dyn Log,
    organization: OrganizationId,
    through: ExchangeNumber,
    at_most: usize,
) -> Result<Vec<ExchangeNumber>, LogError> {
    /// Exchanges read at once.
    const PAGE: u64 = 500;
    let (mut after, mut page, mut holes) = (0, PAGE, Vec::new());
    while after < through && holes.len() < at_most {
        let limit = page.min(through - after);
        let asked = usize::try_from(limit).unwrap_or(1);
        match log.exchanges(organization, after, asked, Bodies::Skip).await {
            Ok(found) => {
                let there: BTreeSet<ExchangeNumber> = found.iter().map(|x| x.number).collect();
                holes.extend((after + 1..=after + limit).filter(|number| !there.contains(number)));
                (after, page) = (after + limit, PAGE);
            }
            Err(LogError::Damaged(_)) if limit > 1 => page = limit / 2,
            Err(LogError::Damaged(_)) => {
                after += 1;
                holes.push(after);
            }
            Err(error) => return Err(error),
        }
    }
    holes.truncate(at_most);
    Ok(holes)
}
