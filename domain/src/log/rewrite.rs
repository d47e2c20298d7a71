//! Giving a log of before another form, in place and once.

use super::error::LogError;
use crate::exchange::Exchange;
use crate::record::Record;
use async_trait::async_trait;
use uuid::Uuid;

/// Gives records and exchanges the form in which they are to be stored from now on. It must not ask
/// the log that it is used for: that is locked meanwhile.
#[async_trait]
pub trait Rewrite: Send + Sync + 'static {
    /// Rewrites a record; all of an organization's come in their order, and before its exchanges.
    ///
    /// # Errors
    /// If it cannot be done; then all of the log stays as it was.
    async fn record(&self, record: &mut Record) -> Result<(), LogError>;

    /// Rewrites an exchange with its bodies.
    ///
    /// # Errors
    /// If it cannot be done; then all of the log stays as it was.
    async fn exchange(&self, exchange: &mut Exchange) -> Result<(), LogError>;
}

/// What was rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// The epoch of the log as it was.
    pub was: Uuid,
    /// Records and exchanges.
    pub entries: u64,
    /// Where the log lies as it was, for people: theirs to delete.
    pub copy: String,
}

/// The name of the note that says which epoch a log had before it was rewritten.
pub const REWRITTEN_FROM: &str = "rewritten-from";

/// The name of the note that says by which epoch another one is followed because the log was
/// rewritten in another format. A program of before does not know it: to that it is another log.
pub fn rewritten_of(epoch: Uuid) -> String {
    format!("rewritten/{epoch}")
}
