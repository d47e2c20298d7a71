//! Checkpoints from elsewhere: what somebody was given with an answer, and kept.

use super::Elsewhere;
use anyhow::{Context as _, ensure};
use rollcall_cli::{Failure, usage};
use rollcall_contract::ledger::SignedCheckpoint;
use rollcall_evidence::{Statement, carried, read_note};
use rollcall_replay::bundle;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

/// What bundles begin with (RFC 1952 section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The checkpoints of each file that was named.
#[derive(Clone, Debug, Default)]
pub struct Given(Vec<Vec<Statement>>);

impl Elsewhere {
    /// Reads them. Who has signed them is the business of whoever names them.
    pub fn read(&self) -> Result<Given, Failure> {
        let read = self.checkpoints.iter().map(|path| statements(path));
        Ok(Given(read.collect::<anyhow::Result<_>>().map_err(usage)?))
    }
}

impl Given {
    /// Those of one ledger. A file of other ledgers says nothing of this one.
    ///
    /// # Errors
    /// If a file has none of it.
    pub fn of(&self, origin: &str) -> anyhow::Result<Vec<Statement>> {
        let mut all = Vec::new();
        for file in &self.0 {
            let before = all.len();
            all.extend(file.iter().filter(|said| said.origin == origin).cloned());
            ensure!(all.len() > before, "one of the checkpoints is of another ledger");
        }
        Ok(all)
    }

    /// Whether each file has one of these ledgers.
    ///
    /// # Errors
    /// If one has not.
    pub fn are_of(&self, origins: &BTreeSet<&str>) -> anyhow::Result<()> {
        let knows =
            |file: &Vec<Statement>| file.iter().any(|s| origins.contains(s.origin.as_str()));
        ensure!(self.0.iter().all(knows), "one of the checkpoints is of another ledger");
        Ok(())
    }

    /// Those of one ledger, if there are any.
    pub fn any_of(&self, origin: &str) -> Vec<Statement> {
        self.0.iter().flatten().filter(|said| said.origin == origin).cloned().collect()
    }
}

fn statements(path: &Path) -> anyhow::Result<Vec<Statement>> {
    let about = || format!("--checkpoint {}", path.display());
    let mut file = BufReader::new(File::open(path).with_context(about)?);
    let found = if file.fill_buf().with_context(about)?.starts_with(&GZIP) {
        let begin = bundle::check(path).with_context(about)?.begin;
        let read = |ledger: SignedCheckpoint| read_note(&ledger.checkpoint);
        begin.ledger.map(read).transpose().with_context(about)?.into_iter().collect()
    } else {
        carried::statements(file).with_context(about)?
    };
    ensure!(!found.is_empty(), "--checkpoint {}: there is no checkpoint in it", path.display());
    Ok(found)
}
