//! Why a database cannot be used.

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was written by a newer Rollcall, which an older one must not touch.
    #[error(
        "the database was written in format {found}, this program knows formats up to {supported}: use a newer one"
    )]
    Newer {
        /// The format found.
        found: i32,
        /// The newest format this program knows.
        supported: i32,
    },
    /// The server did not answer in time.
    #[error("the database does not answer")]
    TimedOut,
    /// The URL is wrong, the server is away, or it refuses us.
    #[error("the database cannot be used: {0}")]
    Database(#[from] sqlx::Error),
    /// The thread that writes could not be started.
    #[error("the writer cannot be started: {0}")]
    Writer(#[source] std::io::Error),
}
