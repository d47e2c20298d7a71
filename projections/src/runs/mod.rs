//! Runs: sync cycles, on-demand runs, connection tests, and the run of each exchange.
//!
//! The tables hold what `rollcall_domain::run` infers from the exchanges, and what was imported of
//! Entra's own log. What that log says over against the inference is worked out when runs are read
//! ([`corrected`]), so that it does not matter which of the two came first.

mod corrected;
mod fold;
mod imported;
mod inferred;
mod query;
mod row;

pub use imported::IMPORTED_CHANGES;
pub use query::{Reconciled, Reconciliation, RunFilter, Runs};
pub use row::{RunExchange, RunRow};

pub(crate) use fold::RunRows;

use crate::table::{Table, int, optional_int, optional_text, text};

/// One row for each run.
pub const RUNS: Table = Table {
    name: "runs",
    columns: &[
        text("organization"),
        text("run"),
        int("first_number"),
        text("first_exchange"),
        int("last_number"),
        text("kind"),
        text("confidence"),
        text("evidence"),
        int("open"),
        text("token"),
        text("sources"),
        int("began"),
        int("ended"),
        int("exchanges"),
        text("operations"),
        int("changes"),
        int("events"),
        int("failures"),
        int("retries"),
        int("users"),
        int("groups"),
        int("written"),
        optional_int("since_previous"),
        optional_int("usual"),
        optional_int("missed"),
    ],
    key: &["organization", "run"],
    indexes: &[&["organization", "first_number"], &["organization", "kind", "first_number"], &["organization", "began"]],
    order: "first_number",
};

/// One row for each exchange that is part of a run.
pub const RUN_EXCHANGES: Table = Table {
    name: "run_exchanges",
    columns: &[
        text("organization"),
        int("number"),
        text("id"),
        text("run"),
        int("received_at"),
        text("operation"),
        optional_text("subject"),
        int("status"),
        optional_int("first_position"),
        optional_int("last_position"),
        int("retry"),
    ],
    key: &["organization", "number"],
    indexes: &[&["organization", "run", "number"], &["organization", "received_at"], &["organization", "id"]],
    order: "number",
};

/// The state of the inference after the last exchange folded: one row for each organization.
/// `rhythm` is that of the cycles, those that are open included.
pub const RUN_INFERENCE: Table = Table {
    name: "run_inference",
    columns: &[text("organization"), int("number"), text("state"), optional_text("rhythm")],
    key: &["organization"],
    indexes: &[],
    order: "number",
};
