//! Why a data folder cannot be opened.

use rusqlite::ErrorCode;
use std::path::PathBuf;

/// Why a data folder cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody else works on it.
    #[error("the data folder {} is in use by another process: stop that one or choose another folder", .0.display())]
    InUse(PathBuf),
    /// It was written by a newer Rollcall, which an older one must not touch.
    #[error(
        "the data was written in format {found}, this program knows formats up to {supported}: use a newer one"
    )]
    Newer {
        /// The format found.
        found: i64,
        /// The newest format this program knows.
        supported: i64,
    },
    /// A file or folder cannot be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The log's file is not whole.
    #[error(
        "log.db is damaged ({0}): put back a copy that is whole, or start on another data folder and restore a backup"
    )]
    Damaged(#[source] rusqlite::Error),
    /// SQLite cannot use the file.
    #[error("the database cannot be opened: {0}")]
    Database(#[from] rusqlite::Error),
}

impl OpenError {
    /// What it means of the log that SQLite refuses it.
    pub(crate) fn of_log(self) -> Self {
        match self {
            Self::Database(e)
                if matches!(
                    e.sqlite_error_code(),
                    Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                ) =>
            {
                Self::Damaged(e)
            }
            other => other,
        }
    }

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
