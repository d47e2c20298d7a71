//! A backup on its way in: kept in the data folder until it is checked from its first line to its
//! last.

use super::Line;
use super::opening::{Opening, refused};
use super::place::Placing;
use axum::body::Body;
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use rollcall_contract::backup::erasure_list::{ListHead, Listed};
use rollcall_contract::backup::{BackupLine, Digests, Reading, RestoredBody};
use rollcall_contract::time;
use rollcall_domain::ids::{OrganizationId, ResourceId};
use rollcall_door::Refusal;
use rollcall_engine::Erasure;
use std::collections::BTreeSet;
use std::path::Path;
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, BufWriter};
use uuid::Uuid;

/// A line longer than this is no line of ours: a body of 16 MiB in base64 fits.
const LINE_BYTES: usize = 64 * 1024 * 1024;

/// A backup that is whole. The file goes with this value.
pub(super) struct Spooled {
    file: NamedTempFile,
    /// SHA-256 over all of it.
    pub sha256: String,
    /// Who was erased since, if a list came along.
    pub erasures: Vec<Erasure>,
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
        let mut spooled = Self { file, sha256: String::new(), erasures: Vec::new() };
        let mut reading = Reading::default();
        let mut digest = Digests::default();
        let mut backup = Backup::default();
        let mut lines = spooled.lines().await?;
        while let Some(line) = next(&mut lines).await? {
            digest.between(&line);
            let read: Line = reading.line(&line).map_err(refused)?;
            backup.learn(&read);
            opening.check(read, reading.line_number()).await?;
        }
        reading.finish().map_err(refused)?;
        if let Some((head, people)) = reading.list().map_err(refused)? {
            backup.fits(&head)?;
            spooled.erasures = people.into_iter().map(erasure).collect();
        }
        spooled.sha256 = digest.whole();
        Ok(spooled)
    }

    /// Puts all of it down.
    pub async fn put_down(
        &self,
        mut placing: Placing,
    ) -> Result<(RestoredBody, Vec<Erasure>), Refusal> {
        let mut reading = Reading::default();
        let mut lines = self.lines().await?;
        while let Some(line) = next(&mut lines).await? {
            let read = reading.line(&line).map_err(refused)?;
            placing.take(read, reading.line_number()).await?;
        }
        let erased = placing.finish(&self.erasures).await?;
        Ok((reading.finish().map_err(refused)?, erased))
    }

    async fn lines(&self) -> std::io::Result<BufReader<File>> {
        Ok(BufReader::with_capacity(1 << 18, File::open(self.file.path()).await?))
    }
}

fn erasure(of: Listed) -> Erasure {
    Erasure {
        organization: OrganizationId(of.organization),
        user: of.user.map(ResourceId),
        because: of.because,
    }
}

/// What a list of erasures is held against.
#[derive(Default)]
struct Backup {
    created_at: Option<DateTime<Utc>>,
    organizations: BTreeSet<Uuid>,
}

impl Backup {
    fn learn(&mut self, line: &Line) {
        match line {
            BackupLine::Begin { created_at, .. } => self.created_at = Some(*created_at),
            BackupLine::Record { record } => {
                let of = record.stream.organization;
                if of != OrganizationId::NONE {
                    self.organizations.insert(of.0);
                }
            }
            _ => {}
        }
    }

    /// Whether a list can tell who of this backup was erased since.
    fn fits(&self, list: &ListHead) -> Result<(), Refusal> {
        if self.created_at.is_some_and(|made| list.created_at < made) {
            return Err(Refusal::bad_request(format!(
                "this list of erasures is of {}, before the backup was made: it names nobody who was erased since, and the backup has all who were before; give a later list, or none",
                time::text(list.created_at)
            )));
        }
        if !self.organizations.is_empty() && self.organizations.is_disjoint(&list.organizations) {
            return Err(Refusal::bad_request(
                "this list of erasures is of another deployment: it has none of the organizations of the backup",
            ));
        }
        Ok(())
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
