//! Which exchanges are replayed.

use chrono::{DateTime, Utc};
use rollcall_domain::ids::{ExchangeId, OrganizationId};
use rollcall_domain::log::{
    Bodies, ExchangeNumber, Head, Log, LogError, Position, RecordedExchange,
};
use std::collections::BTreeSet;

/// An end of a range: a position in the log, or an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Exchanges that were appended at this position or caused it.
    Position(Position),
    /// Exchanges that were received at this time.
    Instant(DateTime<Utc>),
}

/// Which exchanges; all, if nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only these.
    pub exchanges: BTreeSet<ExchangeId>,
    /// Only those with these numbers: the exchanges of a run.
    pub numbers: Option<BTreeSet<ExchangeNumber>>,
    /// Only those answered with an error.
    pub failed: bool,
    /// From here on, inclusive.
    pub from: Option<Bound>,
    /// Up to here, inclusive.
    pub to: Option<Bound>,
}

impl Selection {
    /// Whether it is all.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an exchange is one of them.
    pub fn takes(&self, recorded: &RecordedExchange) -> bool {
        let exchange = &recorded.exchange;
        // An exchange stands where its events end.
        let from = match self.from {
            None => true,
            Some(Bound::Position(position)) => recorded.after >= position,
            Some(Bound::Instant(at)) => exchange.received_at >= at,
        };
        let to = match self.to {
            None => true,
            Some(Bound::Position(position)) => recorded.after <= position,
            Some(Bound::Instant(at)) => exchange.received_at <= at,
        };
        let named = self.exchanges.is_empty() || self.exchanges.contains(&exchange.id);
        let named =
            named && self.numbers.as_ref().is_none_or(|numbers| numbers.contains(&recorded.number));
        from && to && named && (!self.failed || exchange.answer.status >= 400)
    }

    /// Numbers of the first and the last of them up to a head, if there are any.
    pub async fn bounds(
        &self,
        log: &dyn Log,
        organization: OrganizationId,
        head: Head,
    ) -> Result<Option<(ExchangeNumber, ExchangeNumber)>, LogError> {
        let mut found = None;
        let mut note = |number: ExchangeNumber| {
            found = Some(found.map_or((number, number), |(first, last): (u64, u64)| {
                (first.min(number), last.max(number))
            }))
        };
        if self.is_all() {
            return Ok((head.exchange_number > 0).then_some((1, head.exchange_number)));
        }
        if let Some(numbers) = &self.numbers {
            return Ok(numbers.first().copied().zip(numbers.last().copied()));
        }
        if !self.exchanges.is_empty() {
            for id in &self.exchanges {
                if let Some(recorded) =
                    log.exchange(organization, *id).await?.filter(|x| self.takes(x))
                {
                    note(recorded.number);
                }
            }
            return Ok(found);
        }
        let mut number = 0;
        while number < head.exchange_number {
            let page = log.exchanges(organization, number, 500, Bodies::Skip).await?;
            let Some(last) = page.last() else { break };
            number = last.number;
            page.iter()
                .filter(|x| x.number <= head.exchange_number && self.takes(x))
                .for_each(|x| note(x.number));
        }
        Ok(found)
    }
}
