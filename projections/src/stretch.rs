//! Exchanges in the order of their numbers, on their way into views. One that is missing or cannot
//! be read is a hole in the evidence, and no reason to stop a directory: it is told, counted, and
//! gone over. (A record that is missing is another thing: nobody may go over that.)

use crate::lane::Lane;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{Bodies, ExchangeNumber, Log, LogError, Position, RecordedExchange};
use rollcall_domain::sql::Family;
use std::sync::Arc;

/// What there is of exchanges after one number up to another.
pub(crate) struct Stretch {
    /// The last number that was folded before.
    after: ExchangeNumber,
    /// Those that can be read.
    pub there: Vec<Arc<RecordedExchange>>,
    /// The last number, whether it is there or not.
    pub through: ExchangeNumber,
}

impl Stretch {
    /// Nothing after a number.
    pub fn none(after: ExchangeNumber) -> Self {
        Self { after, there: Vec::new(), through: after }
    }

    /// Leaves out those that came after a later position.
    pub fn before(&mut self, end: Position) {
        if let Some(first) = self.there.iter().position(|exchange| exchange.after > end) {
            self.through = self.there[first].number - 1;
            self.there.truncate(first);
        }
    }

    /// Numbers that are not there.
    fn holes(&self) -> u64 {
        (self.through - self.after).saturating_sub(self.there.len() as u64)
    }

    /// Says which are not there.
    pub fn tell_holes(&self, family: Family, organization: OrganizationId) {
        let holes = self.holes();
        if holes == 0 {
            return;
        }
        let (family, after, through) = (family.as_str(), self.after, self.through);
        tracing::error!(family, %organization, holes, after, through, "exchanges are missing or cannot be read: rollcall ledger audit names them");
        metrics::counter!("rollcall_exchange_holes_total", "family" => family, "organization" => organization.to_string())
            .increment(holes);
    }
}

/// At most `limit` exchanges after a number, of which the log says that so many were appended.
pub(crate) async fn stretch(
    log: &dyn Log,
    organization: OrganizationId,
    lane: &Lane,
    after: ExchangeNumber,
    limit: usize,
) -> Result<Stretch, LogError> {
    if limit == 0 {
        return Ok(Stretch::none(after));
    }
    let handed = lane.exchanges(after, limit);
    if let Some(last) = handed.last() {
        // What was handed over follows without a gap, or is not given.
        let through = last.number;
        return Ok(Stretch { after, there: handed, through });
    }
    let through = after + limit as u64;
    let read = match log.exchanges(organization, after, limit, Bodies::Skip).await {
        Ok(read) => read,
        Err(LogError::Damaged(_)) => one_by_one(log, organization, after, through).await?,
        Err(error) => return Err(error),
    };
    let there = read.into_iter().filter(|exchange| exchange.number <= through).map(Arc::new);
    Ok(Stretch { after, there: there.collect(), through })
}

/// Those that can be read, where one of them cannot.
async fn one_by_one(
    log: &dyn Log,
    organization: OrganizationId,
    after: ExchangeNumber,
    through: ExchangeNumber,
) -> Result<Vec<RecordedExchange>, LogError> {
    let mut there = Vec::new();
    for number in after..through {
        match log.exchanges(organization, number, 1, Bodies::Skip).await {
            Ok(read) => there.extend(read.into_iter().filter(|read| read.number == number + 1)),
            Err(LogError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_the_numbers_that_are_not_there() {
        let none = Stretch::none(7);
        assert_eq!((none.holes(), none.through), (0, 7));
        let missing = Stretch { after: 7, there: Vec::new(), through: 10 };
        assert_eq!(missing.holes(), 3);
    }
}
