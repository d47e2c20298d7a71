//! A provisioning log written to a file as it arises.

use super::{ObjectSummary, Recorder, Run, Sent};
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The portal's JSON, written piece by piece: `{"value":[...], "runs":[...]}`. The portal knows no
/// `runs`; readers of its format pass over it.
#[derive(Debug)]
pub struct LogFile {
    out: Mutex<Out>,
}

#[derive(Debug)]
struct Out {
    file: BufWriter<File>,
    first: bool,
    runs: Vec<Run>,
    failed: Option<std::io::Error>,
}

impl LogFile {
    /// Begins a file; one that is there is replaced.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(path: &Path) -> Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(b"{\"@odata.context\":\"https://graph.microsoft.com/v1.0/$metadata#auditLogs/provisioning\",\"value\":[")?;
        Ok(Self { out: Mutex::new(Out { file, first: true, runs: Vec::new(), failed: None }) })
    }

    /// Ends the file.
    ///
    /// # Errors
    /// If anything could not be written since it was begun.
    pub fn finish(&self) -> Result<()> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let Out { file, runs, failed, .. } = &mut *out;
        if let Some(error) = failed.take() {
            return Err(error);
        }
        file.write_all(b"\n],\"runs\":")?;
        serde_json::to_writer(&mut *file, runs)?;
        file.write_all(b"}\n")?;
        file.flush()
    }
}

impl Out {
    fn entry(&mut self, entry: &impl Serialize) -> Result<()> {
        self.file.write_all(if std::mem::take(&mut self.first) { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut self.file, entry)?;
        Ok(())
    }
}

impl Recorder for LogFile {
    fn sent(&self, _: Sent) {}

    fn summary(&self, summary: ObjectSummary) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if out.failed.is_none() {
            out.failed = out.entry(&summary).err();
        }
    }

    fn run(&self, run: Run) {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).runs.push(run);
    }
}
