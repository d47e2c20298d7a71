//! Instants as they are written everywhere: RFC 3339 in UTC, with three decimals.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serializer;

/// The text of an instant, such as `2026-11-24T08:00:00.000Z`.
pub fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Writes an instant, for `#[serde(serialize_with)]`.
///
/// # Errors
/// If the serializer has one.
pub fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*at))
}

/// Writes an instant that may be absent, for `#[serde(serialize_with)]`.
///
/// # Errors
/// If the serializer has one.
pub fn optional<S: Serializer>(
    at: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.serialize_some(&text(*at)),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::text;
    use chrono::DateTime;

    #[test]
    fn decimals_are_three_whatever_they_are() {
        for (micros, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_500, "1970-01-01T00:00:00.001Z"),
            (120_000, "1970-01-01T00:00:00.120Z"),
        ] {
            assert_eq!(DateTime::from_timestamp_micros(micros).map(text).unwrap(), expected);
        }
    }
}
