//! Claim keys: a stream of one event for each scope.

use crate::append::Proposed;
use crate::core::Core;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use eventstore::{EventData, RecordedEvent};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::LogError;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Serialize, Deserialize)]
struct Key {
    organization: OrganizationId,
    /// Base64 without padding.
    key: String,
}

fn read(stream: &str, event: &RecordedEvent) -> Result<[u8; 32], LogError> {
    let key: Option<Key> = serde_json::from_slice(&event.data).ok();
    let bytes =
        key.and_then(|key| BASE64.decode(key.key).ok()).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| {
        LogError::Damaged(format!("stream {stream}: {} is no claim key", event.event_type))
    })
}

impl Core {
    /// The key of a scope, if there is one.
    pub async fn key(&self, scope: OrganizationId) -> Result<Option<[u8; 32]>, LogError> {
        let stream = self.names.key(scope);
        self.connection.event(&stream, 0).await?.map(|event| read(&stream, &event)).transpose()
    }

    /// Keeps `fresh` unless the scope has a key; gives the one that is kept.
    pub async fn claim_key(
        &self,
        scope: OrganizationId,
        fresh: [u8; 32],
    ) -> Result<[u8; 32], LogError> {
        if let Some(key) = self.key(scope).await? {
            return Ok(key);
        }
        self.enlist(scope).await?;
        let stream = self.names.key(scope);
        let id = Uuid::new_v5(&scope.0, &fresh);
        let data =
            EventData::json("ClaimKey", &Key { organization: scope, key: BASE64.encode(fresh) });
        let data = data.map_err(|e| LogError::Unavailable(e.to_string()))?.id(id);
        // Whoever came first is read: this one or another.
        self.connection.append(&stream, None, &[Proposed { id, data }]).await?;
        self.key(scope).await?.ok_or_else(|| LogError::Damaged(format!("stream {stream} is empty")))
    }
}
