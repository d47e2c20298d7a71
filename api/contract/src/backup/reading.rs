//! A backup line by line, with all that can be checked of it without a log.

use super::erasure_list::{ListHead, ListReading, Listed, NotAList};
use super::{
    BACKUP_FORMAT, BackupLine, Digests, OLDEST_FORMAT, RestoredBody, digest_of_keys, digest_of_text,
};
use serde::de::DeserializeOwned;

/// Why a file is not a backup that can be restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotABackup {
    /// A line is no line of a backup.
    #[error("line {line} cannot be read at column {column}")]
    Unreadable {
        /// Which one, from 1.
        line: u64,
        /// Where in it.
        column: usize,
    },
    /// The first line is missing.
    #[error("its first line is missing")]
    NoBegin,
    /// It was written by another version.
    #[error("its format is {0}; this version reads {OLDEST_FORMAT} to {BACKUP_FORMAT}")]
    Format(u32),
    /// A section is not as it was written.
    #[error("the section that ends in line {0} is not as it was written")]
    Section(u64),
    /// The whole is not as it was written.
    #[error("it is not as it was written")]
    Whole,
    /// The last line counts other than what came.
    #[error("its last line counts other than what came")]
    Counts,
    /// There is more after the last line.
    #[error("there is more after its last line")]
    More,
    /// It broke off.
    #[error("it broke off: its last line is missing")]
    BrokenOff,
    /// A digest that every backup of its format has is missing.
    #[error("a digest is missing in line {0}")]
    NoDigest(u64),
    /// A value in a line is damaged.
    #[error("{what} in line {line} is damaged")]
    Damaged {
        /// Which one, from 1.
        line: u64,
        /// What.
        what: &'static str,
    },
    /// The list of erasures that came along is none.
    #[error("the list of erasures that came along cannot be used: {0}")]
    List(#[from] NotAList),
    /// A line does not follow the one before.
    #[error("line {0} does not follow those before it")]
    Order(u64),
}

/// Reads a backup.
#[derive(Clone, Default)]
pub struct Reading {
    format: Option<u32>,
    line: u64,
    ended: bool,
    records: u64,
    exchanges: u64,
    digests: Digests,
    list: ListReading,
}

impl Reading {
    /// The number of the line that was read last, from 1.
    pub fn line_number(&self) -> u64 {
        self.line
    }

    /// Takes a line, with its end.
    ///
    /// # Errors
    /// If it is none, or not as it was written.
    pub fn line<R: DeserializeOwned, X: DeserializeOwned>(
        &mut self,
        bytes: &[u8],
    ) -> Result<BackupLine<R, X>, NotABackup> {
        self.line += 1;
        if self.ended {
            return Err(NotABackup::More);
        }
        let line: BackupLine<R, X> = serde_json::from_slice(bytes)
            .map_err(|e| NotABackup::Unreadable { line: self.line, column: e.column() })?;
        match &line {
            BackupLine::Begin { format, .. } => self.begin(*format)?,
            _ if self.format.is_none() => return Err(NotABackup::NoBegin),
            BackupLine::ClaimKey { .. } => {}
            BackupLine::OrganizationKey { organization, wrapped, sha256 } => {
                let is = digest_of_text(&format!("{organization} {wrapped}"));
                self.keys_are(*sha256 == is)?;
            }
            BackupLine::DataKeys { organization, keys, sha256 } => {
                let is = digest_of_text(&format!("{organization} {}", digest_of_keys(keys)));
                self.keys_are(*sha256 == is)?;
            }
            BackupLine::ErasureList { .. }
            | BackupLine::ErasedPerson { .. }
            | BackupLine::ErasedOrganization { .. }
            | BackupLine::ErasureListEnd { .. } => {
                if self.records + self.exchanges > 0 {
                    return Err(NotABackup::Order(self.line));
                }
                self.list.take(&line, bytes)?;
            }
            BackupLine::Record { .. } => self.records += 1,
            BackupLine::Exchange { .. } => self.exchanges += 1,
            BackupLine::Section { lines, sha256, .. } => {
                let sum = self.digests.section();
                if (sum.lines, &sum.sha256) != (*lines, sha256) {
                    return Err(NotABackup::Section(self.line));
                }
            }
            BackupLine::End { records, exchanges, sha256 } => {
                self.end(*records, *exchanges, sha256.as_deref())?;
            }
        }
        match &line {
            BackupLine::Begin { .. } | BackupLine::Section { .. } | BackupLine::End { .. } => {
                self.digests.between(bytes);
            }
            // In no digest: with or without them it is the same backup.
            BackupLine::OrganizationKey { .. }
            | BackupLine::DataKeys { .. }
            | BackupLine::ErasureList { .. }
            | BackupLine::ErasedPerson { .. }
            | BackupLine::ErasedOrganization { .. }
            | BackupLine::ErasureListEnd { .. } => {}
            BackupLine::ClaimKey { .. }
            | BackupLine::Record { .. }
            | BackupLine::Exchange { .. } => self.digests.line(bytes),
        }
        Ok(line)
    }

    fn keys_are(&self, whole: bool) -> Result<(), NotABackup> {
        if whole { Ok(()) } else { Err(NotABackup::Section(self.line)) }
    }

    fn begin(&mut self, format: u32) -> Result<(), NotABackup> {
        if self.format.is_some() {
            return Err(NotABackup::Order(self.line));
        }
        if !(OLDEST_FORMAT..=BACKUP_FORMAT).contains(&format) {
            return Err(NotABackup::Format(format));
        }
        self.format = Some(format);
        Ok(())
    }

    fn end(
        &mut self,
        records: u64,
        exchanges: u64,
        sha256: Option<&str>,
    ) -> Result<(), NotABackup> {
        if (records, exchanges) != (self.records, self.exchanges) {
            return Err(NotABackup::Counts);
        }
        match sha256 {
            Some(sha256) if sha256 == self.digests.whole() => {}
            Some(_) => return Err(NotABackup::Whole),
            None if self.format == Some(1) => {}
            None => return Err(NotABackup::NoDigest(self.line)),
        }
        // What stands behind the last section's end is in none.
        if self.format != Some(1) && self.digests.section().lines > 0 {
            return Err(NotABackup::NoDigest(self.line));
        }
        self.ended = true;
        Ok(())
    }

    /// What a backup that was read to its end holds.
    ///
    /// # Errors
    /// If its end did not come.
    pub fn finish(&self) -> Result<RestoredBody, NotABackup> {
        if !self.ended {
            return Err(NotABackup::BrokenOff);
        }
        let verified = self.format.is_some_and(|format| format > 1);
        let (records, exchanges) = (self.records, self.exchanges);
        Ok(RestoredBody { records, exchanges, verified, erased: 0, not_in_backup: 0 })
    }

    /// The list of erasures that came along, if one did.
    ///
    /// # Errors
    /// If its end did not come.
    pub fn list(&self) -> Result<Option<(ListHead, Vec<Listed>)>, NotABackup> {
        Ok(self.list.clone().finish()?)
    }
}
