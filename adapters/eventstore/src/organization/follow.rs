//! Folding an organization's stream up to its end.

use crate::core::Core;
use crate::entry::{Entry, What};
use crate::index::facts;
use crate::index::fold;
use crate::index::folded::Folded;
use crate::read::PAGE;
use eventstore::RecordedEvent;
use rollcall_domain::ids::OrganizationId;
use rollcall_domain::log::LogError;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl Core {
    /// Folds an organization's stream up to its end as it is now, and says where that is. Those who
    /// wait for the same share a round that began after they came.
    ///
    /// # Errors
    /// [`LogError::Damaged`] if the stream is not what was folded before, or holds what it must
    /// not.
    pub async fn follow(&self, organization: OrganizationId) -> Result<Folded, LogError> {
        let follower = self.followers.of(organization);
        let before = follower.begun.load(Ordering::Acquire);
        let mut at = follower.at.lock().await;
        if let Some((round, how)) = &at.ended
            && *round > before
        {
            return how.clone();
        }
        let round = follower.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let how = self.round(organization, &mut at.folded).await;
        if matches!(how, Err(LogError::Damaged(_))) {
            // Nothing is appended before it was looked at again, its metadata included.
            at.folded = None;
        }
        at.ended = Some((round, how.clone()));
        how
    }

    /// Follows unless that was done before in this process. True if it followed now.
    pub async fn meet(&self, organization: OrganizationId) -> Result<bool, LogError> {
        if self.followers.of(organization).at.lock().await.folded.is_some() {
            return Ok(false);
        }
        self.follow(organization).await.map(|_| true)
    }

    /// Folds entries that this process appended behind `from`.
    pub async fn advance(
        &self,
        organization: OrganizationId,
        from: Folded,
        entries: &[Entry],
    ) -> Result<(), LogError> {
        let follower = self.followers.of(organization);
        let mut at = follower.at.lock().await;
        // Somebody else may have read them already.
        if at.folded == Some(from) {
            self.fold(organization, &mut at.folded, from, entries.to_vec()).await?;
        }
        Ok(())
    }

    async fn round(
        &self,
        organization: OrganizationId,
        at: &mut Option<Folded>,
    ) -> Result<Folded, LogError> {
        let stream = self.names.main(organization);
        let mut folded = match at {
            Some(folded) => *folded,
            None => {
                self.check(&stream).await?;
                self.index.run(move |db| facts::folded(db, organization)).await?
            }
        };
        loop {
            let page = self
                .connection
                .page(&stream, folded.revision().unwrap_or(0), PAGE)
                .await?
                .unwrap_or_default();
            let is_last = (page.len() as u64) < PAGE;
            let behind = self.behind(&stream, folded, page).await?;
            let entries = self.read_entries(&stream, behind).await?;
            if !entries.is_empty() {
                folded = self.fold(organization, at, folded, entries).await?;
            }
            if is_last {
                *at = Some(folded);
                return Ok(folded);
            }
        }
    }

    /// What follows in a page that begins with the last event that is folded.
    async fn behind(
        &self,
        stream: &str,
        folded: Folded,
        page: Vec<RecordedEvent>,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        let Some((revision, id)) = folded.last else { return Ok(page) };
        let mut page = page.into_iter();
        let first = page.next();
        if first.as_ref().is_none_or(|event| event.revision != revision) {
            // If somebody hid them, that is the better thing to say.
            self.check(stream).await?;
        }
        match first {
            Some(event) if event.revision != revision => Err(LogError::Damaged(format!(
                "stream {stream}: events before revision {} are hidden",
                event.revision
            ))),
            Some(event) if event.id != id => Err(LogError::Damaged(format!(
                "stream {stream} has another event at revision {revision} than the one the index knows: this is another server, or another history of it"
            ))),
            Some(_) => Ok(page.collect()),
            None => {
                let end = self
                    .connection
                    .last(stream, Duration::from_secs(30))
                    .await?
                    .map_or(0, |event| event.revision + 1);
                let gone = revision + 1 - end.min(revision + 1);
                Err(LogError::Damaged(format!(
                    "stream {stream} has {end} events, {gone} fewer than were read from it: was the server restored from an older backup?"
                )))
            }
        }
    }

    /// Reads entries, and fetches what the fold needs of the side stream.
    async fn read_entries(
        &self,
        stream: &str,
        events: Vec<RecordedEvent>,
    ) -> Result<Vec<Entry>, LogError> {
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            let revision = event.revision;
            let mut entry = Entry::read(event).map_err(|why| {
                LogError::Damaged(format!("stream {stream}, revision {revision}: {why}"))
            })?;
            if let (What::Claims, Some(parts)) = (&entry.meta.what, &entry.meta.data_in) {
                let found = self
                    .connection
                    .get(&self.names.large(entry.meta.organization), &[parts])
                    .await?;
                entry.data = found.into_iter().next().unwrap_or_default().into();
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    async fn fold(
        &self,
        organization: OrganizationId,
        at: &mut Option<Folded>,
        from: Folded,
        entries: Vec<Entry>,
    ) -> Result<Folded, LogError> {
        let entries = Arc::new(entries);
        let folded = {
            let entries = entries.clone();
            self.index.run(move |db| fold::fold(db, organization, from, &entries)).await?
        };
        let folded = folded.map_err(|why| {
            LogError::Damaged(format!("stream {}, {why}", self.names.main(organization)))
        })?;
        *at = Some(folded);
        self.recent.keep(organization, &entries);
        Ok(folded)
    }
}
