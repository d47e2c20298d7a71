//! Answers of any length: rows are written while they are read, and never held together. An answer
//! that cannot be finished breaks off, which every HTTP client reports; it never ends early in
//! silence.

use super::cell::guarded;
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

/// Takes rows and sends them off.
pub struct Rows {
    sender: mpsc::Sender<Result<Bytes, std::io::Error>>,
    format: Format,
    buffer: Vec<u8>,
    rows: u64,
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

    async fn end(mut self) -> Result<(), StreamError> {
        if self.format == Format::Json {
            self.buffer.extend_from_slice(if self.rows == 0 { b"[]\n" } else { b"]\n" });
        }
        self.send().await
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
    let (sender, receiver) = mpsc::channel(4);
    let mut rows = Rows { sender: sender.clone(), format, buffer: Vec::new(), rows: 0 };
    if format == Format::Csv {
        rows.line(R::HEAD.iter()).map_err(|e| Refusal::unavailable(&e))?;
    }
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
