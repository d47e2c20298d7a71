//! A backup on its way in: kept in the data folder until it is checked from its first line to its
//! last.

use super::Line;
use super::opening::{Opening, refused};
use super::place::Placing;
use axum::body::Body;
use futures::StreamExt as _;
use rollcall_contract::backup::{Digests, Reading, RestoredBody};
use rollcall_door::Refusal;
use std::path::Path;
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, BufWriter};

/// A line longer than this is no line of ours: a body of 16 MiB in base64 fits.
const LINE_BYTES: usize = 64 * 1024 * 1024;

/// A backup that is whole. The file goes with this value.
pub(super) struct Spooled {
    file: NamedTempFile,
    /// SHA-256 over all of it.
    pub sha256: String,
}

impl Spooled {
    /// Takes a body in and checks it: that it is whole, and that what is sealed in it can be opened.
    pub async fn take(data: &Path, body: Body, mut opening: Opening) -> Result<Self, Refusal> {
        let file = tempfile::Builder::new().prefix("restore-").suffix(".part").tempfile_in(data)?;
        let mut into = BufWriter::new(File::create(file.path()).await?);
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Refusal::bad_request("the backup broke off"))?;
            into.write_all(&chunk).await?;
        }
        into.flush().await?;
        let mut spooled = Self { file, sha256: String::new() };
        let mut reading = Reading::default();
        let mut digest = Digests::default();
        let mut lines = spooled.lines().await?;
        while let Some(line) = next(&mut lines).await? {
            digest.between(&line);
            let read: Line = reading.line(&line).map_err(refused)?;
            opening.check(read, reading.line_number()).await?;
        }
        reading.finish().map_err(refused)?;
        spooled.sha256 = digest.whole();
        Ok(spooled)
    }

    /// Puts all of it down.
    pub async fn put_down(&self, mut placing: Placing) -> Result<RestoredBody, Refusal> {
        let mut reading = Reading::default();
        let mut lines = self.lines().await?;
        while let Some(line) = next(&mut lines).await? {
            let read = reading.line(&line).map_err(refused)?;
            placing.take(read, reading.line_number()).await?;
        }
        placing.finish().await?;
        reading.finish().map_err(refused)
    }

    async fn lines(&self) -> std::io::Result<BufReader<File>> {
        Ok(BufReader::with_capacity(1 << 18, File::open(self.file.path()).await?))
    }
}

/// The next line with its end.
async fn next(lines: &mut BufReader<File>) -> Result<Option<Vec<u8>>, Refusal> {
    let mut line = Vec::new();
    loop {
        let read = lines.fill_buf().await?;
        if read.is_empty() {
            return Ok((!line.is_empty()).then_some(line));
        }
        let end = read.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(read.len(), |end| end + 1);
        line.extend_from_slice(&read[..taken]);
        lines.consume(taken);
        if end.is_some() {
            return Ok(Some(line));
        }
        if line.len() > LINE_BYTES {
            return Err(Refusal::bad_request("this is not a backup: a line is too long"));
        }
    }
}
