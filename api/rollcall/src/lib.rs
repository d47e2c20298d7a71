//! The `rollcall` binary: the server, the command line that asks it, and the simulator, as one
//! program.

mod bundle;
mod check_backup;
mod command;
mod config;
mod database;
mod ledger;
mod shell;
mod versions;

pub use command::{Cli, reference, run};
pub use rollcall_cli::{Exit, Failure};
