//! The log and the views in SQLite: the embedded default.
//!
//! A data folder holds `log.db`, the truth (WAL, `synchronous=FULL`), and `views.db`, which can be
//! rebuilt from it (WAL, `synchronous=NORMAL`). One process owns a folder at a time.

mod connection;
mod error;
mod folder;
mod log;
mod pool;
mod views;

pub use error::OpenError;
pub use folder::DataFolder;
pub use log::SqliteLog;
pub use views::SqliteViews;

/// The version of SQLite that is built in.
pub fn version() -> &'static str {
    rusqlite::version()
}
