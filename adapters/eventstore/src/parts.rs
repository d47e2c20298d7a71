//! What lies in other streams, cut into pieces that every server takes.

use crate::append::{APPEND_BYTES, Proposed};
use crate::connection::Connection;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use bytes::Bytes;
use eventstore::EventData;
use rollcall_domain::log::LogError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use uuid::Uuid;

/// Bytes in one event of a side stream.
const PIECE: usize = 400_000;
/// What an event of a side stream takes besides its data, about.
const OVERHEAD: usize = 200;

/// Where something lies in a side stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parts {
    /// First revision and count of events that follow each other, in the order of the bytes.
    pub ranges: Vec<(u64, u32)>,
    /// Base64 without padding, of all bytes.
    sha256: String,
}

impl Parts {
    fn revisions(&self) -> impl Iterator<Item = u64> {
        self.ranges.iter().flat_map(|(first, count)| *first..first + u64::from(*count))
    }

    fn take(&mut self, revision: u64) {
        match self.ranges.last_mut() {
            Some((first, count)) if *first + u64::from(*count) == revision => *count += 1,
            _ => self.ranges.push((revision, 1)),
        }
    }

    /// The lowest and the highest revision.
    pub fn span(&self) -> Option<(u64, u64)> {
        Some((self.revisions().min()?, self.revisions().max()?))
    }
}

/// Something on its way into a side stream.
pub(crate) struct Piece {
    /// What it belongs to; with its bytes it makes the ids of its events.
    pub of: Uuid,
    pub bytes: Bytes,
}

impl Connection {
    /// Writes pieces at the end of a side stream, and says where each lies. The stream is nobody's
    /// truth: what nothing refers to is not there.
    pub async fn put(
        &self,
        stream: &str,
        event_type: &str,
        pieces: &[Piece],
    ) -> Result<Vec<Parts>, LogError> {
        let mut places = Vec::with_capacity(pieces.len());
        let mut batch: Vec<(usize, Proposed)> = Vec::new();
        let mut size = 0;
        for (n, piece) in pieces.iter().enumerate() {
            let sha256 = Sha256::digest(&piece.bytes);
            places.push(Parts { ranges: Vec::new(), sha256: BASE64.encode(sha256) });
            for (part, bytes) in piece.bytes.chunks(PIECE).enumerate() {
                if size + bytes.len() + OVERHEAD > APPEND_BYTES {
                    self.put_batch(stream, std::mem::take(&mut batch), &mut places).await?;
                    size = 0;
                }
                size += bytes.len() + OVERHEAD;
                // With the bytes in it: another body of the same exchange must not be taken for a
                // repetition.
                let id =
                    Uuid::new_v5(&piece.of, &[sha256.as_slice(), &part.to_be_bytes()].concat());
                let data = EventData::binary(event_type, piece.bytes.slice_ref(bytes)).id(id);
                let meta = serde_json::json!({ "of": piece.of, "part": part });
                let data = data
                    .metadata_as_json(&meta)
                    .map_err(|e| LogError::Unavailable(e.to_string()))?;
                batch.push((n, Proposed { id, data }));
            }
        }
        self.put_batch(stream, batch, &mut places).await?;
        Ok(places)
    }

    async fn put_batch(
        &self,
        stream: &str,
        batch: Vec<(usize, Proposed)>,
        places: &mut [Parts],
    ) -> Result<(), LogError> {
        if batch.is_empty() {
            return Ok(());
        }
        let (owners, events): (Vec<usize>, Vec<Proposed>) = batch.into_iter().unzip();
        let last = self.append_anywhere(stream, &events).await?;
        let first = (last + 1).checked_sub(events.len() as u64);
        let first = first.ok_or_else(|| {
            LogError::Damaged(format!("stream {stream}: {} events end at {last}", events.len()))
        })?;
        for (owner, revision) in owners.into_iter().zip(first..) {
            places[owner].take(revision);
        }
        Ok(())
    }

    /// Reads what [`Self::put`] wrote, in the order of the places.
    pub async fn get(&self, stream: &str, places: &[&Parts]) -> Result<Vec<Vec<u8>>, LogError> {
        let mut revisions: Vec<u64> = places.iter().flat_map(|parts| parts.revisions()).collect();
        revisions.sort_unstable();
        revisions.dedup();
        let events = self.at(stream, &revisions).await?;
        let found: HashMap<u64, Bytes> =
            events.into_iter().map(|event| (event.revision, event.data)).collect();
        let whole = |parts: &&Parts| {
            let bytes = parts
                .revisions()
                .filter_map(|revision| found.get(&revision))
                .flatten()
                .copied()
                .collect::<Vec<u8>>();
            let is_right = BASE64.encode(Sha256::digest(&bytes)) == parts.sha256;
            is_right.then_some(bytes).ok_or_else(|| {
                LogError::Damaged(format!("stream {stream}: other bytes than were written"))
            })
        };
        places.iter().map(whole).collect()
    }
}
