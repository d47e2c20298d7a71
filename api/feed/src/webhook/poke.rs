//! Consumers that are told only that there is something to ask for. However much there is, one
//! message says so; a later one says all that an earlier one would have.

use super::deliver::Tried;
use super::letters::source;
use super::outcome::Outcome;
use super::postman::{DeliveryError, Postman};
use rollcall_domain::consumer::Stopped;
use rollcall_domain::log::Position;
use rollcall_projections::consumers::ConsumerRow;
use serde_json::json;
use uuid::Uuid;

impl Postman {
    /// Says that there are events up to a position.
    pub(super) async fn poke(
        &self,
        row: &ConsumerRow,
        lease: u64,
        last: Position,
        to: Position,
        head: Position,
    ) -> Result<Tried, DeliveryError> {
        let now = self.now();
        // The same for the same message, if it comes again.
        let id = Uuid::new_v5(&row.id.0, format!("poke.{last}").as_bytes()).to_string();
        let body = json!({
            "specversion": "1.0",
            "id": id,
            "source": source(&self.app, row.organization)?,
            "type": "rollcall.poke",
            "time": rollcall_contract::time::text(now),
            "datacontenttype": "application/json",
            "sequence": last.to_string(),
            "epoch": self.app.engine.log.epoch().await?,
            "data": { "position": last, "head": head },
        });
        let answer = self.send(row, &id, body.to_string().into_bytes()).await?;
        match self.counted(row, answer) {
            Outcome::Taken => {
                let places = &self.app.places;
                let mine = places.delivered(row.organization, row.id, lease, (to, 0), now).await?;
                Ok(if mine { Tried::Delivered } else { Tried::Ended })
            }
            Outcome::Gone => {
                self.stop(row, Stopped::Gone).await?;
                Ok(Tried::Ended)
            }
            Outcome::Failed(_, asked) => self.failed(row, lease, asked, last).await,
        }
    }
}
