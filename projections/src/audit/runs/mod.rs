//! Runs: sync cycles, on-demand runs, connection tests, and the run of each exchange.
//!
//! The tables hold what `rollcall_domain::run` infers from the exchanges, and what was imported of
//! Entra's own log. What that log says over against the inference is worked out when runs are read
//! ([`corrected`]), so that it does not matter which of the two came first.

mod corrected;
mod filter;
mod fold;
mod imported;
mod inferred;
mod query;
mod row;

pub use filter::RunFilter;
pub use fold::RUN_INFERENCE;
pub use imported::IMPORTED_CHANGES;
pub use query::{Reconciled, Reconciliation, Runs};
pub use row::{RUN_EXCHANGES, RUNS, RunExchange, RunRow};

pub(crate) use fold::RunRows;
pub(crate) use imported::Imports;
