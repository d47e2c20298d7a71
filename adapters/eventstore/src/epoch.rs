//! Which log this is: a stream of one event, whose id says it.

use crate::append::Proposed;
use crate::core::Core;
use eventstore::EventData;
use rollcall_domain::log::LogError;
use serde_json::json;
use uuid::Uuid;

impl Core {
    /// The log's epoch; the first who asks draws it.
    pub async fn epoch(&self) -> Result<Uuid, LogError> {
        let stream = self.names.epoch();
        if let Some(event) = self.connection.event(&stream, 0).await? {
            return Ok(event.id);
        }
        let id = self.ids.of_a_log();
        let data = EventData::json("Epoch", &json!({}));
        let data = data.map_err(|e| LogError::Unavailable(e.to_string()))?.id(id);
        // Whoever came first is read: this one or another.
        self.connection.append(&stream, None, &[Proposed { id, data }]).await?;
        let event = self.connection.event(&stream, 0).await?;
        event
            .map(|event| event.id)
            .ok_or_else(|| LogError::Damaged(format!("stream {stream} is empty")))
    }
}
