//! Which organizations there are: a stream that names each of them before its first append.

use crate::append::Proposed;
use crate::core::Core;
use crate::read::PAGE;
use eventstore::EventData;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::LogError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

#[derive(Serialize, Deserialize)]
struct Listed {
    organization: OrganizationId,
}

impl Core {
    /// All organizations that are listed.
    pub async fn organizations(&self) -> Result<BTreeSet<OrganizationId>, LogError> {
        let stream = self.names.organizations();
        let mut read = self.list.0.lock().await;
        loop {
            let page = self.connection.page(&stream, read.next, PAGE).await?;
            let page = match page {
                Some(page) => page,
                None if read.next > 0 => {
                    return Err(LogError::Damaged(format!("stream {stream} is missing")));
                }
                None => Vec::new(),
            };
            let is_last = (page.len() as u64) < PAGE;
            for event in page {
                let listed: Result<Listed, _> = serde_json::from_slice(&event.custom_metadata);
                let damaged = |why| {
                    LogError::Damaged(format!(
                        "stream {stream}, revision {}: {why}",
                        event.revision
                    ))
                };
                let listed = listed.map_err(|e| {
                    damaged(format!("{} is none of Rollcall's: {e}", event.event_type))
                })?;
                if event.revision != read.next {
                    return Err(damaged(format!("revision {} was expected", read.next)));
                }
                read.organizations.insert(listed.organization);
                read.next += 1;
            }
            if is_last {
                return Ok(read.organizations.clone());
            }
        }
    }

    /// Lists an organization, unless it is.
    pub async fn enlist(&self, organization: OrganizationId) -> Result<(), LogError> {
        if self.list.0.lock().await.organizations.contains(&organization)
            || self.organizations().await?.contains(&organization)
        {
            return Ok(());
        }
        let id = Uuid::new_v5(&organization.0, b"listed");
        let data =
            EventData::json("OrganizationListed", &Listed { organization }).map(|data| data.id(id));
        let data = data.and_then(|data| data.metadata_as_json(&Listed { organization }));
        let data = data.map_err(|e| LogError::Unavailable(e.to_string()))?;
        // Twice is no harm.
        self.connection
            .append_anywhere(&self.names.organizations(), &[Proposed { id, data }])
            .await?;
        self.list.0.lock().await.organizations.insert(organization);
        Ok(())
    }
}
