//! What a job is.

use rollcall_door::App;
use std::time::Duration;

/// Something that is done again and again.
///
/// A pass may be dropped wherever it waits, when the server stops: what it has not finished then,
/// the next start finds as it was.
pub trait Job: Send + 'static {
    /// Its name in metrics and traces.
    const NAME: &'static str;

    /// Whether it has to do also while the log is closed: then nothing may be made of what the log
    /// says.
    const WHILE_CLOSED: bool = false;

    /// How long to wait after a pass.
    fn pause(&self) -> Duration;

    /// How long to wait before the first.
    fn first(&self) -> Duration {
        Duration::ZERO
    }

    /// Does once what is to be done.
    ///
    /// # Errors
    /// If a part of it could not be done: the other parts are, and the next pass tries again.
    fn pass(&mut self, app: &App) -> impl Future<Output = Result<(), Incomplete>> + Send;
}

/// Why a pass could not do all that it was to do.
#[derive(Debug, thiserror::Error)]
pub enum Incomplete {
    /// It could not begin.
    #[error("{0}")]
    All(Box<dyn std::error::Error + Send + Sync>),
    /// It told of each as it came to it.
    #[error("it failed for {0} of its organizations")]
    Some(usize),
}

impl Incomplete {
    /// Nothing could be done.
    pub fn all(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::All(Box::new(error))
    }

    /// What a pass over organizations comes to of which so many failed.
    ///
    /// # Errors
    /// If any did.
    pub fn unless_none(failed: usize) -> Result<(), Self> {
        if failed == 0 { Ok(()) } else { Err(Self::Some(failed)) }
    }
}
