//! What a failure means.

use rollcall_domain::log::Trouble;
use sqlx::Error;

/// What a failure means for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is of no use any more; another may be.
    Lost,
    /// No connection can be had, or the server cannot write now.
    Away,
    /// Two transactions were in each other's way; the same again may succeed.
    Conflict,
    /// The server read the statement and refuses it.
    Refused,
    /// An answer could not be read.
    Unreadable,
}

pub(crate) fn fault(e: &Error) -> Fault {
    match e {
        Error::Database(e) => match e.code().as_deref() {
            Some("40001" | "40P01") => Fault::Conflict,
            // Terminated by an operator, by a shutdown, or while starting.
            Some(code) if code.starts_with("08") || code.starts_with("57P") => Fault::Lost,
            // Cancelled; out of disk, memory or connections; broken disk; read only; lock not had.
            Some(code) if ["57", "53", "58"].iter().any(|class| code.starts_with(class)) => {
                Fault::Away
            }
            Some("25006" | "55P03") => Fault::Away,
            _ => Fault::Refused,
        },
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) => Fault::Lost,
        Error::PoolTimedOut
        | Error::PoolClosed
        | Error::WorkerCrashed
        | Error::Configuration(_) => Fault::Away,
        Error::RowNotFound
        | Error::TypeNotFound { .. }
        | Error::ColumnIndexOutOfBounds { .. }
        | Error::ColumnNotFound(_)
        | Error::ColumnDecode { .. }
        | Error::Decode(_) => Fault::Unreadable,
        _ => Fault::Refused,
    }
}

/// What a write that failed says of the store.
pub(crate) fn trouble(e: &Error) -> Trouble {
    let code = e.as_database_error().and_then(|e| e.code());
    match code.as_deref() {
        Some("53100") => Trouble::DiskFull,
        Some("53300") => Trouble::NoConnections,
        Some("25006") => Trouble::ReadOnly,
        Some("42501") => Trouble::Forbidden,
        Some("55P03" | "57014" | "40001" | "40P01") => Trouble::Locked,
        Some(code) if code.starts_with("58") => Trouble::DiskFailing,
        Some(code) if code.starts_with("XX") => Trouble::Damaged,
        _ => match fault(e) {
            Fault::Lost | Fault::Away => Trouble::Away,
            Fault::Conflict => Trouble::Locked,
            Fault::Refused => Trouble::Refused,
            Fault::Unreadable => Trouble::Damaged,
        },
    }
}
