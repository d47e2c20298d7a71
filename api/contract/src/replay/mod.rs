//! What a replay is asked for, and what it tells line by line.

mod exchange;
mod result;
mod summary;

pub use exchange::{AnswerSummary, Difference, EventSummary, ExchangeLine};
pub use result::{NotReplayed, ReplayResult};
pub use summary::ReplaySummary;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Which exchanges, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReplayRequest {
    /// Only these exchanges.
    pub exchanges: Vec<Uuid>,
    /// Only those that were answered with an error.
    pub failed: bool,
    /// Only those of this run.
    pub run: Option<Uuid>,
    /// From this position or instant on, inclusive.
    pub from: Option<String>,
    /// Up to this position or instant, inclusive.
    pub to: Option<String>,
    /// A line for every exchange, also for those that came out as recorded (verify).
    pub all: bool,
    /// Liberties that are not taken, by name: what would break without them (verify, dry run)?
    pub without: Vec<String>,
    /// Also those that succeeded, or that later requests have overtaken (apply).
    pub force: bool,
}

/// One line of a replay's answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum ReplayLine {
    /// An exchange.
    Exchange(ExchangeLine),
    /// The last line.
    Summary(ReplaySummary),
    /// The last line, if the replay broke off.
    Broken {
        /// Why.
        detail: String,
    },
}
