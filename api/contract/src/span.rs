//! Spans of time as people write them: `90d`, `12h`, `30m`, `45s`.

/// A century, so that every instant more or less it is one.
const LONGEST: u64 = 3_200_000_000;

/// The seconds of a span; none if it is not written as one, or is longer than a century.
pub fn seconds(text: &str) -> Option<u64> {
    let (at, unit) = text.char_indices().last()?;
    let unit = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    text[..at].parse::<u64>().ok()?.checked_mul(unit).filter(|seconds| *seconds <= LONGEST)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn spans_are_a_number_and_a_unit() {
        assert_eq!(
            ["90d", "12h", "30m", "45s", "0m"].map(seconds),
            [7_776_000, 43_200, 1_800, 45, 0].map(Some)
        );
        for bad in ["", "d", "90", "-1d", "9x", "1 d", "99999999999999d", "40000d", "ä", "9ä"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
