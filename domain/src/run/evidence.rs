//! What the kind of a run was concluded from.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One thing that speaks for a run's kind. Never holds a value that a client sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case")]
pub enum Evidence {
    /// It began with a lookup for a GUID that nobody has.
    Probe {
        /// The attribute looked up.
        attribute: String,
    },
    /// It began without such a lookup.
    NoProbe,
    /// Nothing followed the lookup.
    ProbeOnly,
    /// The lookup was answered with an error.
    ProbeFailed {
        /// The status.
        status: u16,
    },
    /// So many resources were asked for or changed.
    Subjects {
        /// Users.
        users: u64,
        /// Groups.
        groups: u64,
    },
    /// No cycle was seen before.
    NothingBefore,
    /// It began when a cycle was due.
    Due {
        /// Minutes since the cycle before began.
        minutes: i64,
        /// The usual number.
        usual: i64,
    },
    /// It began when no cycle was due.
    NotDue {
        /// Minutes since the cycle before began.
        minutes: i64,
        /// The usual number.
        usual: i64,
    },
    /// Most of what the client knows was touched again.
    ReadAgain {
        /// Resources touched.
        touched: u64,
        /// Resources the client has ever touched.
        known: u64,
    },
    /// It ran while a cycle of the same client was running.
    InsideCycle,
    /// PATCH in the old shape from a client that otherwise sends the new one.
    LegacyShape,
    /// It came from an address of its own.
    OwnSource,
    /// A request that Entra never sends.
    Foreign {
        /// The operation.
        operation: String,
    },
    /// This client never looks for a GUID that nobody has.
    NeverProbes,
    /// All users were listed page by page.
    Paging,
    /// The run after it fits the rhythm of the cycles better.
    NextFitsBetter,
    /// The run after it came when the cycle after this one was due.
    NextFollows,
    /// Entra's own log has a cycle with these changes.
    Imported {
        /// The cycle's id there.
        cycle: String,
    },
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Evidence::Probe { attribute } => {
                write!(f, "it began with a lookup of {attribute} for a GUID that nobody has")
            }
            Evidence::NoProbe => {
                f.write_str("it began without a lookup for a GUID that nobody has")
            }
            Evidence::ProbeOnly => f.write_str("nothing followed the lookup"),
            Evidence::ProbeFailed { status } => write!(f, "the lookup was answered {status}"),
            Evidence::Subjects { users, groups } => {
                write!(f, "{users} users and {groups} groups were asked for or changed")
            }
            Evidence::NothingBefore => f.write_str("no cycle was seen before"),
            Evidence::Due { minutes, usual } => {
                write!(f, "{minutes} minutes after the cycle before, where {usual} are usual")
            }
            Evidence::NotDue { minutes, usual } => {
                write!(
                    f,
                    "no cycle was due: {minutes} minutes after the cycle before, where {usual} are usual"
                )
            }
            Evidence::ReadAgain { touched, known } => {
                write!(f, "{touched} of {known} known resources were touched again")
            }
            Evidence::InsideCycle => {
                f.write_str("it ran while a cycle of the same client was running")
            }
            Evidence::LegacyShape => f.write_str(
                "PATCH in the old shape, from a client that sends the new one otherwise",
            ),
            Evidence::OwnSource => f.write_str("it came from an address of its own"),
            Evidence::Foreign { operation } => {
                write!(f, "it asked for {operation}, which Entra never does")
            }
            Evidence::NeverProbes => {
                f.write_str("this client never looks for a GUID that nobody has")
            }
            Evidence::Paging => f.write_str("all accounts were listed page by page"),
            Evidence::NextFitsBetter => {
                f.write_str("the run after it fits the rhythm of the cycles better")
            }
            Evidence::NextFollows => {
                f.write_str("the run after it came when the next cycle was due")
            }
            Evidence::Imported { cycle } => write!(f, "Entra's own log has it as cycle {cycle}"),
        }
    }
}
