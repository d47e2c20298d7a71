//! Finding exchanges by looking at each: for a log that has no index of facets, and for lists that
//! ask for none.

use super::error::LogError;
use super::facet::Start;
use super::port::{Bodies, Log};
use crate::ids::OrganizationId;
use crate::record::RecordedExchange;

/// Exchanges read in one step.
const STEP: u64 = 500;

/// At most `limit` exchanges that `wanted` likes, without bodies, in the order of `start`: by
/// looking at each from there on. Numbers have no gap, so a page that ends anywhere can be asked
/// for.
///
/// # Errors
/// If the log cannot be read.
pub async fn scan(
    log: &(impl Log + ?Sized),
    organization: OrganizationId,
    start: Start,
    limit: usize,
    wanted: impl Fn(&RecordedExchange) -> bool,
) -> Result<Vec<RecordedExchange>, LogError> {
    let mut found = Vec::new();
    let (mut next, forward) = match start {
        Start::After(number) => (number, true),
        Start::Before(number) => (number, false),
        Start::Latest => (log.head(organization).await?.exchange_number + 1, false),
    };
    while found.len() < limit {
        // Of what lies before, as many as there are.
        let step = if forward { STEP } else { STEP.min(next.saturating_sub(1)) };
        let after = if forward { next } else { next.saturating_sub(step + 1) };
        let limit = usize::try_from(step).unwrap_or_default();
        let mut page = log.exchanges(organization, after, limit, Bodies::Skip).await?;
        page.retain(|x| forward || x.number < next);
        let Some(last) = page.last().map(|x| x.number) else { break };
        next = if forward { last } else { after + 1 };
        if !forward {
            page.reverse();
        }
        found.extend(page.into_iter().filter(|x| wanted(x)));
    }
    found.truncate(limit);
    Ok(found)
}
