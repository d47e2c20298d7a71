//! The rhythm of the cycles: how often they come, and whether they still do.

use super::SILENCE;
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
    pub const ALL: [Pulse; 5] =
        [Pulse::Never, Pulse::Regular, Pulse::Late, Pulse::Silent, Pulse::Stretched];

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

/// How the cycles come, as it was noticed by the clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noticed {
    /// Regular, silent or stretched.
    pub state: Pulse,
    /// When the last cycle began.
    pub last_cycle_at: DateTime<Utc>,
    /// Seconds that usually lie between two cycles.
    pub usual_seconds: i64,
}

impl Noticed {
    /// Whether it is something else than was noticed before. Silence ends with a cycle and not by
    /// the clock, so that servers whose clocks differ do not contradict each other.
    pub fn is_news(&self, before: Option<&Noticed>) -> bool {
        match before {
            None => self.state != Pulse::Regular,
            Some(before) => {
                self.state != before.state
                    && (before.state != Pulse::Silent || self.last_cycle_at > before.last_cycle_at)
            }
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
        let mut plausible: Vec<i64> =
            self.gaps.iter().copied().filter(|g| PLAUSIBLE.contains(g)).collect();
        plausible.sort_unstable();
        plausible.get(plausible.len() / 2).map_or(USUAL, |g| Duration::seconds(*g))
    }

    /// The time to the next cycle: twice the last one, up to a day, once they come further and
    /// further apart.
    pub fn next_gap(&self) -> Duration {
        let newest = Duration::seconds(self.gaps.back().copied().unwrap_or(0));
        if newest * 2 > self.usual() * 3 {
            (newest * 2).min(Duration::hours(24))
        } else {
            self.usual()
        }
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
        Some(Place {
            since_previous: since,
            usual,
            missed: ((since + usual / 2) / usual - 1).max(0),
        })
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
        let (newest, before) = (
            self.gaps.back().copied().unwrap_or(0),
            self.gaps.iter().rev().nth(1).copied().unwrap_or(0),
        );
        if stretched(newest)
            && stretched(before)
            && since < Duration::seconds(newest).max(usual) * 3
            && since < Duration::hours(30)
        {
            return Pulse::Stretched;
        }
        match since {
            since if since > usual * 3 => Pulse::Silent,
            since if since * 2 > usual * 3 => Pulse::Late,
            _ => Pulse::Regular,
        }
    }

    /// What is worth keeping of that. A late cycle may still come, and what looks like a new one
    /// may still turn out a connection test: neither is.
    pub fn noticed(&self, now: DateTime<Utc>) -> Option<Noticed> {
        let last_cycle_at = self.last.filter(|last| now - *last > SILENCE)?;
        let state = self.pulse(now);
        let kept = matches!(state, Pulse::Regular | Pulse::Silent | Pulse::Stretched);
        kept.then(|| Noticed { state, last_cycle_at, usual_seconds: self.usual().num_seconds() })
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

    #[test]
    fn what_is_noticed_is_sure_and_is_news_once() {
        let noticed = |cycles: &[i64], now| rhythm(cycles).noticed(at(now));
        let state = |cycles, now| noticed(cycles, now).map(|n| n.state);
        assert_eq!(state(&[], 10), None);
        assert_eq!(state(&[0, 40, 80], 84), None, "it may be a connection test");
        assert_eq!(state(&[0, 40, 80], 86), Some(Pulse::Regular));
        assert_eq!(state(&[0, 40, 80], 145), None, "it may still come");
        assert_eq!(state(&[0, 40, 80], 201), Some(Pulse::Silent));
        let (regular, silent, stretched) = (
            noticed(&[0, 40, 80], 86).unwrap(),
            noticed(&[0, 40, 80], 201).unwrap(),
            noticed(&[0, 40, 120, 280], 300).unwrap(),
        );
        assert_eq!((silent.last_cycle_at, silent.usual_seconds), (at(80), 2_400));
        let back = noticed(&[0, 40, 80, 280], 286).unwrap();
        for (before, now, news) in [
            (None, &regular, false),
            (None, &silent, true),
            (None, &stretched, true),
            (Some(&silent), &silent, false),
            (Some(&silent), &regular, false),
            (Some(&silent), &back, true),
            (Some(&back), &regular, false),
            (Some(&back), &silent, true),
            (Some(&silent), &stretched, true),
            (Some(&stretched), &silent, true),
        ] {
            assert_eq!(now.is_news(before), news, "{now:?} after {before:?}");
        }
    }
}
