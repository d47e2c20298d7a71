//! The heat strip of cycles: a row for each day, a cell for each 40 minutes of it, never merged.

use chrono::{DateTime, Duration, Utc};

/// Seconds of a cell: Entra's interval.
const SLOT: i64 = 40 * 60;
/// Cells of a day.
const SLOTS: i64 = 86_400 / SLOT;
/// Side of a cell: large enough to be pressed.
const SIDE: i64 = 24;
/// Where the cells begin: beside the day, below the hours.
const LEFT: i64 = 92;
const TOP: i64 = 22;

/// A cycle, as far as the strip needs it.
#[derive(Clone, Debug)]
pub struct Cycle {
    /// When it began.
    pub began: DateTime<Utc>,
    /// Where it is shown.
    pub href: String,
    /// Whether it reads everything.
    pub is_initial: bool,
    /// Requests in it that were refused.
    pub failures: u64,
    /// Cycles that should have come since the one before.
    pub missed: i64,
    /// Whether it came later than usual by half an interval.
    pub is_late: bool,
}

/// What became of 40 minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// Before the first cycle, or still to come.
    Outside,
    /// None was due: the one before and the one after lie on either side.
    Between,
    /// A cycle came.
    Came,
    /// The first cycle, or one that reads everything again.
    Initial,
    /// One came late.
    Late,
    /// One was due and did not come.
    Missing,
    /// One came, and something in it was refused.
    Failed,
}

impl Slot {
    /// All of them.
    pub const ALL: [Slot; 7] = [
        Slot::Came,
        Slot::Initial,
        Slot::Late,
        Slot::Failed,
        Slot::Missing,
        Slot::Between,
        Slot::Outside,
    ];

    /// Its class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Slot::Outside => "outside",
            Slot::Between => "between",
            Slot::Came => "came",
            Slot::Initial => "initial",
            Slot::Late => "late",
            Slot::Missing => "missing",
            Slot::Failed => "failed",
        }
    }

    /// Its sign: colour alone tells nothing.
    pub fn glyph(self) -> &'static str {
        match self {
            Slot::Outside => "",
            Slot::Between => "·",
            Slot::Came => "✓",
            Slot::Initial => "★",
            Slot::Late => "◔",
            Slot::Missing => "✕",
            Slot::Failed => "!",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Slot::Outside => "nothing expected",
            Slot::Between => "none due",
            Slot::Came => "came",
            Slot::Initial => "initial cycle",
            Slot::Late => "came late",
            Slot::Missing => "missing",
            Slot::Failed => "came with failures",
        }
    }
}

/// A cell with its place in the picture.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Left edge.
    pub x: i64,
    /// Upper edge.
    pub y: i64,
    /// What became of it.
    pub slot: Slot,
    /// What it says when somebody points at it, and to a screen reader.
    pub title: String,
    /// Where its cycle is.
    pub href: Option<String>,
}

impl Cell {
    /// Where its sign stands.
    pub fn middle(&self) -> (i64, i64) {
        (self.x + SIDE / 2 - 1, self.y + SIDE / 2 + 4)
    }
}

/// A day.
#[derive(Clone, Debug)]
pub struct Day {
    /// Its date.
    pub label: String,
    /// Where its date stands.
    pub y: i64,
    /// Its cells.
    pub cells: Vec<Cell>,
    /// How often each became of it, for the table.
    pub counts: Vec<(Slot, usize)>,
}

/// The strip of one token.
#[derive(Clone, Debug)]
pub struct Strip {
    /// Which token.
    pub label: String,
    /// Days, the latest first.
    pub days: Vec<Day>,
    /// Width of the picture.
    pub width: i64,
    /// Height of the picture.
    pub height: i64,
    /// Hours above the cells.
    pub hours: Vec<(i64, String)>,
}

/// Side of a cell's square, within its place.
pub const SQUARE: i64 = SIDE - 3;

/// Draws the days up to `now` from these cycles of one token, oldest first.
pub fn draw(label: String, cycles: &[Cycle], days: i64, now: DateTime<Utc>) -> Strip {
    let today = now.date_naive();
    let first = cycles.first().map(|cycle| cycle.began);
    let rows = (0..days).map(|back| {
        let date = today - Duration::days(back);
        let midnight = date.and_time(chrono::NaiveTime::MIN).and_utc();
        let y = TOP + back * SIDE;
        let cells: Vec<Cell> = (0..SLOTS)
            .map(|slot| {
                let from = midnight + Duration::seconds(slot * SLOT);
                cell(cycles, first, from, now, (LEFT + slot * SIDE, y))
            })
            .collect();
        let of = |slot| cells.iter().filter(|cell| cell.slot == slot).count();
        let counts = Slot::ALL.into_iter().map(|slot| (slot, of(slot)));
        let counts = counts.filter(|(slot, n)| *n > 0 && *slot != Slot::Outside).collect();
        Day { label: date.to_string(), y: y + SIDE / 2 + 4, cells, counts }
    });
    let hours = (0..24).step_by(4).map(|hour| {
        let x = LEFT + hour * 3_600 * SIDE / SLOT;
        (x, format!("{hour:02}:00"))
    });
    Strip {
        label,
        days: rows.collect(),
        width: LEFT + SLOTS * SIDE,
        height: TOP + days * SIDE,
        hours: hours.collect(),
    }
}

