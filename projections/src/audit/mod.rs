//! The family that answers auditors. It is folded in the background, and caught up by whoever
//! asks ([`crate::fold::Folder::fold`] first, then the query), so that no SCIM request pays for it.

pub mod decisions;
pub mod events;
pub mod failures;
pub mod history;
pub mod runs;

use self::decisions::Decisions;
use self::events::Events;
use self::failures::Failures;
use self::history::HistoryRows;
use self::runs::{Imports, RunRows};
use crate::view::Definition;

/// Raise this when something gives other rows that the views of this family have in common. A view
/// that changes by itself raises its own revision.
pub(crate) const FOLD_VERSION: &str = "5";

/// The views of this family.
pub(crate) const VIEWS: &[Definition] = &[
    Definition::of::<Events>(),
    Definition::of::<HistoryRows>(),
    Definition::of::<RunRows>(),
    Definition::of::<Failures>(),
    Definition::of::<Imports>(),
    Definition::of::<Decisions>(),
];
