//! A file that takes its name only once it is whole.

use super::output::Working;
use anyhow::Context;
use futures::StreamExt;
use indicatif::HumanBytes;
use reqwest::Response;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file in the making, for its owner's eyes only.
pub struct Part {
    path: PathBuf,
    name: PathBuf,
}

impl Part {
    /// Begins a file beside the one that is to be, and gives it to whoever fills it. What is in it
    /// is on the disk once it is flushed and [`Self::finish`] was called.
    pub fn begin(name: &Path) -> anyhow::Result<(Self, BufWriter<File>)> {
        let mut path = name.to_owned().into_os_string();
        path.push(".part");
        let path = PathBuf::from(path);
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok((Self { path, name: name.to_owned() }, BufWriter::new(file)))
    }

    /// Writes an answer to a file beside the one that is to be.
    pub async fn download(name: &Path, answer: Response) -> anyhow::Result<Self> {
        let (part, mut file) = Self::begin(name)?;
        let cannot = || format!("cannot write {}", part.path.display());
        let (working, mut so_far) = (Working::begin("waiting for the server"), 0);
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.context("the answer broke off")?;
            file.write_all(&chunk).with_context(cannot)?;
            so_far += chunk.len() as u64;
            working.at(|| HumanBytes(so_far).to_string());
        }
        let file = file.into_inner().map_err(|e| e.into_error()).with_context(cannot)?;
        file.sync_all().with_context(cannot)?;
        Ok(part)
    }

    /// Where it is for the time being.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it again: nothing gets the name.
    pub fn remove(self) -> anyhow::Result<()> {
        std::fs::remove_file(&self.path)
            .with_context(|| format!("cannot remove {}", self.path.display()))
    }

    /// Gives it its name.
    pub fn finish(self) -> anyhow::Result<()> {
        std::fs::rename(&self.path, &self.name)
            .with_context(|| format!("cannot write {}", self.name.display()))
    }
}

/// The name of a file that is there already.
#[derive(Debug, thiserror::Error)]
#[error("{0} exists already: name another file")]
pub struct Taken(String);

/// Refuses the name of a file that is there.
pub fn check_free(name: &Path) -> anyhow::Result<()> {
    if name.exists() {
        return Err(Taken(name.display().to_string()).into());
    }
    Ok(())
}
