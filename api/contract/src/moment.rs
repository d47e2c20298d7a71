//! Moments in an organization's log, as people write them.

use crate::span;
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The header with the seconds that the server's clocks are apart, where that is more than it may be.
pub const CLOCK_SKEW: &str = "rollcall-clock-skew";

/// As of when.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct AsOf {
    /// A date, an instant (RFC 3339), `position:N`, `run:ID` or an age such as `-2d`; now, if
    /// absent.
    #[serde(alias = "asOf")]
    pub as_of: Option<String>,
}

/// The moment that an answer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Moment {
    /// The last record that had been committed; 0 before the first.
    pub position: u64,
    /// When that record was made.
    #[serde(serialize_with = "crate::time::optional")]
    pub recorded_at: Option<DateTime<Utc>>,
    /// The instant that was asked for; absent if it was a position, the end of a run, or no moment at
    /// all, and on pages after the first.
    #[serde(
        default,
        serialize_with = "crate::time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub asked_at: Option<DateTime<Utc>>,
    /// So many milliseconds the server's clocks were apart when it answered, if it was more than they
    /// may be: instants may be wrong by as much, positions are exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_skew_ms: Option<i64>,
}

/// A moment as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// A date, which is its beginning in UTC, or an instant (RFC 3339).
    Instant(DateTime<Utc>),
    /// `position:N`: right after this record.
    Position(u64),
    /// `run:ID`: right after the last exchange of this run.
    Run(Uuid),
    /// `-2d`: so many seconds before now.
    Ago(u64),
}

impl Written {
    /// The instant, for who knows what time it is; none of a position or a run.
    pub fn instant(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Written::Instant(at) => Some(at),
            Written::Ago(seconds) => now
                .checked_sub_signed(Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX))),
            Written::Position(_) | Written::Run(_) => None,
        }
    }
}

/// A text that is no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no moment: write a date such as 2026-11-24, an instant such as 2026-11-24T08:00:00Z, position:42, run:ID, or an age such as -2d"
)]
pub struct NoMoment(pub String);

impl FromStr for Written {
    type Err = NoMoment;

    fn from_str(written: &str) -> Result<Self, NoMoment> {
        let text = written.trim();
        let no = || NoMoment(written.to_owned());
        if let Some(position) = text.strip_prefix("position:") {
            return position.parse().map(Written::Position).map_err(|_| no());
        }
        if let Some(run) = text.strip_prefix("run:") {
            return run.parse().map(Written::Run).map_err(|_| no());
        }
        if let Some(ago) = text.strip_prefix('-') {
            return span::seconds(ago).map(Written::Ago).ok_or_else(no);
        }
        if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Ok(Written::Instant(date.and_time(NaiveTime::MIN).and_utc()));
        }
        // A plus sign that nobody escaped in a URL arrives as a space.
        DateTime::parse_from_rfc3339(&text.replace(' ', "+"))
            .map(|at| Written::Instant(at.with_timezone(&Utc)))
            .map_err(|_| no())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_instants_positions_runs_or_ages() {
        let read = |text: &str| text.parse::<Written>().ok();
        assert_eq!(read("position:42"), Some(Written::Position(42)));
        let instant = "2026-11-24T08:00:00Z".parse().ok().map(Written::Instant);
        assert_eq!(read("2026-11-24T08:00:00Z"), instant);
        assert_eq!(read("2026-11-24T09:00:00 01:00"), instant);
        assert_eq!(read("2026-11-24"), read("2026-11-24T00:00:00Z"));
        assert_eq!(read("-2d"), Some(Written::Ago(172_800)));
        assert_eq!(read("-90m"), Some(Written::Ago(5_400)));
        assert_eq!(read(&format!("run:{}", Uuid::nil())), Some(Written::Run(Uuid::nil())));
        for wrong in [
            "",
            "run:",
            "position:",
            "position:-1",
            "yesterday",
            "42",
            "2026-11-31",
            "2d",
            "-2",
            "-d",
            "now",
            "2026-11-24T08:00:00",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
