//! The directory as it was: every state of every resource, and every membership, with the
//! positions from and to which it held. What held at a position is then a query.
//!
//! Intervals are half-open: a row holds at `p` if `since <= p < until`. What still holds ends at
//! [`OPEN`].

mod difference;
mod memberships;
mod query;
mod resources;

pub use difference::{AttributeChange, Difference, Next, What};
pub use memberships::MEMBERSHIPS;
pub use query::{History, Membership, PastMember, Reviewed, Side, Turn};
pub use resources::RESOURCES;

pub(crate) use memberships::Memberships;
pub(crate) use resources::Resources;

/// The end of what has not ended.
const OPEN: i64 = i64::MAX;

/// Memberships of one event are numbered below its position, so that they have an order.
const PLACES: u64 = 1 << 20;