fn cell(
    cycles: &[Cycle],
    first: Option<DateTime<Utc>>,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
    (x, y): (i64, i64),
) -> Cell {
    let to = from + Duration::seconds(SLOT);
    let begin = cycles.partition_point(|cycle| cycle.began < from);
    let end = cycles.partition_point(|cycle| cycle.began < to);
    let here = &cycles[begin..end];
    let slot = match here.iter().map(kind).max() {
        Some(slot) => slot,
        None if from >= now || first.is_none_or(|first| to <= first) => Slot::Outside,
        None => match cycles.get(end) {
            // The next one knows how many should have come before it.
            Some(next) if next.missed > 0 => Slot::Missing,
            Some(_) => Slot::Between,
            // Nothing came since: due once an interval and a half has gone by.
            None => match cycles.last() {
                Some(last) if from - last.began > Duration::seconds(SLOT * 3 / 2) => Slot::Missing,
                _ => Slot::Between,
            },
        },
    };
    let shown = here.iter().max_by_key(|cycle| kind(cycle));
    let title = format!(
        "{} to {} UTC: {}",
        from.format("%Y-%m-%d %H:%M"),
        to.format("%H:%M"),
        slot.words()
    );
    let failures: u64 = here.iter().map(|cycle| cycle.failures).sum();
    let title = if failures > 0 { format!("{title}, {failures} refused") } else { title };
    Cell { x, y, slot, title, href: shown.map(|cycle| cycle.href.clone()) }
}

fn kind(cycle: &Cycle) -> Slot {
    match cycle {
        _ if cycle.failures > 0 => Slot::Failed,
        _ if cycle.is_initial => Slot::Initial,
        _ if cycle.missed > 0 || cycle.is_late => Slot::Late,
        _ => Slot::Came,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_788_220_800 + minutes * 60, 0).unwrap()
    }

    fn cycle(minutes: i64, missed: i64, failures: u64) -> Cycle {
        Cycle {
            began: at(minutes),
            href: format!("/{minutes}"),
            is_initial: minutes == 0,
            failures,
            missed,
            is_late: false,
        }
    }

    /// The cells of the one day drawn, a sign each.
    fn drawn(cycles: &[Cycle], now: i64) -> String {
        let strip = draw(String::new(), cycles, 1, at(now));
        let sign = |cell: &Cell| match cell.slot.glyph() {
            "" => ' ',
            glyph => glyph.chars().next().unwrap_or(' '),
        };
        strip.days[0].cells.iter().map(sign).collect()
    }

    #[test]
    fn a_day_shows_what_came_and_what_did_not() {
        let cycles = [cycle(0, 0, 0), cycle(40, 0, 0), cycle(81, 0, 2), cycle(240, 3, 0)];
        assert_eq!(drawn(&cycles, 410).trim_end(), "★✓!✕✕✕◔·✕✕✕");
        assert_eq!(drawn(&[], 410).trim(), "");
    }

    proptest! {
        /// As long as none is missing, jitter makes no cell say so.
        #[test]
        fn jitter_is_no_gap(gaps in proptest::collection::vec(36_i64..=44, 1..30)) {
            let mut cycles = vec![cycle(0, 0, 0)];
            for gap in &gaps {
                let last = (cycles.last().unwrap().began - at(0)).num_minutes();
                cycles.push(cycle(last + gap, 0, 0));
            }
            let now = (cycles.last().unwrap().began - at(0)).num_minutes() + 10;
            prop_assert!(!drawn(&cycles, now.min(1_439)).contains('✕'));
        }

        /// Each cycle of the day is in exactly one cell, and none is merged with another's.
        #[test]
        fn every_cycle_has_its_cell(minutes in proptest::collection::btree_set(0_i64..1_440, 0..36)) {
            let cycles: Vec<_> = minutes.iter().map(|m| cycle(*m, 0, 1)).collect();
            let strip = draw(String::new(), &cycles, 1, at(1_439));
            let slots: std::collections::BTreeSet<_> = minutes.iter().map(|m| m / 40).collect();
            let failed = strip.days[0].cells.iter().filter(|c| c.slot == Slot::Failed).count();
            prop_assert_eq!(failed, slots.len());
        }
    }
}
