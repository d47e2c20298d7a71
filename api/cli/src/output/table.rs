//! Tables: columns aligned, and as wide as the terminal. A cell that is shortened says so by an
//! ellipsis.

use super::Look;
use super::fit::{Kind, SHORT_ID, Widths, instant_forms};
use super::tone::{Cell, Tone};
use super::visible::visible;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The table as text, and whether any cell was shortened.
pub fn laid_out(head: &[&str], rows: &[Vec<Cell>], look: Look) -> (String, bool) {
    let cells: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| row.iter().map(|c| Cell::toned(c.tone, visible(&c.text))).collect())
        .collect();
    let widths = Widths::of(head, &cells, look.fit);
    let mut text = String::new();
    let mut shortened = false;
    let head = head.iter().map(|name| Cell::toned(Tone::Head, *name)).collect();
    for row in std::iter::once(&head).chain(&cells) {
        let (mut line, mut blanks) = (String::new(), 0);
        for (cell, width) in row.iter().zip(&widths.columns) {
            let (told, is_short) = short(&cell.text, *width);
            shortened |= is_short;
            let told = told.trim_end();
            if !told.is_empty() {
                line.extend(std::iter::repeat_n(' ', blanks));
                blanks = 0;
                match look.in_color {
                    true => line.push_str(&cell.tone.paint(told)),
                    false => line.push_str(told),
                }
            }
            blanks += (width + widths.gap).saturating_sub(told.width());
        }
        text.push_str(&line);
        text.push('\n');
    }
    (text, shortened)
}

/// A cell in so many columns, and whether anything is missing of it.
fn short(cell: &str, width: usize) -> (String, bool) {
    if cell.width() <= width {
        return (cell.to_owned(), false);
    }
    match Kind::of(std::iter::once(cell)) {
        Kind::Id if width >= SHORT_ID => {
            return (format!("\u{2026}{}", &cell[cell.len() - (width - 1)..]), true);
        }
        Kind::Instant => {
            // Decimals and seconds are missed by nobody.
            if let Some(form) = instant_forms(cell).into_iter().find(|form| form.width() <= width) {
                return (form, false);
            }
        }
        _ => {}
    }
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

#[cfg(test)]
mod tests {
    use super::super::fit::{Fit, LEAST};
    use super::*;

    /// Columns are this far apart where there is little room.
    const GAP: usize = 1;

    fn row(cells: &[&str]) -> Vec<Cell> {
        cells.iter().map(|cell| Cell::from(*cell)).collect()
    }

    fn laid_out(head: &[&str], rows: &[Vec<Cell>], fit: Fit) -> (String, bool) {
        super::laid_out(head, rows, Look { fit, ..Look::default() })
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
                let rows: Vec<Vec<Cell>> = (0..cells.len())
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

    /// Colour is beside the words: without it the same is said, and it takes no room.
    #[test]
    fn colour_changes_no_word_and_no_width() {
        let rows = [
            vec![Cell::toned(Tone::Bad, "refused"), Cell::from("-"), Cell::from("x")],
            vec![Cell::from("done"), Cell::toned(Tone::Good, ""), Cell::from("")],
        ];
        let head = ["STATE", "WHY", "LAST"];
        let look = Look { fit: Fit::Columns(30), ..Look::default() };
        let (plain, _) = super::laid_out(&head, &rows, look);
        let (painted, _) = super::laid_out(&head, &rows, Look { in_color: true, ..look });
        assert_eq!(console::strip_ansi_codes(&painted), plain);
        assert!(painted.contains("\u{1b}[31mrefused\u{1b}[0m") && !plain.contains('\u{1b}'));
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
