//! The log in KurrentDB, which was EventStoreDB, through its makers' client.
//!
//! - An organization's records and exchanges are the events of one stream, in the order of their
//!   commit; positions, versions and numbers stand in their metadata.
//! - What [`rollcall_domain::log::plan`] asks is answered by an index of this process, folded from
//!   the stream up to a revision. The plan is appended in one call that expects this revision: if
//!   another process was faster, its events are folded and the batch is planned anew. So there are
//!   no gaps and no two holders, with any number of processes and no leader among them.
//! - Bodies lie in a stream for each month, which can be truncated; what is too long for an event
//!   lies in a side stream. Both are written first and referred to.
//! - Nothing of this was tried on a server yet: it is tested against a stand-in that was made from
//!   the published protocol.

mod append;
mod changes;
mod connection;
mod core;
mod entry;
mod epoch;
mod error;
mod index;
mod keys;
mod known;
mod log;
mod names;
mod organization;
mod parts;
mod read;
mod reads;
mod recent;
mod settings;
mod writer;

pub use error::OpenError;
pub use log::KurrentLog;
pub use settings::ConnectOptions;
