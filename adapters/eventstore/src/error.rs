//! Why the log in KurrentDB cannot be opened.

use std::path::{Path, PathBuf};

/// Why the log in KurrentDB cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The connection string cannot be read, or names a file that cannot.
    #[error("the address of the KurrentDB server cannot be used: {0}")]
    Address(String),
    /// The server did not answer, or refused.
    #[error("the KurrentDB server cannot be used: {0}")]
    Server(String),
    /// Somebody else works with this index.
    #[error("the index in {} is in use by another process: stop that one or choose another folder", .0.display())]
    InUse(PathBuf),
    /// A file or folder cannot be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The index cannot be made.
    #[error("the index cannot be made: {0}")]
    Index(#[from] rusqlite::Error),
}

impl OpenError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}
