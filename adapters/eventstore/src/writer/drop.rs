//! Dropping bodies of exchanges.

use crate::core::Core;
use crate::entry::{Entry, What};
use crate::index::query;
use eventstore::{AppendToStreamOptions, StreamMetadata};
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::{ExchangeNumber, LogError};
use std::time::Duration;

/// Time to set the metadata of a stream.
const LIMIT: Duration = Duration::from_secs(10);
/// How often it is tried.
const TRIES: u32 = 64;

impl Core {
    /// Says that bodies are dropped, and then lets the server forget them: a stream of bodies is
    /// truncated before the first that is still wanted. Gives how many had some.
    pub async fn drop_bodies(
        &self,
        organization: OrganizationId,
        after: ExchangeNumber,
        through: ExchangeNumber,
    ) -> Result<u64, LogError> {
        let mut lost = 0;
        let dropped = loop {
            let folded = self.follow(organization).await?;
            let through = through.min(folded.head.exchange_number);
            let count =
                self.index.run(move |db| query::bodies(db, organization, after, through)).await?;
            if count == 0 {
                break 0;
            }
            let mut entries =
                [Entry::new(organization, What::BodiesDropped { after, through }, "{}")];
            self.place(folded, &mut entries);
            if self.append(organization, folded, &entries).await? {
                break count;
            }
            lost += 1;
            if lost == TRIES {
                return Err(LogError::Unavailable(format!("{TRIES} races were lost")));
            }
            self.ids.wait_a_little().await;
        };
        self.follow(organization).await?;
        for (month, before) in
            self.index.run(move |db| query::truncations(db, organization, after, through)).await?
        {
            self.truncate(&self.names.bodies(organization, month), before).await?;
        }
        Ok(dropped)
    }

    async fn truncate(&self, stream: &str, before: u64) -> Result<(), LogError> {
        let metadata =
            &StreamMetadata { truncate_before: Some(before), ..StreamMetadata::default() };
        let options = &AppendToStreamOptions::default().requires_leader(true).deadline(LIMIT);
        let set = |client: eventstore::Client| async move {
            client.set_stream_metadata(stream, options, metadata).await
        };
        self.connection.call(LIMIT, set).await.map(drop).map_err(|fault| fault.about(stream))
    }
}
