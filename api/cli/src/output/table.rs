//! Tables: columns aligned, and as wide as the terminal.
//!
//! Where a table is wider, instants lose their decimals first, then long texts are shortened, then
//! ids, and at last everything. A cell that is shortened says so by an ellipsis.

use super::visible::visible;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Between two columns.
const GAP: usize = 2;
/// An id that is not whole: an ellipsis and the end of it, which is random.
const SHORT_ID: usize = 9;
/// An instant to the second.
const SECONDS: usize = 20;
/// Texts keep so much while ids are whole.
const TEXT: usize = 16;
/// No column is narrower.
const LEAST: usize = 4;

/// How wide tables may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fit {
    /// As wide as they are: for files, pipes, and whoever says so.
    #[default]
    Whole,
    /// So many columns.
    Columns(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Id,
    Instant,
    Text,
}

/// The table as text, and whether any cell was shortened.
pub fn laid_out(head: &[&str], rows: &[Vec<String>], fit: Fit) -> (String, bool) {
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| visible(cell).into_owned()).collect())
        .collect();
    let widths = widths(head, &cells, fit);
    let mut text = String::new();
    let mut shortened = false;
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    for row in std::iter::once(&head).chain(&cells) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let cell = short(cell, *width);
            shortened |= cell.1;
            line.push_str(&cell.0);
            let blanks = (width + GAP).saturating_sub(cell.0.width());
            line.extend(std::iter::repeat_n(' ', blanks));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    (text, shortened)
}

fn widths(head: &[&str], rows: &[Vec<String>], fit: Fit) -> Vec<usize> {
    let column = |at: usize| rows.iter().filter_map(move |row| row.get(at));
    let mut widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(at, name)| column(at).map(|c| c.width()).max().unwrap_or(0).max(name.width()))
        .collect();
    let Fit::Columns(columns) = fit else { return widths };
    let room = columns.saturating_sub(GAP * head.len().saturating_sub(1));
    let kinds: Vec<Kind> = (0..head.len()).map(|at| kind(column(at))).collect();
    let of =
        |wanted| kinds.iter().enumerate().filter(move |(_, k)| **k == wanted).map(|(at, _)| at);
    if total(&widths) > room {
        of(Kind::Instant).for_each(|at| widths[at] = widths[at].min(SECONDS));
        let texts: Vec<usize> = of(Kind::Text).collect();
        squeeze(&mut widths, &texts, room, TEXT);
        if total(&widths) > room {
            of(Kind::Id).for_each(|at| widths[at] = widths[at].min(SHORT_ID));
            squeeze(&mut widths, &texts, room, LEAST);
        }
        let all: Vec<usize> = (0..head.len()).collect();
        squeeze(&mut widths, &all, room, LEAST);
        widen(&mut widths, head, rows, &texts, room);
    }
    widths
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum()
}

/// Makes the widest of these columns narrower, one by one, until all fit or have the least width.
fn squeeze(widths: &mut [usize], columns: &[usize], room: usize, least: usize) {
    while total(widths) > room {
        let widest = columns.iter().copied().max_by_key(|at| widths[*at]);
        let Some(widest) = widest.filter(|at| widths[*at] > least) else { return };
        let next = columns.iter().map(|at| widths[*at]).filter(|w| *w < widths[widest]).max();
        let over = total(widths) - room;
        let step = next.map_or(over, |next| (widths[widest] - next).min(over)).max(1);
        widths[widest] = widths[widest].saturating_sub(step).max(least);
    }
}

/// Gives texts what room was left over by ids that were shortened.
fn widen(widths: &mut [usize], head: &[&str], rows: &[Vec<String>], texts: &[usize], room: usize) {
    for at in texts {
        let wanted = rows.iter().filter_map(|row| row.get(*at)).map(|cell| cell.width()).max();
        let wanted = wanted.unwrap_or(0).max(head[*at].width());
        let spare = room.saturating_sub(total(widths));
        widths[*at] += spare.min(wanted.saturating_sub(widths[*at]));
    }
}

