//! A stand-in of its own for each test, and the makers' client.

use anyhow::Context as _;
use eventstore::{
    AppendToStreamOptions, BatchAppendOptions, Client, EventData, ExpectedRevision,
    ReadStreamOptions, StreamPosition,
};
use rollcall_kurrent_standin::{Faults, Settings, serve};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use uuid::Uuid;

pub struct Standin {
    pub client: Client,
    pub faults: Faults,
    folder: TempDir,
    server: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Drop for Standin {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub async fn standin() -> anyhow::Result<Standin> {
    start(tempfile::tempdir()?).await
}

async fn start(folder: TempDir) -> anyhow::Result<Standin> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let faults = Faults::default();
    let server =
        tokio::spawn(serve(listener, Settings::new(folder.path().join("events")), faults.clone()));
    let client = Client::new(format!("esdb://{address}?tls=false").parse()?)?;
    Ok(Standin { client, faults, folder, server })
}

/// An append in one of the protocol's two ways.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    Plain,
    Batch,
}

pub const WAYS: [Way; 2] = [Way::Plain, Way::Batch];

pub fn event(id: u8) -> EventData {
    EventData::binary("letter", vec![id].into()).id(Uuid::from_u128(id.into()))
}

impl Standin {
    /// Closes the server and opens its file again.
    pub async fn again(mut self) -> anyhow::Result<Standin> {
        self.server.abort();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir()?);
        start(folder).await
    }

    pub fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("events")
    }

    /// Appends events whose ids are the letters; gives the last revision, or none if it was
    /// refused.
    pub async fn append(
        &self,
        way: Way,
        stream: &str,
        expected: ExpectedRevision,
        letters: &str,
    ) -> anyhow::Result<Option<u64>> {
        let events: Vec<EventData> = letters.bytes().map(event).collect();
        match way {
            Way::Plain => {
                let options = AppendToStreamOptions::default().expected_revision(expected);
                match self.client.append_to_stream(stream, &options, events).await {
                    Ok(result) => Ok(Some(result.next_expected_version)),
                    Err(eventstore::Error::WrongExpectedVersion { .. }) => Ok(None),
                    Err(e) => Err(e.into()),
                }
            }
            Way::Batch => {
                let batch = self.client.batch_append(&BatchAppendOptions::default()).await?;
                match batch.append_to_stream(stream, expected, events).await {
                    Ok(result) => Ok(Some(result.current_revision().context("a revision")?)),
                    Err(eventstore::Error::Grpc { .. } | eventstore::Error::ServerError(_)) => {
                        Ok(None)
                    }
                    Err(e) => Err(e.into()),
                }
            }
        }
    }

    /// The letters of a stream with their revisions; none if there is no such stream.
    pub async fn letters(&self, stream: &str) -> anyhow::Result<Option<(String, Vec<u64>)>> {
        let options = ReadStreamOptions::default().position(StreamPosition::Start);
        let mut read = self.client.read_stream(stream, &options).await?;
        let (mut letters, mut revisions) = (String::new(), Vec::new());
        loop {
            match read.next().await {
                Ok(Some(event)) => {
                    let event = event.get_original_event();
                    letters.extend(event.data.iter().map(|b| char::from(*b)));
                    revisions.push(event.revision);
                }
                Ok(None) => return Ok(Some((letters, revisions))),
                Err(eventstore::Error::ResourceNotFound) => return Ok(None),
                Err(e) => return Err(e.into()),
            }
        }
    }
}

/// Fails a test that waits for what should have come.
pub async fn soon<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    Ok(tokio::time::timeout(Duration::from_secs(20), future).await?)
}
