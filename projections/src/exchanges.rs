//! Every request and what became of it, as lists show it: read from the log, which holds it. No view
//! keeps exchanges a second time.

use crate::text::bounded;
use chrono::{DateTime, Utc};
use rollcall_domain::actor::Actor;
use rollcall_domain::ids::{ExchangeId, OrganizationId, ResourceId, TokenId};
use rollcall_domain::interpretation::Interpretation;
use rollcall_domain::log::{
    Bodies, ExchangeNumber, Facet, Log, LogError, Position, RecordedExchange, scan,
};
use std::collections::BTreeSet;
use std::sync::Arc;

pub use rollcall_domain::log::Start;

const TARGET_BYTES: usize = 2_000;
const DETAIL_BYTES: usize = 1_000;
const WORD_BYTES: usize = 200;
/// Exchanges read in one step.
const STEP: usize = 500;

/// Operations that change a resource.
const WRITES: [&str; 8] = [
    "users.create",
    "users.replace",
    "users.patch",
    "users.delete",
    "groups.create",
    "groups.replace",
    "groups.patch",
    "groups.delete",
];

/// An exchange without headers and bodies. `target` may carry names, in a filter: show it to those
/// who may read the directory only.
#[derive(Clone, Debug, PartialEq)]
pub struct ExchangeRow {
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its place among the organization's exchanges.
    pub number: ExchangeNumber,
    /// Its id.
    pub id: ExchangeId,
    /// When the first byte was read.
    pub received_at: DateTime<Utc>,
    /// What was asked for, such as `users.patch`.
    pub operation: String,
    /// The HTTP method.
    pub method: String,
    /// Path and query, cut at 2,000 bytes.
    pub target: String,
    /// The status answered.
    pub status: u16,
    /// True if that is an error.
    pub failed: bool,
    /// RFC 7644 section 3.12.
    pub scim_type: Option<String>,
    /// The error's text, cut at 1,000 bytes.
    pub detail: Option<String>,
    /// The id of the resource it was about.
    pub subject: Option<String>,
    /// The token it came with.
    pub token: Option<TokenId>,
    /// The kind of caller: such as `scim_token`; see [`Actor::kind`].
    pub caller: String,
    /// The peer's address.
    pub source: Option<String>,
    /// From the first byte to the append, in microseconds.
    pub duration_us: u64,
    /// First and last position it produced.
    pub positions: Option<(Position, Position)>,
    /// Liberties taken to read it.
    pub interpretations: Vec<Interpretation>,
    /// True if it had a shape the decoder does not know.
    pub unknown_shape: bool,
    /// The `/Bulk` exchange it was part of.
    pub parent: Option<ExchangeId>,
    /// The exchange that was submitted again with this one.
    pub replays: Option<ExchangeId>,
}

impl From<RecordedExchange> for ExchangeRow {
    fn from(recorded: RecordedExchange) -> Self {
        let RecordedExchange { number, positions, exchange, .. } = recorded;
        let answer = &exchange.answer;
        let word = |text: &String| bounded(text, WORD_BYTES);
        let token = match exchange.caller {
            Actor::ScimToken { token } => Some(token),
            _ => None,
        };
        Self {
            organization: exchange.organization,
            number,
            id: exchange.id,
            received_at: exchange.received_at,
            operation: word(&exchange.operation),
            method: word(&exchange.method),
            target: bounded(&exchange.target, TARGET_BYTES),
            status: answer.status,
            failed: answer.status >= 400,
            scim_type: answer.scim_type.as_ref().map(word),
            detail: answer.detail.as_deref().map(|d| bounded(d, DETAIL_BYTES)),
            subject: exchange.subject.as_ref().map(word),
            token,
            caller: exchange.caller.kind().to_owned(),
            source: exchange.source.as_ref().map(word),
            duration_us: exchange.duration_us,
            positions,
            interpretations: exchange.interpretations,
            unknown_shape: exchange.unknown_shape,
            parent: exchange.parent,
            replays: exchange.replays,
        }
    }
}

/// Which exchanges to list. Everything left `None` does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExchangeFilter {
    /// What was asked for, such as `users.patch`.
    pub operation: Option<String>,
    /// The id of the resource it was about.
    pub subject: Option<String>,
    /// Only those answered with an error.
    pub failed: bool,
    /// Only those with a shape the decoder does not know.
    pub unknown_shape: bool,
    /// Only those with these numbers.
    pub numbers: Option<Vec<ExchangeNumber>>,
    /// Where to begin, and in which direction.
    pub from: Start,
}

impl ExchangeFilter {
    /// What it asks for, that which few exchanges have first.
    fn facets(&self) -> impl Iterator<Item = Facet<'_>> {
        [
            self.subject.as_deref().map(Facet::Subject),
            self.unknown_shape.then_some(Facet::UnknownShape),
            self.failed.then_some(Facet::Failed),
            self.operation.as_deref().map(Facet::Operation),
        ]
        .into_iter()
        .flatten()
    }

    fn likes(&self, recorded: &RecordedExchange) -> bool {
        let number = recorded.number;
        let lies = match self.from {
            Start::Latest => true,
            Start::Before(before) => number < before,
            Start::After(after) => number > after,
        };
        lies && self.facets().all(|facet| facet.is_of(&recorded.exchange))
    }
}