fn kind<'a>(cells: impl Iterator<Item = &'a String>) -> Kind {
    let mut kinds = cells.filter(|cell| *cell != "-").map(|cell| match cell.as_bytes() {
        id if id.len() == 36 && [8, 13, 18, 23].iter().all(|at| id[*at] == b'-') => Kind::Id,
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T' | b' ', ..] => Kind::Instant,
        _ => Kind::Text,
    });
    let Some(first) = kinds.next() else { return Kind::Text };
    if kinds.all(|kind| kind == first) { first } else { Kind::Text }
}

/// A cell in so many columns, and whether anything is missing of it.
fn short(cell: &str, width: usize) -> (String, bool) {
    if cell.width() <= width {
        return (cell.to_owned(), false);
    }
    let cell_kind = kind(std::iter::once(&cell.to_owned()));
    match cell_kind {
        Kind::Id if width >= SHORT_ID => {
            (format!("\u{2026}{}", &cell[cell.len() - (width - 1)..]), true)
        }
        Kind::Instant if width == SECONDS && cell.ends_with('Z') => {
            (format!("{}Z", &cell[..SECONDS - 1]), false)
        }
        _ => {
            let (mut text, mut left) = (String::new(), width.saturating_sub(1));
            for c in cell.chars() {
                let wide = c.width().unwrap_or(0);
                if wide > left {
                    break;
                }
                left -= wide;
                text.push(c);
            }
            text.push('\u{2026}');
            (text, true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    const ID: &str = "01a20bb3-b0eb-7dde-9ce9-34537b824982";

    #[test]
    fn what_fits_is_whole() {
        let rows = [row(&["1", "2026-11-24T03:57:35.339Z", ID])];
        let (text, shortened) = laid_out(&["N", "TIME", "ID"], &rows, Fit::Columns(80));
        assert_eq!(text, format!("N  TIME{:20}  ID\n1  2026-11-24T03:57:35.339Z  {ID}\n", ""));
        assert!(!shortened);
    }

    #[test]
    fn texts_go_before_ids_and_ids_keep_their_random_end() {
        let long = "operation-case,string-boolean,value-path-created";
        let rows = [row(&["2026-11-24T03:57:35.339Z", "users.patch", long, ID])];
        let head = ["TIME", "OPERATION", "READ AS", "ID"];
        let (text, shortened) = laid_out(&head, &rows, Fit::Columns(96));
        assert!(text.contains(ID) && text.contains("operation-case") && shortened, "{text}");
        assert!(text.contains("2026-11-24T03:57:35Z"), "{text}");
        let (text, _) = laid_out(&head, &rows, Fit::Columns(60));
        assert!(text.contains("\u{2026}7b824982") && text.contains("users.patch"), "{text}");
    }

    /// Whatever is in them, and however many there are.
    #[test]
    fn no_table_is_wider_than_it_may_be() {
        let cells = ["", "-", "山田太郎 and others of some length", ID, "2026-11-24T03:57:35.339Z"];
        for columns in [40, 60, 80, 120, 200] {
            for n in 1..=9 {
                let head: Vec<&str> =
                    ["WHATEVER", "X", "A LONG HEAD"].into_iter().cycle().take(n).collect();
                let rows: Vec<Vec<String>> = (0..cells.len())
                    .map(|at| {
                        row(&cells.iter().copied().cycle().skip(at).take(n).collect::<Vec<_>>())
                    })
                    .collect();
                let (text, _) = laid_out(&head, &rows, Fit::Columns(columns));
                if columns >= (LEAST + GAP) * n {
                    assert!(text.lines().all(|line| line.width() <= columns), "{columns}:\n{text}");
                }
            }
        }
    }

    /// Longer than the width that `format!` can pad to.
    #[test]
    fn a_cell_may_be_of_any_length() {
        let rows = [row(&["x".repeat(200_000).as_str(), "y"])];
        let (text, shortened) = laid_out(&["A", "B"], &rows, Fit::Whole);
        assert!(text.len() > 400_000 / 2 && !shortened);
        let (text, shortened) = laid_out(&["A", "B"], &rows, Fit::Columns(80));
        assert!(text.lines().all(|line| line.width() <= 80) && shortened);
    }
}
