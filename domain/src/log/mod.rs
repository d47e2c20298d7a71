//! The log: the port that adapters implement, and its words.
//!
//! What every adapter promises (and `tests/store` checks):
//! - an append is atomic: events, claims and exchange, all or nothing;
//! - positions of an organization are 1, 2, 3... without a gap, in commit order; so are exchange
//!   numbers; a reader who saw `n` never later sees a record at or below `n` appear;
//! - an answered append survives a crash;
//! - views that are folded inline ([`InlineFold`]) are never ahead of the log, and hold what an
//!   append says they hold; whatever is wrong with them fails no append;
//! - a lost race, a taken claim, a missing reference and a repeated exchange are four answers.

mod batch;
mod damage;
mod error;
mod facet;
mod identity;
mod inline;
mod keys;
mod ledger;
mod port;
mod restored;
mod rewrite;
mod scan;
mod trouble;

pub use batch::{ClaimOutcome, ExchangePlace, Facts, Plan, Wanted, plan, wanted};
pub use damage::{Damage, damaged, exchange_holes, mended, sound};
pub use error::{AppendError, LogError};
pub use facet::{Facet, Start};
pub use identity::{Closed, Found, Known, Mark, RESTORING, Watch, successor_of};
pub use inline::{CATCH_UP, Inline, InlineFold, stretches};
pub use keys::{DataKey, KeyId, KeyRing, Wrapped};
pub use ledger::{ExchangeLeaf, LedgerHead, exchange_leaf, record_leaf};
pub use port::*;
pub use restored::{Regrowing, restored_place};
pub use rewrite::{REWRITTEN_FROM, Rewrite, Rewritten, rewritten_of};
pub use scan::scan;
pub use trouble::Trouble;

pub use crate::record::*;
