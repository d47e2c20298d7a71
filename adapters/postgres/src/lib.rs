//! The log and the views in PostgreSQL: for teams that run several processes on one database.
//!
//! The log lives in the schema `rollcall`. Its table `events` is a superset of the one postgres-es
//! uses, so [`Repository`] can hand streams to cqrs-es; append, order, claims and catch-up are
//! ours, because that crate has none of them. The views live in `rollcall_views`.

mod error;
mod event_metadata;
mod fault;
mod log;
mod options;
mod repository;
mod schema;
mod serving;
mod standing;
mod views;

pub use error::OpenError;
pub use event_metadata::{METADATA_ACTOR, METADATA_EXCHANGE, METADATA_RECORDED_AT};
pub use log::PostgresLog;
pub use options::ConnectOptions;
pub use repository::Repository;
pub use serving::{NotServing, ServingRole, prepare_serving};
pub use views::PostgresViews;
