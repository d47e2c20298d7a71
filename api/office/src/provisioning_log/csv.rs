//! The portal's CSV: one line for each entry, columns found by their names.

use super::ParseError;
use super::entry::Texts;
use csv::{ReaderBuilder, StringRecord};
use rollcall_domain::provisioning_log::{CHANGES_AT_ONCE, ImportedChange};

/// Where each text stands; the last part of a dotted name is enough where it is unmistakable.
struct Columns {
    cycle: usize,
    change: usize,
    at: usize,
    status: usize,
    action: Option<usize>,
    took_ms: Option<usize>,
    error: Option<usize>,
    target: Option<usize>,
    initiator: Option<usize>,
}

pub(super) fn parse(text: &str) -> Result<Vec<(String, ImportedChange)>, ParseError> {
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let columns = columns(
        reader
            .headers()
            .map_err(|_| ParseError::NotALog("its first line cannot be read".to_owned()))?,
    )?;
    let mut entries = Vec::new();
    for (i, line) in reader.records().enumerate() {
        if i == CHANGES_AT_ONCE {
            return Err(ParseError::TooMany);
        }
        let refused = |why: String| ParseError::Entry { number: i + 1, why };
        let line = line.map_err(|_| refused("the line cannot be read as CSV".to_owned()))?;
        let required = |column: usize| line.get(column).unwrap_or_default();
        let optional = |column: Option<usize>| column.map_or("", required);
        let texts = Texts {
            cycle: required(columns.cycle),
            change: required(columns.change),
            at: required(columns.at),
            status: required(columns.status),
            action: optional(columns.action),
            took_ms: optional(columns.took_ms),
            error: optional(columns.error),
            target: optional(columns.target),
            initiator: optional(columns.initiator),
        };
        entries.push(texts.read().map_err(refused)?);
    }
    Ok(entries)
}

fn columns(head: &StringRecord) -> Result<Columns, ParseError> {
    let plain = |name: &str| {
        name.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect::<String>()
    };
    let names: Vec<String> = head.iter().map(plain).collect();
    let find =
        |wanted: &[&str]| wanted.iter().find_map(|w| names.iter().position(|name| name == w));
    let missing =
        |name: &str| ParseError::NotALog(format!("the first line names no column {name}"));
    Ok(Columns {
        cycle: find(&["cycleid"]).ok_or_else(|| missing("cycleId"))?,
        change: find(&["changeid"]).ok_or_else(|| missing("changeId"))?,
        at: find(&["activitydatetime", "date", "dateutc", "activitydatetimeutc"])
            .ok_or_else(|| missing("activityDateTime"))?,
        status: find(&["provisioningstatusinfostatus", "statusinfostatus", "status"])
            .ok_or_else(|| missing("status"))?,
        action: find(&["provisioningaction", "action"]),
        took_ms: find(&["durationinmilliseconds", "duration"]),
        error: find(&[
            "provisioningstatusinfoerrorinformationerrorcode",
            "statusinfoerrorinformationerrorcode",
            "statusinfoerrorinfoerrorcode",
            "errorcode",
        ]),
        target: find(&["targetidentityid", "targetid"]),
        initiator: find(&[
            "initiatedbyinitiatortype",
            "initiatortype",
            "initiatedbyinitiatingtype",
        ]),
    })
}
