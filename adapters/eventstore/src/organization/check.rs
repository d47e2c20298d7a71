//! Whether a stream is whole: what somebody may have set on it.

use crate::core::Core;
use rollcall_domain::log::LogError;
use serde_json::{Map, Value};
use std::time::Duration;

/// Settings of a stream that hide events.
const HIDING: [&str; 4] = ["$maxAge", "$maxCount", "$tb", "$acl"];
/// The `$tb` that deleting a stream leaves.
const DELETED: u64 = i64::MAX as u64;

impl Core {
    async fn metadata(&self, stream: &str) -> Result<Map<String, Value>, LogError> {
        let Some(event) =
            self.connection.last(&format!("$${stream}"), Duration::from_secs(30)).await?
        else {
            return Ok(Map::new());
        };
        serde_json::from_slice(&event.data).map_err(|e| {
            LogError::Damaged(format!("the metadata of stream {stream} cannot be read: {e}"))
        })
    }

    /// The revision before which a stream of bodies is truncated.
    pub async fn truncated_before(&self, stream: &str) -> Result<u64, LogError> {
        Ok(self.metadata(stream).await?.get("$tb").and_then(Value::as_u64).unwrap_or(0))
    }

    /// That nothing hides events of a stream that must be whole.
    ///
    /// # Errors
    /// [`LogError::Damaged`] names the setting.
    pub async fn check(&self, stream: &str) -> Result<(), LogError> {
        let set = self.metadata(stream).await?;
        if set.get("$tb").and_then(Value::as_u64) == Some(DELETED) {
            return Err(LogError::Damaged(format!("stream {stream} was deleted")));
        }
        match HIDING.into_iter().find(|name| set.get(*name).is_some_and(|value| !value.is_null())) {
            None => Ok(()),
            Some(name) => Err(LogError::Damaged(format!(
                "stream {stream} has {name} set, which hides events: remove it"
            ))),
        }
    }
}
