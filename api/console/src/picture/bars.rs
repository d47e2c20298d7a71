//! Memberships as bars, from joining to leaving: equal neighbours are one bar.

use chrono::{DateTime, Duration, Utc};

const WIDTH: i64 = 700;
const LEFT: i64 = 210;
const ROW: i64 = 28;
const TOP: i64 = 6;

/// One time that somebody was in a group.
#[derive(Clone, Debug)]
pub struct Stay {
    /// Who, or in what.
    pub label: String,
    /// Where that is shown.
    pub href: String,
    /// Since when.
    pub from: DateTime<Utc>,
    /// Until when; still, if none.
    pub to: Option<DateTime<Utc>>,
}

/// A bar.
#[derive(Clone, Debug)]
pub struct Bar {
    /// Left edge.
    pub x: i64,
    /// Width.
    pub width: i64,
    /// What it says.
    pub title: String,
    /// Whether it goes on.
    pub is_open: bool,
}

/// All bars of one group, or of one member.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which.
    pub label: String,
    /// Where that is shown.
    pub href: String,
    /// Upper edge of its bars.
    pub y: i64,
    /// Where its label stands.
    pub text_y: i64,
    /// The bars.
    pub bars: Vec<Bar>,
}

/// The picture.
#[derive(Clone, Debug)]
pub struct Bars {
    /// Rows, in the order in which they first began.
    pub rows: Vec<Row>,
    /// Where time is told, and how.
    pub ticks: Vec<(i64, String)>,
    /// Width of the picture.
    pub width: i64,
    /// Height of the picture.
    pub height: i64,
    /// Where its lower edge is, above the ticks.
    pub base: i64,
}

/// Draws stays up to a moment; none if there are none.
pub fn draw(stays: &[Stay], until: DateTime<Utc>) -> Option<Bars> {
    let from = stays.iter().map(|stay| stay.from).min()?;
    let until = until.max(from + Duration::seconds(1));
    let whole = (until - from).num_milliseconds().max(1);
    let x =
        |at: DateTime<Utc>| LEFT + (at - from).num_milliseconds().clamp(0, whole) * WIDTH / whole;
    let mut rows: Vec<Row> = Vec::new();
    for stay in stays {
        let end = stay.to.unwrap_or(until);
        let until_words = match stay.to {
            Some(to) => to.format("%Y-%m-%d %H:%M UTC").to_string(),
            None => "still".to_owned(),
        };
        let bar = Bar {
            x: x(stay.from),
            width: (x(end) - x(stay.from)).max(3),
            title: format!(
                "{}: {} to {until_words}",
                stay.label,
                stay.from.format("%Y-%m-%d %H:%M UTC")
            ),
            is_open: stay.to.is_none(),
        };
        match rows.iter_mut().find(|row| row.href == stay.href) {
            Some(row) => row.bars.push(bar),
            None => {
                let y = TOP + i64::try_from(rows.len()).unwrap_or(0) * ROW;
                rows.push(Row {
                    label: crate::view::cut(&stay.label, 24).unwrap_or(stay.label.clone()),
                    href: stay.href.clone(),
                    y,
                    text_y: y + 16,
                    bars: vec![bar],
                });
            }
        }
    }
    let base = TOP + i64::try_from(rows.len()).unwrap_or(0) * ROW;
    let shape = if whole > 3 * 86_400_000 { "%Y-%m-%d" } else { "%d %b %H:%M" };
    let ticks = (0..=3).map(|n| {
        let at = from + Duration::milliseconds(whole * n / 3);
        (LEFT + WIDTH * n / 3, at.format(shape).to_string())
    });
    Some(Bars { ticks: ticks.collect(), width: LEFT + WIDTH + 50, height: base + 24, base, rows })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_788_220_800 + minutes * 60, 0).unwrap()
    }

    proptest! {
        /// Every stay is a bar in its row, within the picture, whatever the moment.
        #[test]
        fn every_stay_is_a_bar(
            stays in proptest::collection::vec((0_u8..5, 0_i64..10_000, proptest::option::of(0_i64..500)), 0..40),
            until in 0_i64..12_000,
        ) {
            let stays: Vec<Stay> = stays
                .iter()
                .map(|(who, from, long)| Stay {
                    label: who.to_string(),
                    href: format!("/{who}"),
                    from: at(*from),
                    to: long.map(|long| at(from + long)),
                })
                .collect();
            let Some(drawn) = draw(&stays, at(until)) else {
                prop_assert!(stays.is_empty());
                return Ok(());
            };
            prop_assert_eq!(drawn.rows.iter().map(|row| row.bars.len()).sum::<usize>(), stays.len());
            let bars = || drawn.rows.iter().flat_map(|row| &row.bars);
            prop_assert!(bars().all(|b| b.x >= LEFT && b.width > 0 && b.x + b.width <= drawn.width));
        }
    }
}
