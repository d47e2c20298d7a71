//! When a delivery that failed is tried again.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::consumer::Stopped;

/// Seconds after each failure, the last of them again and again.
const PAUSES: [i64; 9] =
    [5, 5 * 60, 30 * 60, 2 * 3_600, 5 * 3_600, 10 * 3_600, 14 * 3_600, 20 * 3_600, 24 * 3_600];
/// Who takes nothing for so long is given up.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::days(5);
/// A receiver may ask for no longer pause.
const LONGEST: TimeDelta = TimeDelta::hours(24);

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is tried again then.
    At(DateTime<Utc>),
    /// It is given up, and so is its consumer.
    Never(Stopped),
}

/// What follows the failure after `failed` earlier ones, the first of which was at `since`.
/// `asked` is the pause that the receiver asked for, `spread` any number, by which deliveries of
/// many consumers do not come at once: a pause is a fifth shorter or longer at most.
pub fn after_failure(
    now: DateTime<Utc>,
    since: DateTime<Utc>,
    failed: u64,
    asked: Option<TimeDelta>,
    spread: u64,
) -> Next {
    if now - since >= GIVEN_UP_AFTER {
        return Next::Never(Stopped::Unreachable);
    }
    let pause = pause(failed, spread);
    let pause = asked.map_or(pause, |asked| asked.clamp(pause.min(LONGEST), LONGEST));
    Next::At(now + pause)
}

/// When a delivery that was set aside after `attempts` is tried again.
pub fn after_parking(now: DateTime<Utc>, attempts: u64, spread: u64) -> DateTime<Utc> {
    now + pause(attempts.saturating_sub(1), spread)
}

/// The pause after so many failures before this one.
fn pause(failed: u64, spread: u64) -> TimeDelta {
    let at = usize::try_from(failed).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    // 80 to 120 hundredths.
    let hundredths = 80 + i64::try_from(spread % 41).unwrap_or(0);
    TimeDelta::milliseconds(PAUSES[at] * 10 * hundredths)
}

/// The pause that `Retry-After` asks for, in seconds or as a date (RFC 9110 section 10.2.3).
pub fn retry_after(value: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        let seconds = value.parse::<i64>().unwrap_or(i64::MAX).min(LONGEST.num_seconds());
        return Some(TimeDelta::seconds(seconds));
    }
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    Some((date.with_timezone(&Utc) - now).clamp(TimeDelta::zero(), LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn the_schedule_is_kept_within_a_fifth_and_ends_after_five_days() {
        for (failed, pause) in PAUSES.into_iter().chain([24 * 3_600; 3]).enumerate() {
            let mut seen = Vec::new();
            for spread in 0..200 {
                let next = after_failure(at(0), at(0), failed as u64, None, spread);
                let Next::At(then) = next else { panic!("{next:?}") };
                seen.push((then - at(0)).num_milliseconds());
            }
            let (least, most) = (seen.iter().min().unwrap(), seen.iter().max().unwrap());
            assert_eq!((*least, *most), (pause * 800, pause * 1_200), "after {failed}");
        }
        let day = 86_400;
        assert!(matches!(after_failure(at(5 * day - 1), at(0), 9, None, 0), Next::At(_)));
        let ended = after_failure(at(5 * day), at(0), 9, None, 0);
        assert_eq!(ended, Next::Never(Stopped::Unreachable));
    }

    #[test]
    fn a_receiver_may_ask_for_more_and_not_for_more_than_a_day() {
        let pause = |asked| match after_failure(at(0), at(0), 0, asked, 20) {
            Next::At(then) => (then - at(0)).num_seconds(),
            Next::Never(_) => panic!("given up"),
        };
        let seconds = |n| Some(TimeDelta::seconds(n));
        assert_eq!(pause(None), 5);
        assert_eq!(pause(seconds(0)), 5, "sooner than the schedule is no help");
        assert_eq!(pause(seconds(60)), 60);
        assert_eq!(pause(seconds(9_999_999)), 86_400);
        assert_eq!(retry_after("120", at(0)), seconds(120));
        assert_eq!(retry_after("99999999999999999999", at(0)), seconds(86_400));
        let date = (at(90)).to_rfc2822();
        assert_eq!(retry_after(&date, at(0)), seconds(90));
        assert_eq!(retry_after(&date, at(100)), seconds(0), "it has passed");
        for odd in ["", " ", "-1", "1.5", "soon", "2026-11-30"] {
            assert_eq!(retry_after(odd, at(0)), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn nothing_a_receiver_says_makes_it_panic(text: String, failed: u64, spread: u64) {
            let asked = retry_after(&text, at(0));
            let _ = after_failure(at(1), at(0), failed, asked, spread);
        }
    }
}
