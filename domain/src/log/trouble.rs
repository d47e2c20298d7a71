//! What keeps a store from taking what is answered. Found out by what became of real appends and of
//! the views behind them, and of a probe that writes as they do.

/// Why nothing can be kept at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Trouble {
    /// There is no room.
    #[error("the disk of the log is full: make room, nothing has to be started again")]
    DiskFull,
    /// The disk does not take what is written.
    #[error("the disk of the log cannot be written: look at the system's log, and at quotas")]
    DiskFailing,
    /// The store takes no writes.
    #[error(
        "the log cannot be written, only read: is the database a standby, or the disk mounted read-only?"
    )]
    ReadOnly,
    /// What is stored cannot be read.
    #[error("the log is damaged: stop, copy what is there, then restore a backup")]
    Damaged,
    /// Somebody holds it.
    #[error("the log is locked by somebody else: look for long transactions in the database")]
    Locked,
    /// There is no connection to be had.
    #[error("the database takes no more connections: raise max_connections")]
    NoConnections,
    /// The store does not answer.
    #[error("the database cannot be reached: is it running, and is the network well?")]
    Away,
    /// The role lacks a right.
    #[error(
        "the role of --database-url lacks a right: let the owner of the log run `rollcall database prepare`"
    )]
    Forbidden,
    /// The store refuses what no store should.
    #[error("the database refuses what is written: the log of the server says what it said")]
    Refused,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::DiskFull,
        Self::DiskFailing,
        Self::ReadOnly,
        Self::Damaged,
        Self::Locked,
        Self::NoConnections,
        Self::Away,
        Self::Forbidden,
        Self::Refused,
    ];

    /// A stable word, for metrics and programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DiskFull => "disk-full",
            Self::DiskFailing => "disk-failing",
            Self::ReadOnly => "read-only",
            Self::Damaged => "damaged",
            Self::Locked => "locked",
            Self::NoConnections => "no-connections",
            Self::Away => "away",
            Self::Forbidden => "forbidden",
            Self::Refused => "refused",
        }
    }
}
