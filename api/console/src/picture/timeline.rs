//! The timeline of a run: its requests to scale, in lanes.

use chrono::{DateTime, Utc};

/// Width of the drawn time.
const WIDTH: i64 = 900;
const LEFT: i64 = 92;
const LANE: i64 = 40;
const TOP: i64 = 8;
/// So many requests of a run are drawn; the page says how many there are.
pub const DRAWN: usize = 5_000;
/// Widths of a mark: as narrow as can be seen.
const COLUMN: i64 = 4;

/// A request, as far as the timeline needs it.
#[derive(Clone, Debug)]
pub struct Mark {
    /// When it came.
    pub at: DateTime<Utc>,
    /// What was asked for, such as `users.patch`.
    pub operation: String,
    /// Whether it was refused.
    pub failed: bool,
}

/// Where requests of a kind are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Reads.
    Lookups,
    /// Writes of users.
    Users,
    /// Writes of groups.
    Groups,
    /// Whatever was refused.
    Refused,
}

impl Lane {
    /// All of them, from the top.
    pub const ALL: [Lane; 4] = [Lane::Lookups, Lane::Users, Lane::Groups, Lane::Refused];

    /// Its label.
    pub fn words(self) -> &'static str {
        match self {
            Lane::Lookups => "Lookups",
            Lane::Users => "Users",
            Lane::Groups => "Groups",
            Lane::Refused => "Refused",
        }
    }

    /// Its class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Lane::Lookups => "lookups",
            Lane::Users => "users",
            Lane::Groups => "groups",
            Lane::Refused => "refused",
        }
    }

    fn of(mark: &Mark) -> Self {
        let (kind, verb) = mark.operation.split_once('.').unwrap_or((&mark.operation, ""));
        match (kind, verb) {
            _ if mark.failed => Lane::Refused,
            (_, "list" | "read" | "search" | "") => Lane::Lookups,
            ("groups", _) => Lane::Groups,
            _ => Lane::Users,
        }
    }
}

/// Requests that came at about one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Left edge.
    pub x: i64,
    /// Upper edge.
    pub y: i64,
    /// Height: the more, the higher.
    pub height: i64,
    /// How many.
    pub count: usize,
}

/// The picture.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Lanes with where their label stands and their bars.
    pub lanes: Vec<(Lane, i64, Vec<Bar>)>,
    /// Where time is told, and how: seconds since the beginning.
    pub ticks: Vec<(i64, String)>,
    /// Width of the picture.
    pub width: i64,
    /// Height of the picture.
    pub height: i64,
    /// Where its lower edge is, above the ticks.
    pub base: i64,
}

/// Draws requests between two moments.
pub fn draw(marks: &[Mark], began: DateTime<Utc>, ended: DateTime<Utc>) -> Timeline {
    let whole = (ended - began).num_milliseconds().max(1);
    let columns = WIDTH / COLUMN;
    let mut counts =
        vec![vec![0_usize; usize::try_from(columns + 1).unwrap_or(0)]; Lane::ALL.len()];
    for mark in marks {
        let since = (mark.at - began).num_milliseconds().clamp(0, whole);
        let column = usize::try_from(since * columns / whole).unwrap_or(0);
        let lane = Lane::ALL.iter().position(|lane| *lane == Lane::of(mark)).unwrap_or(0);
        counts[lane][column] += 1;
    }
    let most = counts.iter().flatten().copied().max().unwrap_or(0).max(1);
    let lanes = Lane::ALL.into_iter().zip(counts).zip(0_i64..).map(|((lane, counts), n)| {
        let base = TOP + (n + 1) * LANE - 6;
        let bars = counts.iter().zip(0_i64..).filter(|(count, _)| **count > 0);
        let bars = bars.map(|(count, column)| {
            let height = height_of(*count, most);
            Bar { x: LEFT + column * COLUMN, y: base - height, height, count: *count }
        });
        (lane, base - 8, bars.collect())
    });
    let lanes: Vec<_> = lanes.collect();
    let base = TOP + i64::try_from(Lane::ALL.len()).unwrap_or(4) * LANE;
    let ticks = (0..=4).map(|n| {
        let millis = whole * n / 4;
        (LEFT + WIDTH * n / 4, told(millis, whole))
    });
    Timeline { lanes, ticks: ticks.collect(), width: LEFT + WIDTH + 40, height: base + 24, base }
}

/// One is to be seen beside a thousand.
fn height_of(count: usize, most: usize) -> i64 {
    let share = (count as f64).ln_1p() / (most as f64).ln_1p();
    6 + (share * (LANE - 14) as f64) as i64
}

fn told(millis: i64, whole: i64) -> String {
    match whole {
        0..10_000 => format!("{}.{:01} s", millis / 1_000, millis % 1_000 / 100),
        10_000..600_000 => format!("{} s", millis / 1_000),
        _ => format!("{} min", millis / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_788_220_800_000 + millis).unwrap()
    }

    proptest! {
        /// Every request is drawn, once, within the picture.
        #[test]
        fn nothing_is_lost(marks in proptest::collection::vec((0_i64..100_000, 0_usize..5, any::<bool>()), 0..300)) {
            let names = ["users.patch", "groups.patch", "users.list", "bulk", "schemas"];
            let marks: Vec<Mark> = marks
                .iter()
                .map(|(ms, name, failed)| Mark { at: at(*ms), operation: names[*name].to_owned(), failed: *failed })
                .collect();
            let drawn = draw(&marks, at(0), at(90_000));
            let bars = || drawn.lanes.iter().flat_map(|(_, _, bars)| bars);
            prop_assert_eq!(bars().map(|bar| bar.count).sum::<usize>(), marks.len());
            prop_assert!(bars().all(|b| b.x >= LEFT && b.x <= drawn.width && b.y >= 0 && b.y + b.height <= drawn.height));
        }
    }

    #[test]
    fn refused_ones_have_a_lane_of_their_own() {
        let mark =
            |operation: &str, failed| Mark { at: at(0), operation: operation.into(), failed };
        assert_eq!(Lane::of(&mark("users.create", true)), Lane::Refused);
        assert_eq!(Lane::of(&mark("users.create", false)), Lane::Users);
        assert_eq!(Lane::of(&mark("groups.patch", false)), Lane::Groups);
        assert_eq!(Lane::of(&mark("groups.list", false)), Lane::Lookups);
        assert_eq!(Lane::of(&mark("schemas", false)), Lane::Lookups);
    }
}
