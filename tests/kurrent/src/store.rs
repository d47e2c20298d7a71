//! The events, in memory and in one file.
//!
//! An append is one frame: its length, then a message of the protocol's own. A frame that a crash
//! cut off is not there: it is cut away when the file is opened.

use crate::decide::{Expected, Stream, Verdict, decide};
use crate::proto::streams::BatchAppendReq;
use crate::proto::streams::batch_append_req::{Options, ProposedMessage};
use crate::proto::{self, StreamIdentifier};
use prost::Message as _;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// Events of one stream that a writer without a revision may repeat.
const RECENT: usize = 10_000;
/// The type of the event that says a stream is gone for ever.
pub(crate) const TOMBSTONE: &str = "$streamDeleted";

/// An event in its place.
pub(crate) struct Event {
    pub stream: Arc<str>,
    pub revision: u64,
    /// Commit and prepare position: rises strictly over all streams.
    pub position: u64,
    pub id: Uuid,
    pub message: ProposedMessage,
}

impl Event {
    pub fn event_type(&self) -> &str {
        self.message.metadata.get("type").map_or("", String::as_str)
    }

    /// 100-nanosecond ticks since 1970.
    pub fn created(&self) -> u64 {
        self.message.metadata.get("created").and_then(|c| c.parse().ok()).unwrap_or(0)
    }
}

/// All events.
pub(crate) struct Store {
    file: File,
    end: u64,
    pub all: Vec<Arc<Event>>,
    streams: HashMap<Arc<str>, Kept>,
    tombstoned: HashSet<String>,
}

#[derive(Default)]
struct Kept {
    ids: Vec<Uuid>,
    events: Vec<Arc<Event>>,
}

impl Store {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let mut file =
            File::options().create(true).truncate(false).read(true).write(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut store = Self {
            file,
            end: 0,
            all: Vec::new(),
            streams: HashMap::new(),
            tombstoned: HashSet::new(),
        };
        let mut rest = bytes.as_slice();
        while let Some((length, frame)) = rest.split_first_chunk::<4>()
            && let Some((frame, behind)) =
                frame.split_at_checked(u32::from_le_bytes(*length) as usize)
            && let Ok(request) = BatchAppendReq::decode(frame)
        {
            let name =
                request.options.and_then(|o| o.stream_identifier).unwrap_or_default().stream_name;
            store.keep(std::str::from_utf8(&name)?, request.proposed_messages);
            store.end += 4 + frame.len() as u64;
            rest = behind;
        }
        store.file.set_len(store.end)?;
        store.file.seek(SeekFrom::End(0))?;
        Ok(store)
    }

    /// The events of a stream; the first has revision 0.
    pub fn stream(&self, name: &str) -> &[Arc<Event>] {
        self.streams.get(name).map_or(&[], |kept| &kept.events)
    }

    /// Whether a stream is gone for ever.
    pub fn is_tombstoned(&self, name: &str) -> bool {
        self.tombstoned.contains(name)
    }

    /// What an append would mean.
    pub fn decide(
        &self,
        name: &str,
        deleted: bool,
        expected: Expected,
        messages: &[ProposedMessage],
    ) -> Verdict {
        let ids = self.streams.get(name).map_or(&[][..], |kept| &kept.ids);
        let stream = Stream { ids, recent: RECENT, deleted, tombstoned: self.is_tombstoned(name) };
        decide(&stream, expected, &messages.iter().map(id).collect::<Vec<_>>())
    }

    /// Writes events behind the last of their stream, flushes, and gives the last revision.
    pub fn write(
        &mut self,
        name: &str,
        messages: Vec<ProposedMessage>,
    ) -> std::io::Result<Option<u64>> {
        let identifier = StreamIdentifier { stream_name: name.as_bytes().to_vec() };
        let options = Options { stream_identifier: Some(identifier), ..Options::default() };
        let frame = BatchAppendReq {
            options: Some(options),
            proposed_messages: messages,
            ..BatchAppendReq::default()
        };
        let bytes = frame.encode_to_vec();
        let mut framed = (bytes.len() as u32).to_le_bytes().to_vec();
        framed.extend(bytes);
        self.file.write_all(&framed)?;
        self.file.sync_data()?;
        self.keep(name, frame.proposed_messages);
        self.end += framed.len() as u64;
        Ok(self.stream(name).last().map(|event| event.revision))
    }

    fn keep(&mut self, name: &str, messages: Vec<ProposedMessage>) {
        let stream: Arc<str> = name.into();
        let kept = self.streams.entry(stream.clone()).or_default();
        for (message, n) in messages.into_iter().zip(0..) {
            let (revision, position) = (kept.ids.len() as u64, self.end + n);
            let event = Arc::new(Event {
                stream: stream.clone(),
                revision,
                position,
                id: id(&message),
                message,
            });
            if event.event_type() == TOMBSTONE {
                self.tombstoned.insert(name.to_owned());
            }
            kept.ids.push(event.id);
            kept.events.push(event.clone());
            self.all.push(event);
        }
    }
}

fn id(message: &ProposedMessage) -> Uuid {
    use proto::uuid::Value;
    match message.id.as_ref().and_then(|id| id.value.as_ref()) {
        Some(Value::String(text)) => text.parse().unwrap_or_default(),
        Some(Value::Structured(s)) => {
            Uuid::from_u64_pair(s.most_significant_bits as u64, s.least_significant_bits as u64)
        }
        None => Uuid::nil(),
    }
}
