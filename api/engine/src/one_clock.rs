//! One clock for all processes on a log: the database's, where it has one; and no time that is less
//! than what was recorded last.

use crate::Engine;
use crate::clock::Skew;
use rollcall_domain::log::{Damage, LogError, sound};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How far clocks were apart when somebody last looked.
#[derive(Default)]
pub(crate) struct Measured(Mutex<Skew>);

impl Engine {
    /// How far clocks were apart when somebody last looked.
    pub fn skew(&self) -> Skew {
        *self.measured.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the clock of the database, or of the system.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn look_at_the_clock(&self) -> Result<Skew, LogError> {
        let asked = Instant::now();
        let told = self.log.time().await?;
        // It was read somewhere in between.
        let skew = self.clock.follow(told.map(|time| time + asked.elapsed() / 2));
        *self.measured.0.lock().unwrap_or_else(PoisonError::into_inner) = skew;
        Ok(skew)
    }

    /// Begins where the log ends: no time that is given out is less than what was recorded last.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn begin_where_the_log_ends(&self) -> Result<(), LogError> {
        for (organization, head) in self.log.heads().await? {
            let Some(before) = head.position.checked_sub(1) else { continue };
            match sound(&*self.log, organization, before, 1).await? {
                Ok(last) => last.iter().for_each(|last| self.clock.no_less_than(last.recorded_at)),
                Err(Damage::Missing | Damage::Unreadable) => {}
            }
        }
        Ok(())
    }
}
