//! One clock for all processes on a log: the database's, where it has one; and no time that is less
//! than what was recorded last.

use crate::Engine;
use crate::clock::Skew;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::log::{Damage, LogError, sound};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The name of the note that says when an operator last let time go back.
const TURNED_BACK: &str = "clock-turned-back";

/// How far clocks were apart when somebody last looked, and how far time has gone back already.
#[derive(Default)]
pub(crate) struct Measured {
    skew: Mutex<Skew>,
    /// What the note said when it was last followed.
    turned_back: Mutex<Option<String>>,
}

fn set<T>(kept: &Mutex<T>, value: T) {
    *kept.lock().unwrap_or_else(PoisonError::into_inner) = value;
}

impl Engine {
    /// How far clocks were apart when somebody last looked.
    pub fn skew(&self) -> Skew {
        *self.measured.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What time it is. While a clock that ran ahead is not set right, it is earlier than the time
    /// that is given out: by what was gone by when somebody last looked.
    pub fn right_now(&self) -> DateTime<Utc> {
        let ahead = self.skew().log;
        self.clock.now() + if ahead < -Skew::MOST { ahead } else { TimeDelta::zero() }
    }

    /// Looks at the clock of the database, or of the system. Where an operator has let time go back,
    /// also by another process, it does so here.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn look_at_the_clock(&self) -> Result<Skew, LogError> {
        let skew = self.measure().await?;
        if skew.log >= -Skew::MOST {
            return Ok(skew);
        }
        let note = self.log.note(TURNED_BACK).await?;
        let followed = self.measured.turned_back.lock();
        if *followed.unwrap_or_else(PoisonError::into_inner) == note {
            return Ok(skew);
        }
        tracing::warn!("an operator has set the clock right: time goes back to it");
        self.clock.turn_back(skew.log);
        set(&self.measured.turned_back, note);
        self.measure().await
    }

    async fn measure(&self) -> Result<Skew, LogError> {
        let asked = Instant::now();
        let told = self.log.time().await?;
        // It was read somewhere in between.
        let skew = self.clock.follow(told.map(|time| time + asked.elapsed() / 2));
        set(&self.measured.skew, skew);
        Ok(skew)
    }

    /// Lets time go back to the clock that is gone by, which had run ahead, here and in all processes
    /// on this log that can be told. Gives the time that was gone by until now.
    ///
    /// # Errors
    /// If the clock cannot be looked at, or others cannot be told.
    pub async fn turn_back_the_clock(&self) -> Result<DateTime<Utc>, LogError> {
        let skew = self.measure().await?;
        let was = self.clock.now();
        if skew.log < TimeDelta::zero() {
            self.clock.turn_back(skew.log);
            let note = Some(self.clock.now().to_rfc3339());
            set(&self.measured.turned_back, note.clone());
            self.log.keep_note(TURNED_BACK, note.as_deref()).await?;
            self.measure().await?;
        }
        Ok(was)
    }

    /// Begins where the log ends: no time that is given out is less than what was recorded last.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn begin_where_the_log_ends(&self) -> Result<(), LogError> {
        set(&self.measured.turned_back, self.log.note(TURNED_BACK).await?);
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