/// Reads exchanges.
#[derive(Clone)]
pub struct Exchanges {
    log: Arc<dyn Log>,
}

impl Exchanges {
    /// Reads from this log.
    pub fn new(log: Arc<dyn Log>) -> Self {
        Self { log }
    }

    /// At most `limit` exchanges of an organization.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn list(
        &self,
        organization: OrganizationId,
        filter: &ExchangeFilter,
        limit: usize,
    ) -> Result<Vec<ExchangeRow>, LogError> {
        let found = if let Some(numbers) = &filter.numbers {
            self.numbered(organization, filter, numbers, limit).await?
        } else if let Some(facet) = filter.facets().next() {
            let likes = |recorded: &RecordedExchange| filter.likes(recorded);
            self.with(organization, facet, filter.from, limit, likes).await?
        } else {
            scan(&*self.log, organization, filter.from, limit, |_| true).await?
        };
        Ok(found.into_iter().map(Into::into).collect())
    }

    /// Those with a facet that are liked as well, in the order of `start`.
    async fn with(
        &self,
        organization: OrganizationId,
        facet: Facet<'_>,
        mut start: Start,
        limit: usize,
        likes: impl Fn(&RecordedExchange) -> bool,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        let step = STEP.min(limit.max(1));
        let mut found = Vec::new();
        while found.len() < limit {
            let page = self.log.exchanges_with(organization, facet, start, step).await?;
            let Some(last) = page.last().map(|x| x.number) else { break };
            start = match start {
                Start::After(_) => Start::After(last),
                Start::Latest | Start::Before(_) => Start::Before(last),
            };
            found.extend(page.into_iter().filter(&likes));
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Those with these numbers that the filter likes, in its order.
    async fn numbered(
        &self,
        organization: OrganizationId,
        filter: &ExchangeFilter,
        numbers: &[ExchangeNumber],
        limit: usize,
    ) -> Result<Vec<RecordedExchange>, LogError> {
        let mut left: BTreeSet<ExchangeNumber> = numbers.iter().copied().collect();
        let forward = matches!(filter.from, Start::After(_));
        let mut found = Vec::new();
        while found.len() < limit {
            let next = if forward { left.first() } else { left.last() };
            let Some(next) = next.copied().filter(|n| *n > 0) else { break };
            // Those of a run lie together, so a stretch of the log holds many of them.
            let first = if forward { next } else { next.saturating_sub(STEP as u64 - 1).max(1) };
            let page = self.log.exchanges(organization, first - 1, STEP, Bodies::Skip).await?;
            let mut page: Vec<_> = page.into_iter().filter(|x| left.remove(&x.number)).collect();
            left.retain(|n| !(first..first + STEP as u64).contains(n));
            if !forward {
                page.reverse();
            }
            found.extend(page.into_iter().filter(|x| filter.likes(x)));
        }
        found.truncate(limit);
        Ok(found)
    }

    /// At most `limit` exchanges that wrote to a resource with success, after a number, oldest
    /// first.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn writes_after(
        &self,
        organization: OrganizationId,
        subject: ResourceId,
        after: ExchangeNumber,
        limit: usize,
    ) -> Result<Vec<ExchangeRow>, LogError> {
        let subject = subject.to_string();
        let facet = Facet::Subject(&subject);
        let likes = |x: &RecordedExchange| {
            facet.is_of(&x.exchange)
                && !Facet::Failed.is_of(&x.exchange)
                && WRITES.contains(&x.exchange.operation.as_str())
        };
        let found = self.with(organization, facet, Start::After(after), limit, likes).await?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    /// The number of an exchange that was received before an instant and is followed by one that
    /// was not; 0 if there is none before, the last if all are. Exchanges are numbered as they end,
    /// which is nearly the order in which they are received: so halving finds it.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn last_before(
        &self,
        organization: OrganizationId,
        at: DateTime<Utc>,
    ) -> Result<ExchangeNumber, LogError> {
        let head = self.log.head(organization).await?.exchange_number;
        // All up to `low` came before, as it were, and what is after `high` did not.
        let (mut low, mut high) = (0, head);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let page = self.log.exchanges(organization, middle - 1, 1, Bodies::Skip).await?;
            let found = page.first().ok_or_else(|| {
                LogError::Damaged(format!("exchange {middle} of {head} is missing"))
            })?;
            if found.exchange.received_at < at { low = middle } else { high = middle - 1 }
        }
        Ok(low)
    }

    /// One exchange.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn get(
        &self,
        organization: OrganizationId,
        exchange: ExchangeId,
    ) -> Result<Option<ExchangeRow>, LogError> {
        Ok(self.log.exchange(organization, exchange).await?.map(Into::into))
    }
}
