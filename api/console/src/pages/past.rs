//! The moment of a view: now, or one that was picked. It stands in the address, so that everybody
//! who opens that sees the same.

use super::paging::filled;
use crate::view::When;
use chrono::Utc;
use rollcall_contract::moment::Moment;
use serde::Deserialize;

/// What the picker sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Picked {
    #[serde(rename = "as-of")]
    as_of: Option<String>,
}

impl Picked {
    /// The moment, as the API has it. What a browser's field for dates and times gives is in UTC.
    pub fn moment(&self) -> Option<String> {
        filled(&self.as_of).map(|text| written(&text))
    }

    /// As it was typed.
    pub fn typed(&self) -> String {
        filled(&self.as_of).unwrap_or_default()
    }
}

/// `2026-03-03T12:00`, as browsers give it, is an instant in UTC; anything else is as it is.
pub fn written(text: &str) -> String {
    use chrono::NaiveDateTime;
    let shapes = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"];
    let read = shapes.iter().find_map(|shape| NaiveDateTime::parse_from_str(text, shape).ok());
    read.map_or_else(|| text.to_owned(), |at| rollcall_contract::time::text(at.and_utc()))
}

/// The moment of a view, for its page.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What was typed; empty for now.
    pub typed: String,
    /// The last position.
    pub position: u64,
    /// When that was recorded.
    pub recorded: Option<When>,
    /// The address of this very view for ever: as of the position.
    pub forever: String,
}

impl Seen {
    /// Of an answer's moment, at an address.
    pub fn of(picked: &Picked, moment: &Moment, path: &str) -> Self {
        Self {
            typed: picked.typed(),
            position: moment.position,
            recorded: moment.recorded_at.map(When),
            forever: format!("{path}?as-of=position:{}", moment.position),
        }
    }

    /// Whether it is a view of the past.
    pub fn is_past(&self) -> bool {
        !self.typed.is_empty()
    }

    /// When it is, as far as a picture needs to know.
    pub fn end(&self, now: chrono::DateTime<Utc>) -> chrono::DateTime<Utc> {
        match (self.is_past(), self.recorded) {
            (true, Some(recorded)) => recorded.0,
            _ => now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn what_a_picker_gives_is_a_moment() {
        assert_eq!(written("2026-03-03T12:00"), "2026-03-03T12:00:00.000Z");
        assert_eq!(written("2026-03-03 12:00"), "2026-03-03T12:00:00.000Z");
        for same in ["2026-03-03", "position:7", "-2d", "2026-03-03T12:00:00Z", "yesterday"] {
            assert_eq!(written(same), same);
        }
    }
}
