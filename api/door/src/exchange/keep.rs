//! What becomes of an exchange when it is closed.

use crate::strangers::Strangers;
use rollcall_domain::exchange::{Exchange, Protocol};
use rollcall_domain::failure::leaves_access;
use rollcall_domain::log::AppendError;
use rollcall_engine::Engine;

/// How an exchange is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kept {
    /// With the events that it caused, in one append: it is in the log when its answer is known.
    InAppend,
    /// By itself, before its answer leaves.
    #[default]
    Record,
    /// Beside the log, in the ring of strangers' evidence: anybody may send it as often as they
    /// like.
    Ring,
    /// In the trail of what was read, beside the log, before its answer leaves: a log that kept
    /// who reads it would grow by being read.
    Trail,
    /// Nowhere: it is counted.
    CountOnly,
}

/// Keeps an exchange as is due to it, and counts it if it leaves somebody access.
///
/// # Errors
/// If it cannot be kept: then the answer must not leave, and this is counted.
pub async fn keep(
    engine: &Engine,
    strangers: &Strangers,
    kept: Kept,
    exchange: impl FnOnce() -> Exchange,
) -> Result<(), AppendError> {
    let exchange = match kept {
        Kept::InAppend | Kept::Trail | Kept::CountOnly => return Ok(()),
        Kept::Ring => {
            strangers.evidence.keep(exchange());
            return Ok(());
        }
        Kept::Record => exchange(),
    };
    if leaves_access(&exchange) {
        let organization = exchange.organization.to_string();
        metrics::counter!("rollcall_access_left_total", "organization" => organization)
            .increment(1);
    }
    let recorded = engine.record(exchange).await.map(drop);
    recorded.inspect_err(|_| metrics::counter!("rollcall_unrecorded_exchanges_total").increment(1))
}

/// Counts a request that is one too many.
pub fn turn_away(protocol: Protocol) {
    metrics::counter!("rollcall_turned_away_total", "protocol" => protocol.as_str()).increment(1);
}
