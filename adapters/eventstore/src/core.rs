//! What the parts of the adapter share.

use crate::append::{Outcome, Proposed};
use crate::connection::Connection;
use crate::entry::{Batch, Entry, What};
use crate::index::Index;
use crate::index::folded::Folded;
use crate::known::{Followers, List};
use crate::names::Names;
use crate::parts::Piece;
use crate::recent::Recent;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::LogError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// The connection, the index, and what is known of the organizations.
pub(crate) struct Core {
    pub connection: Connection,
    pub index: Index,
    pub names: Names,
    pub followers: Followers,
    pub list: List,
    pub recent: Recent,
    pub ids: Ids,
}

/// Ids of events: of this process, of this append, and of the place in it.
///
/// Not of the place in the stream alone, nor of what the events say: two writers who want to put
/// the same behind the same revision would have the same ids, and the server would tell the one
/// that came too late that its append is done.
pub(crate) struct Ids {
    writer: Uuid,
    appends: AtomicU64,
    random: Mutex<fastrand::Rng>,
}

impl Ids {
    pub fn new(writer: Uuid) -> Self {
        let random = Mutex::new(fastrand::Rng::with_seed(writer.as_u64_pair().0));
        Self { writer, appends: AtomicU64::new(0), random }
    }

    /// Names a log: whoever makes it has drawn its own id at random.
    pub fn of_a_log(&self) -> Uuid {
        Uuid::new_v5(&self.writer, b"epoch")
    }

    /// Waits a little, not as long as others do: for those who lost several races in a row.
    pub async fn wait_a_little(&self) {
        let micros = self.random.lock().unwrap_or_else(PoisonError::into_inner).u64(1_000..10_000);
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }
}

/// Bytes that entries take in an append, about.
pub(crate) fn size(entries: &[Entry]) -> usize {
    entries.iter().map(Entry::size).sum()
}

impl Core {
    /// Gives entries their place behind what is folded, and their ids.
    pub fn place(&self, behind: Folded, entries: &mut [Entry]) {
        let append = self.ids.appends.fetch_add(1, Ordering::Relaxed);
        let batch = Batch { first: behind.next(), count: entries.len() as u32 };
        for (n, entry) in (0_u64..).zip(entries) {
            entry.id =
                Uuid::new_v5(&self.ids.writer, &[append.to_be_bytes(), n.to_be_bytes()].concat());
            entry.revision = batch.first + n;
            entry.meta.batch = batch;
        }
    }

    /// Puts data that is longer than `threshold` into the side stream.
    pub async fn lighten(
        &self,
        organization: OrganizationId,
        entries: &mut [Entry],
        threshold: usize,
    ) -> Result<(), LogError> {
        let is_heavy = |entry: &&mut Entry| {
            entry.data.len() > threshold
                && entry.meta.data_in.is_none()
                && matches!(
                    entry.meta.what,
                    What::Record { .. } | What::Exchange { .. } | What::Claims
                )
        };
        let mut heavy: Vec<&mut Entry> = entries.iter_mut().filter(is_heavy).collect();
        if heavy.is_empty() {
            return Ok(());
        }
        let pieces: Vec<Piece> = heavy
            .iter()
            .map(|entry| Piece { of: organization.0, bytes: entry.data.clone() })
            .collect();
        let places = self.connection.put(&self.names.large(organization), "Large", &pieces).await?;
        for (entry, place) in heavy.iter_mut().zip(places) {
            entry.meta.data_in = Some(place);
        }
        Ok(())
    }

    /// Appends entries that are [placed](Self::place) behind `folded`, and folds them. False if
    /// something else stands there.
    pub async fn append(
        &self,
        organization: OrganizationId,
        folded: Folded,
        entries: &[Entry],
    ) -> Result<bool, LogError> {
        let proposed: Result<Vec<Proposed>, _> = entries.iter().map(Entry::propose).collect();
        let proposed = proposed.map_err(|e| LogError::Unavailable(e.to_string()))?;
        match self
            .connection
            .append(&self.names.main(organization), folded.revision(), &proposed)
            .await?
        {
            Outcome::Lost => Ok(false),
            Outcome::Done(_) => {
                if let Err(error) = self.advance(organization, folded, entries).await {
                    // It is in the stream all the same; whoever asks next folds it.
                    tracing::warn!(%organization, %error, "an append is not folded yet");
                }
                Ok(true)
            }
        }
    }
}
