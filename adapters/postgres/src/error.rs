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
    /// Something between us and the server does not pass on what is asked of a connection.
    #[error(
        "the database is behind a pooler (such as PgBouncer) that does not pass settings of connections on: connect to PostgreSQL itself, Rollcall keeps its own pools"
    )]
    Pooler,
    /// The server takes no more connections.
    #[error(
        "the database takes no more connections: raise max_connections, or lower --database-connections ({0})"
    )]
    Full(#[source] sqlx::Error),
    /// The role of the URL may not do it.
    #[error(
        "the role of the database's URL lacks a right: let the owner of the log run `rollcall database prepare` ({0})"
    )]
    Forbidden(#[source] sqlx::Error),
    /// The URL is wrong, the server is away, or it refuses us.
    #[error("the database cannot be used: {0}")]
    Database(#[source] sqlx::Error),
    /// The thread that writes could not be started.
    #[error("the writer cannot be started: {0}")]
    Writer(#[source] std::io::Error),
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        Self::of(error)
    }
}

impl OpenError {
    /// Why no connection could be made.
    pub(crate) fn of(error: sqlx::Error) -> Self {
        match error.as_database_error().and_then(|e| e.code()).as_deref() {
            // A protocol violation: PgBouncer's answer to settings at the start of a connection.
            Some("08P01") => Self::Pooler,
            Some("53300") => Self::Full(error),
            Some("42501") => Self::Forbidden(error),
            _ => Self::Database(error),
        }
    }
}
