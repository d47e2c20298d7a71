//! Replay: recorded exchanges through today's code, in a fork of the log.
//!
//! A fork is a scratch store with every record up to a position, with views and claims folded from
//! them: lists, filters and uniqueness then answer as they did, which a copy of the touched streams
//! alone would not give. From there on exchanges are fed one after another as they were committed,
//! at the times and with the ids they had; what no replayed exchange caused is copied. The scratch
//! store never leaves the recorded path: where today's events differ, the recorded ones are put
//! down and the difference is told, so that one difference does not make all that follows differ.
//!
//! A fork runs on a thread of its own, so that neither the requests nor the metrics of the server
//! feel it. Steps come in through a bounded channel and lines go out through one: memory does not
//! grow with what is replayed.

mod apply;
pub mod bundle;
mod compare;
mod dry_run;
mod error;
mod feed;
mod fork;
mod line;
mod objection;
mod overtaken;
mod rules;
mod run;
mod scratch;
mod selection;
mod verify;

pub use apply::{Submission, apply};
pub use dry_run::{DryRun, dry_run};
pub use error::ReplayError;
pub use run::Lines;
pub use scratch::Settings as ScratchSettings;
pub use selection::{Bound, Selection};
pub use verify::verify;
