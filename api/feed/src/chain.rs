//! Where the event before stands: the link that a page begins with.

use crate::crowd::{Crowd, Crowds};
use rollcall_domain::ids::{ConsumerId, OrganizationId};
use rollcall_domain::log::Position;
use rollcall_domain::outbound::{sources, tell};
use rollcall_door::{App, Refusal};
use rollcall_projections::consumers::ConsumerRow;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many consumers are remembered; then all are forgotten, which costs a look into an index each.
const REMEMBERED: usize = 10_000;

/// Up to which position, and where the last event up to there stands.
type Known = HashMap<(OrganizationId, ConsumerId), (Position, Position)>;

/// What was found before. The filter of a consumer never changes, nor does what stands in the log.
#[derive(Default)]
pub struct Chain {
    known: Mutex<Known>,
    /// Whom consumers follow that follow groups.
    pub crowds: Crowds,
}

impl Chain {
    /// The position of the last event for a consumer up to a position; 0 if there is none.
    ///
    /// # Errors
    /// If the index cannot be brought that far, or the log cannot be read.
    pub async fn before(
        &self,
        app: &App,
        consumer: &ConsumerRow,
        up_to: Position,
    ) -> Result<Position, Refusal> {
        if up_to == 0 {
            return Ok(0);
        }
        let known = self.known().get(&(consumer.organization, consumer.id)).copied();
        if let Some((known, last)) = known
            && known == up_to
        {
            return Ok(last);
        }
        let crowd = self.crowds.of(app, consumer, up_to).await?;
        let last = find(app, consumer, crowd.as_deref(), up_to).await?;
        self.remember(consumer, up_to, last);
        Ok(last)
    }

    /// Remembers what a page ended with.
    pub fn remember(&self, consumer: &ConsumerRow, up_to: Position, last: Position) {
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert((consumer.organization, consumer.id), (up_to, last));
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn find(
    app: &App,
    consumer: &ConsumerRow,
    crowd: Option<&Crowd>,
    up_to: Position,
) -> Result<Position, Refusal> {
    let organization = consumer.organization;
    let sources = sources(|public| consumer.types.wants(public));
    let index = app.audit.of(organization).await?.events;
    let mut until = up_to;
    loop {
        let last = match crowd {
            None => index.last_of(organization, &sources, until).await?,
            Some(crowd) => crowd.last_before(&index, &consumer.types, until).await?,
        };
        let Some(before) = last.checked_sub(1) else { return Ok(0) };
        // The index knows the name of a record, the record whether there is something to tell.
        let record = app.engine.log.records(organization, before, 1).await?.pop();
        let record = record.filter(|record| record.position == last).ok_or_else(|| {
            Refusal::unavailable(&format!("the log has no record at position {last}"))
        })?;
        let told = match crowd {
            None => tell(&record, &consumer.types, consumer.payload)?,
            Some(crowd) => {
                let told = crowd.tell(&record, &consumer.types, consumer.payload).await;
                told.map_err(|error| Refusal::unavailable(&error))?
            }
        };
        if told.is_some() {
            return Ok(last);
        }
        until = before;
    }
}
