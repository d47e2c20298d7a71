//! Sealing and opening the payloads of events.

use crate::about;
use crate::cipher::Key;
use crate::error::SealingError;
use crate::ring::Named;
use crate::token;
use rollcall_domain::event::DomainEvent;
use rollcall_domain::log::{KeyId, NewEvent, Record, StreamId, Version, Write};
use rollcall_domain::personal::MARK;
use rollcall_domain::sealing::{Unsealed, marks, rewrite, rewrite_at};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is said where somebody was erased.
const ERASED: &str = "\"[erased]\"";

/// What takes the place of a payload that was changed after it was sealed: no event of any type.
pub(crate) const UNREADABLE: &str = "{\"~\":\"changed\"}";

/// Where the personal values of a payload are.
pub(crate) enum Marked {
    /// There are none.
    Nothing,
    /// At these paths.
    At(BTreeSet<String>),
    /// What cannot be looked into is personal as a whole.
    Whole,
}

/// Marks the personal values of an event that is about to be written.
pub(crate) fn mark(write: &Write, version: Version, event: &NewEvent) -> Marked {
    let record = Record {
        position: 0,
        stream: write.stream,
        version,
        event_type: event.event_type.clone(),
        event_version: event.event_version.clone(),
        payload: event.payload.clone(),
        recorded_at: write.recorded_at,
        exchange: None,
        actor: write.actor.clone(),
    };
    mark_record(&record)
}

/// The same of a record that was written before anything was sealed.
pub(crate) fn mark_record(record: &Record) -> Marked {
    let Ok(event) = DomainEvent::decode(record) else { return Marked::Whole };
    // Read out of the type: the payload itself may have been written in another order.
    let Some(paths) = event.marked_payload().ok().and_then(|text| marks(&text).ok()) else {
        return Marked::Whole;
    };
    match (paths.is_empty(), is_sealed(&record.payload)) {
        (true, false) => Marked::Nothing,
        // Something that only looks as if it were sealed.
        (true, true) => Marked::Whole,
        (false, _) => Marked::At(paths),
    }
}

/// Seals what is marked in a payload.
pub(crate) fn seal(
    stream: &StreamId,
    version: Version,
    event_type: &str,
    payload: &str,
    marked: &Marked,
    (id, key): &Named,
) -> Result<String, SealingError> {
    let seal = |path: &str, value: &str| {
        let about = about::value(stream, version, event_type, path);
        let sealed = token::write(*id, &key.seal(value.as_bytes(), &about)?);
        Ok::<_, SealingError>(format!("{{\"{MARK}\":\"{sealed}\"}}"))
    };
    match marked {
        Marked::Nothing => Ok(payload.to_owned()),
        Marked::Whole => seal("", payload),
        Marked::At(paths) => {
            let sealed = rewrite_at(payload, paths, seal).map_err(plain)?;
            // Of an older version some may stand elsewhere; and nothing else may look like them.
            if marks(&sealed).is_ok_and(|found| found == *paths) {
                Ok(sealed)
            } else {
                seal("", payload)
            }
        }
    }
}

fn plain(error: Unsealed<SealingError>) -> SealingError {
    match error {
        Unsealed::Malformed(_) => SealingError::Shape,
        Unsealed::Value(error) => error,
    }
}

/// Whether anything in a payload may be sealed.
pub(crate) fn is_sealed(payload: &str) -> bool {
    payload.contains("\"~\"")
}

/// The keys that a payload was sealed with.
pub(crate) fn keys(payload: &str) -> Result<Vec<KeyId>, SealingError> {
    let mut keys = Vec::new();
    rewrite(payload, |_, value| {
        let (id, _) = token::read(text(value)?)?;
        if !keys.contains(&id) {
            keys.push(id);
        }
        Ok(String::new())
    })
    .map_err(plain)?;
    Ok(keys)
}

/// The text between the quotes of a sealed value: nothing in it is ever escaped.
fn text(value: &str) -> Result<&str, SealingError> {
    value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).ok_or(SealingError::Shape)
}

/// Opens a payload with its keys: `key` gives none for one that was erased.
pub(crate) fn open(
    record: &Record,
    mut key: impl FnMut(KeyId) -> Result<Option<Arc<Key>>, SealingError>,
) -> Result<String, SealingError> {
    rewrite(&record.payload, |path, value| {
        let (id, sealed) = token::read(text(value)?)?;
        match key(id)? {
            Some(key) => {
                let about = about::value(&record.stream, record.version, &record.event_type, path);
                String::from_utf8(key.open(&sealed, &about)?).map_err(|_| SealingError::Shape)
            }
            None => Ok(erased(path).to_owned()),
        }
    })
    .map_err(plain)
}

/// What a reader sees where a value was that nobody can read any more: something of its type.
fn erased(path: &str) -> &'static str {
    match path {
        // Of a new user: both are required.
        "/UserCreated/attributes" => r#"{"active":false,"userName":"[erased]"}"#,
        _ => ERASED,
    }
}
