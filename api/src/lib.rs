//! The `rollcall` binary as a library: SCIM, administration, audit and the command line.
//!
//! This is the only crate that knows all others. A request goes from [`router`] to one file per
//! operation, from there to a use case in [`engine`], and from there to the ports of the domain.

pub mod admin;
mod assembly;
pub mod audit;
pub mod background;
pub mod bundle;
pub mod cli;
pub mod clock;
pub mod config;
pub mod engine;
mod exchange;
mod health;
pub mod host;
pub mod ids;
mod listen;
pub mod metric_table;
pub mod openapi;
pub mod problem;
mod provisioning_log;
pub mod replay;
mod restore;
pub mod router;
pub mod saml;
pub mod scim;
pub mod sealing;
pub mod secrets;
pub mod serve;
pub mod sessions;
mod span;
pub mod state;
pub mod stores;
pub mod telemetry;
