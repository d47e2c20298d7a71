//! The rhythm of the cycles: how often they come, and whether they still do.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Entra's interval, until another is seen.
const USUAL: Duration = Duration::minutes(40);
/// Gaps that may be an interval: a cycle that is late by less than half a turn.
const PLAUSIBLE: std::ops::RangeInclusive<i64> = 18 * 60..=59 * 60;
const KEPT: usize = 7;

/// When the cycles of one client began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rhythm {
    last: Option<DateTime<Utc>>,
    /// The latest gaps between cycles in seconds, the newest last.
    gaps: VecDeque<i64>,
}

/// Where a run stands among the cycles of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Seconds since the cycle before began.
    pub since_previous: i64,
    /// Seconds that usually lie between two.
    pub usual: i64,
    /// Cycles that should have come in between.
    pub missed: i64,
}

/// Whether the cycles still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pulse {
    /// No cycle was ever seen.
    Never,
    /// They come as they should.
    Regular,
    /// The next is overdue.
    Late,
    /// Three or more are missing.
    Silent,
    /// They come, but further and further apart, as from a quarantined job.
    Stretched,
}

impl Pulse {
    /// All states.
    pub const ALL: [Pulse; 5] = [Pulse::Never, Pulse::Regular, Pulse::Late, Pulse::Silent, Pulse::Stretched];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Pulse::Never => "never",
            Pulse::Regular => "regular",
            Pulse::Late => "late",
            Pulse::Silent => "silent",
            Pulse::Stretched => "stretched",
        }
    }
}

impl Rhythm {
    /// When the last cycle began.
    pub fn last(&self) -> Option<DateTime<Utc>> {
        self.last
    }

    /// The usual time between two cycles.
    pub fn usual(&self) -> Duration {
        let mut plausible: Vec<i64> = self.gaps.iter().copied().filter(|g| PLAUSIBLE.contains(g)).collect();
        plausible.sort_unstable();
        plausible.get(plausible.len() / 2).map_or(USUAL, |g| Duration::seconds(*g))
    }

    /// The time to the next cycle: twice the last one, up to a day, once they come further and
    /// further apart.
    pub fn next_gap(&self) -> Duration {
        let newest = Duration::seconds(self.gaps.back().copied().unwrap_or(0));
        if newest * 2 > self.usual() * 3 { (newest * 2).min(Duration::hours(24)) } else { self.usual() }
    }

    /// Time since the last cycle began.
    pub fn since(&self, at: DateTime<Utc>) -> Option<Duration> {
        self.last.map(|last| at - last)
    }

    /// Whether a cycle may begin at an instant; nothing if none was seen before.
    pub fn is_due(&self, at: DateTime<Utc>) -> Option<bool> {
        self.since(at).map(|gap| gap * 4 >= self.usual() * 3)
    }

    /// Whether an instant is one usual gap after another, to a tenth.
    pub fn follows(&self, before: DateTime<Utc>, at: DateTime<Utc>) -> bool {
        (at - before - self.usual()).abs() * 10 <= self.usual()
    }

    /// Where a run that began at an instant stands.
    pub fn place(&self, at: DateTime<Utc>) -> Option<Place> {
        let (since, usual) = (self.since(at)?.num_seconds(), self.usual().num_seconds());
        Some(Place { since_previous: since, usual, missed: ((since + usual / 2) / usual - 1).max(0) })
    }

    /// A cycle began.
    pub fn note(&mut self, began: DateTime<Utc>) {
        if let Some(gap) = self.since(began).filter(|gap| *gap > Duration::zero()) {
            self.gaps.push_back(gap.num_seconds());
            if self.gaps.len() > KEPT {
                self.gaps.pop_front();
            }
        }
        self.last = self.last.max(Some(began));
    }

    /// Whether the cycles still come, at an instant.
    pub fn pulse(&self, now: DateTime<Utc>) -> Pulse {
        let Some(since) = self.since(now) else { return Pulse::Never };
        let usual = self.usual();
        // A job in quarantine is tried again after longer and longer times, up to a day.
        let stretched = |gap: i64| Duration::seconds(gap) * 2 > usual * 3;
        let (newest, before) = (self.gaps.back().copied().unwrap_or(0), self.gaps.iter().rev().nth(1).copied().unwrap_or(0));
        if stretched(newest) && stretched(before) && since < Duration::seconds(newest).max(usual) * 3 && since < Duration::hours(30) {
            return Pulse::Stretched;
        }
        match since {
            since if since > usual * 3 => Pulse::Silent,
            since if since * 2 > usual * 3 => Pulse::Late,
            _ => Pulse::Regular,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::minutes(minutes)
    }

    fn rhythm(minutes: &[i64]) -> Rhythm {
        let mut rhythm = Rhythm::default();
        minutes.iter().for_each(|m| rhythm.note(at(*m)));
        rhythm
    }

    #[test]
    fn the_usual_gap_is_learned_and_outliers_do_not_count() {
        assert_eq!(Rhythm::default().usual(), Duration::minutes(40));
        assert_eq!(rhythm(&[0, 22, 44, 500, 522]).usual(), Duration::minutes(22));
        assert_eq!(rhythm(&[0, 40]).is_due(at(69)), Some(false));
        assert_eq!(rhythm(&[0, 40]).is_due(at(70)), Some(true));
        let place = rhythm(&[0, 40]).place(at(40 + 121)).unwrap();
        assert_eq!((place.since_previous, place.usual, place.missed), (121 * 60, 40 * 60, 2));
    }

    #[test]
    fn silence_lateness_and_a_stretched_rhythm_are_told_apart() {
        for (cycles, now, pulse) in [
            (&[][..], 10, Pulse::Never),
            (&[0, 40, 80], 100, Pulse::Regular),
            (&[0, 40, 80], 145, Pulse::Late),
            (&[0, 40, 80], 240, Pulse::Silent),
            (&[0, 40, 120, 280], 400, Pulse::Stretched),
            (&[0, 40, 120, 280], 280 + 31 * 60, Pulse::Silent),
            (&[0, 40, 120, 160], 170, Pulse::Regular),
        ] {
            assert_eq!(rhythm(cycles).pulse(at(now)), pulse, "{cycles:?} at {now}");
        }
    }
}
