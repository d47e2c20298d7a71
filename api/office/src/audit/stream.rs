//! Answers of any length: rows are written while they are read, and never held together. An answer
//! that cannot be finished breaks off, which every HTTP client reports; it never ends early in
//! silence.

use super::cell::guarded;
use super::page_of_rows;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use rollcall_contract::format::Format;
use rollcall_door::Refusal;
use serde::Serialize;
use std::fmt::Display;
use tokio::sync::mpsc;

fn media_type(format: Format) -> &'static str {
    match format {
        Format::Json => "application/json",
        Format::Ndjson | Format::CloudEvents => "application/x-ndjson",
        Format::Csv => "text/csv; charset=utf-8",
        Format::Html => "text/html; charset=utf-8",
    }
}

/// Why rows end early.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Nobody reads any more.
    #[error("the reader went away")]
    Gone,
    /// Rows cannot be read or written.
    #[error("{0}")]
    Broken(String),
}

impl StreamError {
    /// Rows cannot be read or written.
    pub fn broken(error: impl Display) -> Self {
        StreamError::Broken(error.to_string())
    }
}

/// Something with a row in each format.
pub trait Row: Serialize {
    /// The columns of its CSV form.
    const HEAD: &'static [&'static str];
    /// Its CSV form.
    fn cells(&self) -> Vec<String>;
}

/// What stands at the head of a file that is handed in: what it is about, and where it comes from.
pub trait Head: Send + Sync {
    /// Names and values, for people.
    fn lines(&self) -> Vec<(&'static str, String)>;
}

/// A head as both: for people, and as JSON.
pub trait AnyHead: Head {
    /// Itself as JSON.
    fn json(&self) -> serde_json::Result<Vec<u8>>;
}

impl<H: Head + Serialize> AnyHead for H {
    fn json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }
}

/// Takes rows and sends them off.
pub struct Rows {
    sender: mpsc::Sender<Result<Bytes, std::io::Error>>,
    format: Format,
    buffer: Vec<u8>,
    rows: u64,
    headed: bool,
}

/// So many bytes go off together.
const CHUNK: usize = 32 * 1024;

impl Rows {
    /// Writes a row.
    pub async fn push<R: Row>(&mut self, row: &R) -> Result<(), StreamError> {
        match self.format {
            Format::Json => {
                self.buffer.extend_from_slice(if self.rows == 0 { b"[" } else { b",\n" });
                serde_json::to_writer(&mut self.buffer, row).map_err(StreamError::broken)?;
            }
            Format::Ndjson | Format::CloudEvents => {
                serde_json::to_writer(&mut self.buffer, row).map_err(StreamError::broken)?;
                self.buffer.push(b'\n');
            }
            Format::Csv => self.line(row.cells().iter().map(|cell| guarded(cell)))?,
            Format::Html => {
                self.buffer.extend_from_slice(page_of_rows::row(&row.cells()).as_bytes())
            }
        }
        self.rows += 1;
        if self.buffer.len() >= CHUNK { self.send().await } else { Ok(()) }
    }

    fn line(&mut self, cells: impl Iterator<Item = impl AsRef<[u8]>>) -> Result<(), StreamError> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(&mut self.buffer);
        writer
            .write_record(cells)
            .and_then(|()| writer.flush().map_err(Into::into))
            .map_err(StreamError::broken)
    }

    async fn send(&mut self) -> Result<(), StreamError> {
        let chunk = std::mem::take(&mut self.buffer).into();
        self.sender.send(Ok(chunk)).await.map_err(|_| StreamError::Gone)
    }

    /// Writes what stands before the rows.
    fn begin<R: Row>(&mut self, head: Option<&dyn AnyHead>) -> Result<(), StreamError> {
        let json = head.map(AnyHead::json).transpose().map_err(StreamError::broken)?;
        let lines = head.map(Head::lines).unwrap_or_default();
        match (self.format, json) {
            (Format::Json, Some(head)) => {
                self.buffer = [&b"{\"head\":"[..], &head, b",\"rows\":"].concat();
            }
            (Format::Ndjson, Some(head)) => {
                self.buffer = [&b"{\"head\":"[..], &head, b"}\n"].concat();
            }
            (Format::Csv, _) => {
                for (name, value) in &lines {
                    self.line([format!("# {name}"), guarded(value)].iter())?;
                }
                self.line(R::HEAD.iter())?;
            }
            (Format::Html, _) => {
                let about = lines.iter().find(|(name, _)| *name == "About");
                let title = about.map_or("Rollcall", |(_, about)| about.as_str());
                self.buffer = page_of_rows::before(title, &lines, R::HEAD).into_bytes();
            }
            (Format::Json | Format::Ndjson | Format::CloudEvents, _) => {}
        }
        Ok(())
    }

    async fn end(mut self) -> Result<(), StreamError> {
        match self.format {
            Format::Json => {
                self.buffer.extend_from_slice(if self.rows == 0 { b"[]" } else { b"]" });
                self.buffer.extend_from_slice(if self.headed { b"}\n" } else { b"\n" });
            }
            Format::Html => {
                self.buffer.extend_from_slice(page_of_rows::after(self.rows).as_bytes());
            }
            Format::Ndjson | Format::Csv | Format::CloudEvents => {}
        }
        self.send().await
    }
}

/// Refuses the format that is for events alone, where rows are none.
///
/// # Errors
/// 400
pub fn not_of_events(format: Format) -> Result<(), Refusal> {
    match format {
        Format::CloudEvents => {
            Err(Refusal::not_among("format", "cloudevents", ["json", "ndjson", "csv", "html"]))
        }
        Format::Json | Format::Ndjson | Format::Csv | Format::Html => Ok(()),
    }
}

/// Answers with what `produce` pushes.
pub fn answer<R: Row, F>(
    format: Format,
    produce: impl FnOnce(Rows) -> F + Send + 'static,
) -> Result<Response, Refusal>
where
    F: Future<Output = Result<Rows, StreamError>> + Send + 'static,
{
    if format == Format::Html {
        return Err(Refusal::not_among("format", "html", ["json", "ndjson", "csv"]));
    }
    answer_with::<R, F>(format, None, produce)
}

/// The same with a head.
pub fn answer_with<R: Row, F>(
    format: Format,
    head: Option<Box<dyn AnyHead>>,
    produce: impl FnOnce(Rows) -> F + Send + 'static,
) -> Result<Response, Refusal>
where
    F: Future<Output = Result<Rows, StreamError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(4);
    let headed = head.is_some();
    let mut rows = Rows { sender: sender.clone(), format, buffer: Vec::new(), rows: 0, headed };
    rows.begin::<R>(head.as_deref()).map_err(|e| Refusal::unavailable(&e))?;
    tokio::spawn(async move {
        let done = match produce(rows).await {
            Ok(rows) => rows.end().await,
            Err(error) => Err(error),
        };
        if let Err(StreamError::Broken(error)) = done {
            tracing::error!(error, "an answer broke off");
            let _ = sender.send(Err(std::io::Error::other(error))).await;
        }
    });
    let stream = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    });
    let mut response = Response::new(Body::from_stream(stream));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(format)));
    Ok(response)
}
