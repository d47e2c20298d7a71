//! One entry, whatever the format: from texts to what is kept.

use chrono::{DateTime, NaiveDateTime, Utc};
use rollcall_domain::provisioning_log::{
    ImportedAction, ImportedChange, ImportedStatus, Initiator,
};

const ID_BYTES: usize = 100;

/// The texts of one entry; empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Texts<'a> {
    pub cycle: &'a str,
    pub change: &'a str,
    pub at: &'a str,
    pub took_ms: &'a str,
    pub action: &'a str,
    pub status: &'a str,
    pub error: &'a str,
    pub target: &'a str,
    pub initiator: &'a str,
}

impl Texts<'_> {
    /// What is kept of it. The error names the field and never repeats a value.
    pub fn read(&self) -> Result<(String, ImportedChange), String> {
        let took_ms = if self.took_ms.trim().is_empty() {
            0
        } else {
            self.took_ms
                .trim()
                .parse()
                .map_err(|_| "durationInMilliseconds is no number".to_owned())?
        };
        let change = ImportedChange {
            at: time(self.at)?,
            change: id("changeId", self.change)?.ok_or("changeId is missing")?,
            took_ms,
            action: ImportedAction::parse(self.action.trim()),
            status: ImportedStatus::parse(self.status.trim())
                .ok_or("the status is none of success, failure, skipped and warning")?,
            error: id("errorCode", self.error)?,
            // Entra writes an empty id, or none, where nothing was created here.
            target: id("targetIdentity.id", self.target)?.map(|id| id.to_ascii_lowercase()),
            initiator: Initiator::parse(self.initiator.trim()),
        };
        Ok((id("cycleId", self.cycle)?.ok_or("cycleId is missing")?, change))
    }
}

fn id(name: &str, text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    if text.len() > ID_BYTES || text.chars().any(char::is_control) {
        return Err(format!("{name} is longer than {ID_BYTES} bytes or has control characters"));
    }
    Ok(Some(text.to_owned()).filter(|t| !t.is_empty()))
}

/// RFC 3339 as Graph has it, or without an offset as the portal's CSV may have it; that is UTC.
fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let text = text.trim();
    let plain =
        |format: &str| NaiveDateTime::parse_from_str(text, format).ok().map(|t| t.and_utc());
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|t| t.with_timezone(&Utc))
        .or_else(|| plain("%Y-%m-%dT%H:%M:%S%.f"))
        .or_else(|| plain("%Y-%m-%d %H:%M:%S%.f"))
        .or_else(|| plain("%m/%d/%Y %I:%M:%S %p"))
        .filter(|t| (2000..3000).contains(&chrono::Datelike::year(t)))
        .ok_or_else(|| "activityDateTime is no time such as 2026-11-24T10:00:00Z".to_owned())
}
